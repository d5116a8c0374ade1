"""Check how the repository is set up on GitHub, where it lives there and a token lets us see."""

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
HIDDEN = "not there, or this token may not see it"


def findings(settings: Settings, models: tuple[str, ...]) -> Iterator[Diagnosis]:
    """One for each thing that docs/setup-github.md asks for; one alone where there is no GitHub."""
    from stages.connect import open_setup

    yield from owners(settings, models)
    if settings.hub is None:
        yield Diagnosis(
            "github",
            "warn",
            "not looked at",
            "This folder does not know its repository there.",
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
    """What GitHub tells, judged."""
    branch, may, rules, schedule = setup.default_branch, setup.may_open_pulls, setup.rules, setup.schedule
    why = "promote.yml runs on pushes to main only."
    yield judged("default branch", branch, branch == "main", why, "Rename it: Settings > General > Default branch")
    for environment, names in NEEDED.items():
        found = setup.secrets[environment]
        absent = [name for name in names if found is not None and name not in found]
        says = None if found is None else f"lacks {', '.join(absent)}" if absent else "has its secrets"
        why = "Without them a run has no registry, or no rows."
        yield judged(f"environment {environment}", says, not absent, why, f"{GUIDE}, step 2")
    says = None if may is None else "yes" if may else "no"
    why = "Else a night that trained ends without its proposal."
    yield judged("workflows may open pull requests", says, bool(may) or app, why, f"{GUIDE}, step 4")
    says = None if rules is None else ", ".join(rules) or "none"
    why = "The merge is the gate: without a rule whoever can push can promote."
    yield judged("rules of the branch", says, "pull_request" in (rules or ()), why, f"{GUIDE}, step 5", bad="warn")
    why = "A schedule that is off does not run, and says nothing."
    yield judged("schedule", schedule, schedule == "active", why, "Actions > nightly > Enable workflow")


def judged(what: str, says: str | None, right: bool, why: str, fix: str, *, bad: State = "fail") -> Diagnosis:
    """A finding; what cannot be seen is only worth a look."""
    if says is None:
        return Diagnosis(what, "warn", HIDDEN, why, fix)
    return Diagnosis(what, "ok", says) if right else Diagnosis(what, bad, says, why, fix)


def owners(settings: Settings, models: tuple[str, ...]) -> Iterator[Diagnosis]:
    """Whether somebody is asked to review each promotion."""
    from registry.promotion import manifest
    from review.github import PLACES, owners

    text = next((file.read_text("utf-8") for name in PLACES if (file := settings.root / name).is_file()), "")
    why, fix = "Nobody is asked to look at a promotion.", "Write names into .github/CODEOWNERS"
    for model in models:
        found = owners(text, manifest.path(model))
        names = [*found.people, *found.teams]
        yield judged(f"{model}: reviewers", ", ".join(names) or "nobody", bool(names), why, fix, bad="warn")
