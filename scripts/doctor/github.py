"""Checks of the repository on GitHub, as far as the token may read its settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import MlopsError
from scripts.doctor.finding import Diagnosis, State

if TYPE_CHECKING:
    from core.config import Settings
    from review.github import Setup

NEEDED = {"retraining": ("MLFLOW_TRACKING_URI", "MONITORING_URL"), "production": ("MLFLOW_TRACKING_URI",)}
GUIDE = "docs/setup-github.md"
HIDDEN = "missing, or this token may not read it"


def findings(settings: Settings, models: tuple[str, ...]) -> Iterator[Diagnosis]:
    """Check each setting that docs/setup-github.md requires; a single warning if the repository is unknown."""
    from stages.connect import open_setup

    yield from owners(settings, models)
    if settings.hub is None:
        yield Diagnosis(
            "github",
            "warn",
            "not checked",
            "The repository on GitHub is unknown in this folder.",
            "MLOPS_FORGE=https://github.com/OWNER/NAME GITHUB_TOKEN=$(gh auth token) mlops doctor",
        )
        return
    try:
        setup = open_setup(settings.hub, tuple(NEEDED))
    except MlopsError as err:
        yield Diagnosis("github", "fail", err.what, err.why, err.fix)
        return
    yield from settings_of(setup, app=settings.hub.identity == "app")


def settings_of(setup: Setup, *, app: bool) -> Iterator[Diagnosis]:
    """Check the settings that were read from GitHub."""
    branch, may, rules, schedule = setup.default_branch, setup.may_open_pulls, setup.rules, setup.schedule
    why = "promote.yml runs on pushes to main only."
    yield diagnose("default branch", branch, branch == "main", why, "Rename it: Settings > General > Default branch")
    for environment, names in NEEDED.items():
        secrets = setup.secrets[environment]
        missing = [name for name in names if secrets is not None and name not in secrets]
        says = None if secrets is None else f"{', '.join(missing)} is missing" if missing else "has its secrets"
        why = "Without its secrets a run has no registry or no rows."
        yield diagnose(f"environment {environment}", says, not missing, why, f"{GUIDE}, step 2")
    says = None if may is None else "yes" if may else "no"
    why = "Otherwise a nightly run that trained a candidate cannot open its pull request."
    yield diagnose("workflows may open pull requests", says, bool(may) or app, why, f"{GUIDE}, step 4")
    says = None if rules is None else ", ".join(rules) or "none"
    why = "A merge promotes: without a rule everyone who can push can promote."
    yield diagnose("rules of the branch", says, "pull_request" in (rules or ()), why, f"{GUIDE}, step 5", bad="warn")
    why = "A disabled schedule does not run, and GitHub reports no error."
    yield diagnose("schedule", schedule, schedule == "active", why, "Actions > nightly > Enable workflow")


def diagnose(what: str, says: str | None, right: bool, why: str, fix: str, *, bad: State = "fail") -> Diagnosis:
    """Return the diagnosis of a setting; one that cannot be read is only a warning."""
    if says is None:
        return Diagnosis(what, "warn", HIDDEN, why, fix)
    return Diagnosis(what, "ok", says) if right else Diagnosis(what, bad, says, why, fix)


def owners(settings: Settings, models: tuple[str, ...]) -> Iterator[Diagnosis]:
    """Check that each promotion has a reviewer."""
    from registry.promotion import manifest
    from review.github import PLACES, owners

    text = next((file.read_text("utf-8") for name in PLACES if (file := settings.root / name).is_file()), "")
    why, fix = "GitHub asks no one to review a promotion.", "Add names to .github/CODEOWNERS"
    for model in models:
        reviewers = owners(text, manifest.path(model))
        names = [*reviewers.people, *reviewers.teams]
        yield diagnose(f"{model}: reviewers", ", ".join(names) or "none", bool(names), why, fix, bad="warn")
