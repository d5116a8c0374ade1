"""Check a pull request that changes a manifest before somebody merges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import RegistryError
from scripts import options, output, runner
from scripts.night import Night

if TYPE_CHECKING:
    from model.manifest import Manifest
    from model.stages import State
    from review.promotion import Check, Review


def review(
    model: options.Model = None, as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None
) -> None:
    """Compare the checked-out manifests with the default branch, and judge those that differ; exit 5 where one is bad.

    Example: mlops review --json
    """
    from review import promotion

    nights = Night.each(model, as_of)
    found = promotion.Reviews(reviews=tuple(one for night in nights if (one := run(night))))
    output.show(found, map(output.clean, promotion.lines(found)), as_json=json, out=out, summary=promotion.text(found))
    runner.output("passed", str(found.passed).lower())
    if not found.passed:
        names = ", ".join(one.model for one in found.reviews if not one.passed)
        raise RegistryError(
            f"This must not be merged: the manifest of {names} is not what was reviewed, or is out of date.",
            why="The list above says what was found.",
            fix="Close the pull request, or restore model/NAME/production.json; Production is as it was.",
        )


def run(night: Night) -> Review | None:
    """What there is to say about the manifest that is checked out; None where the default branch has the same."""
    from model import manifest, stages
    from review import promotion

    declared = night.forge.file(manifest.path(night.name))
    try:
        proposed = night.manifest
        before = None if declared is None else manifest.parse(declared, night.name)
    except RegistryError as err:
        return promotion.unreadable(night.name, err.what)
    if proposed == before:
        return None
    if proposed is None:
        return promotion.removed(night.name)
    return judged(night, proposed, before, stages.observe(night.registry.client, night.config.registry_name))


def judged(night: Night, proposed: Manifest, before: Manifest | None, state: State) -> Review:
    """All checks of one manifest."""
    from model import plans
    from model.validation import Verdict
    from review import promotion
    from review.promotion import Check

    production = state.production[0] if len(state.production) == 1 else None
    versions = night.registry.versions(night.config.registry_name)
    version = versions.get(proposed.version)
    rollback = promotion.is_rollback(version, production)
    checks: list[Check | None] = [trusted(night, proposed)]
    if len(state.production) > 1:
        several = " and ".join(map(str, state.production))
        sentence = f"Versions {several} are in Production at once. Run the workflow promote first."
        checks.append(Check(name="registry", state="blocks", sentence=sentence))
    kept = version is not None and version.validation != "none"
    verdict = night.registry.record(version, "verdict.json", Verdict) if version and kept else None
    checks += [
        promotion.evidence(proposed, verdict, rollback=rollback),
        promotion.champion(proposed, production, rollback=rollback),
        promotion.newer(proposed, versions.get(production) if production else None, rollback=rollback),
        promotion.reference(proposed, before, rollback=rollback),
    ]
    try:
        steps = plans.plan(state, proposed, "").sentences
    except RegistryError:  # said by the check of trust already
        steps = ()
    return promotion.Review(
        model=night.name,
        rollback=rollback,
        version=proposed.version,
        checks=tuple(check for check in checks if check is not None),
        steps=steps,
    )


def trusted(night: Night, proposed: Manifest) -> Check:
    """Whether promote would take the declared version."""
    from model import stages
    from review.promotion import Check

    if proposed.model != night.config.registry_name:
        sentence = f"It declares a version of {proposed.model}, but model.toml names {night.config.registry_name}."
        return Check(name="version", state="blocks", sentence=sentence)
    try:
        stages.verify(night.registry, proposed)
    except RegistryError as err:
        return Check(name="version", state="blocks", sentence=err.what)
    sentence = (
        f"Version {proposed.version} exists, has the digest {proposed.digest[:12]}…, passed its validation, loads, and "
        "says of its stored example what it said when it was trained."
    )
    return Check(name="version", state="passes", sentence=sentence)
