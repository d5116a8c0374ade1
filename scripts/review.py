"""The command `mlops review`: check a pull request that changes a manifest, before it is merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import RegistryError
from scripts.cli import github_runner, options, output
from stages.context import Night

if TYPE_CHECKING:
    from registry.promotion import Check, Manifest, RegistryState
    from review.pull_request import Review


def review(
    model: options.Model = None, as_of: options.AsOf = None, json: options.Json = False, out: options.Out = None
) -> None:
    """Check the manifests that differ from the default branch. Exits with 5 if one must not be merged.

    Example: mlops review --json
    """
    from review.pull_request import promotion_check

    nights = Night.each(model, as_of)
    reviews = promotion_check.Reviews(reviews=tuple(review for night in nights if (review := run(night))))
    output.show(
        reviews,
        map(output.clean, promotion_check.lines(reviews)),
        as_json=json,
        out=out,
        summary=promotion_check.text(reviews),
    )
    github_runner.output("passed", str(reviews.passed).lower())
    if not reviews.passed:
        names = ", ".join(review.model for review in reviews.reviews if not review.passed)
        raise RegistryError(
            f"This pull request must not be merged: the manifest of {names} was changed, or is out of date.",
            why="The list above gives the reasons.",
            fix="Close the pull request, or restore model/NAME/production.json. This check changes nothing.",
        )


def run(night: Night) -> Review | None:
    """Return the review of the checked-out manifest; None if it is the same on the default branch."""
    from registry.promotion import apply, manifest
    from review.pull_request import promotion_check

    declared = night.forge.file(manifest.path(night.name))
    try:
        proposed = night.manifest
    except RegistryError as err:
        return promotion_check.unreadable(night.name, err.what)
    try:
        before = None if declared is None else manifest.parse(declared, night.name)
    except RegistryError as err:
        # The pull request that repairs it must not be red for what it repairs.
        output.warn(f"On the default branch, {err.what}")
        before = None
    if proposed == before:
        return None
    if proposed is None:
        return promotion_check.removed(night.name)
    return check_manifest(night, proposed, before, apply.observe(night.registry.client, night.config.registry_name))


def check_manifest(night: Night, proposed: Manifest, before: Manifest | None, state: RegistryState) -> Review:
    """Return the review of one manifest, with all its checks."""
    from registry.promotion import Check, checks, plan
    from review.pull_request import promotion_check

    production = checks.in_production(state, proposed)
    version = night.registry.versions(night.config.registry_name).get(proposed.version)
    rollback = checks.is_rollback(version, production)
    results: list[Check | None] = [trusted(night, proposed)]
    if len(state.production) > 1:
        several = " and ".join(map(str, state.production))
        sentence = f"Versions {several} are in Production at once. Run the workflow promote first."
        results.append(Check(name="registry", state="blocks", sentence=sentence))
    elif before is not None and not state.production:
        results.append(Check(name="registry", state="blocks", sentence=str(plan.missing(state, before))))
    results += [
        *night.registry.checks(proposed, state),
        promotion_check.again(proposed.version, night.registry.events(night.name)),
        promotion_check.reference(proposed, before, rollback=rollback),
    ]
    try:
        steps = plan.plan(state, proposed, "").sentences
    except RegistryError:  # the check of trust reports it
        steps = ()
    return promotion_check.Review(
        model=night.name,
        rollback=rollback,
        version=proposed.version,
        checks=tuple(check for check in results if check is not None),
        steps=steps,
    )


def trusted(night: Night, proposed: Manifest) -> Check:
    """Return the check whether mlops promote would accept the declared version."""
    from registry.promotion import Check, apply

    if proposed.model != night.config.registry_name:
        sentence = (
            f"The manifest declares a version of {proposed.model}, but model.toml names {night.config.registry_name}."
        )
        return Check(name="version", state="blocks", sentence=sentence)
    try:
        apply.verify(night.registry, proposed)
    except RegistryError as err:
        return Check(name="version", state="blocks", sentence=err.what)
    sentence = (
        f"Version {proposed.version} exists, has the digest {proposed.digest[:12]}…, passed its validation, loads, and "
        "gives its stored example the same scores as after its training."
    )
    return Check(name="version", state="passes", sentence=sentence)
