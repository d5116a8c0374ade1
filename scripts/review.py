"""Check a pull request that changes a manifest before somebody merges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import RegistryError
from scripts.cli import github_runner, options, output
from stages.context import Night

if TYPE_CHECKING:
    from registry.promotion import Manifest, RegistryState
    from review.pull_request import Check, Review


def review(
    model: options.Model = None, as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None
) -> None:
    """Compare the checked-out manifests with the default branch, and judge those that differ; exit 5 where one is bad.

    Example: mlops review --json
    """
    from review.pull_request import promotion_check

    nights = Night.each(model, as_of)
    found = promotion_check.Reviews(reviews=tuple(one for night in nights if (one := run(night))))
    output.show(
        found,
        map(output.clean, promotion_check.lines(found)),
        as_json=json,
        out=out,
        summary=promotion_check.text(found),
    )
    github_runner.output("passed", str(found.passed).lower())
    if not found.passed:
        names = ", ".join(one.model for one in found.reviews if not one.passed)
        raise RegistryError(
            f"This must not be merged: the manifest of {names} is not what was reviewed, or is out of date.",
            why="The list above says what was found.",
            fix="Close the pull request, or restore model/NAME/production.json; Production is as it was.",
        )


def run(night: Night) -> Review | None:
    """What there is to say about the manifest that is checked out; None where the default branch has the same."""
    from registry.promotion import apply, manifest
    from review.pull_request import promotion_check

    declared = night.forge.file(manifest.path(night.name))
    try:
        proposed = night.manifest
        before = None if declared is None else manifest.parse(declared, night.name)
    except RegistryError as err:
        return promotion_check.unreadable(night.name, err.what)
    if proposed == before:
        return None
    if proposed is None:
        return promotion_check.removed(night.name)
    return judged(night, proposed, before, apply.observe(night.registry.client, night.config.registry_name))


def judged(night: Night, proposed: Manifest, before: Manifest | None, state: RegistryState) -> Review:
    """All checks of one manifest."""
    from registry.promotion import plan
    from review.pull_request import Check, promotion_check
    from training.gates import Verdict

    production = state.production[0] if len(state.production) == 1 else None
    versions = night.registry.versions(night.config.registry_name)
    version = versions.get(proposed.version)
    rollback = promotion_check.is_rollback(version, production)
    checks: list[Check | None] = [trusted(night, proposed)]
    if len(state.production) > 1:
        several = " and ".join(map(str, state.production))
        sentence = f"Versions {several} are in Production at once. Run the workflow promote first."
        checks.append(Check(name="registry", state="blocks", sentence=sentence))
    kept = version is not None and version.validation != "none"
    verdict = night.registry.record(version, "verdict.json", Verdict) if version and kept else None
    checks += [
        promotion_check.evidence(proposed, verdict, rollback=rollback),
        promotion_check.champion(proposed, production, rollback=rollback),
        promotion_check.newer(proposed, versions.get(production) if production else None, rollback=rollback),
        promotion_check.reference(proposed, before, rollback=rollback),
    ]
    try:
        steps = plan.plan(state, proposed, "").sentences
    except RegistryError:  # said by the check of trust already
        steps = ()
    return promotion_check.Review(
        model=night.name,
        rollback=rollback,
        version=proposed.version,
        checks=tuple(check for check in checks if check is not None),
        steps=steps,
    )


def trusted(night: Night, proposed: Manifest) -> Check:
    """Whether promote would take the declared version."""
    from registry.promotion import apply
    from review.pull_request import Check

    if proposed.model != night.config.registry_name:
        sentence = f"It declares a version of {proposed.model}, but model.toml names {night.config.registry_name}."
        return Check(name="version", state="blocks", sentence=sentence)
    try:
        apply.verify(night.registry, proposed)
    except RegistryError as err:
        return Check(name="version", state="blocks", sentence=err.what)
    sentence = (
        f"Version {proposed.version} exists, has the digest {proposed.digest[:12]}…, passed its validation, loads, and "
        "says of its stored example what it said when it was trained."
    )
    return Check(name="version", state="passes", sentence=sentence)
