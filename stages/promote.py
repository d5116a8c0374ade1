"""The promote stage: make the registry agree with git."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from core.errors import MlopsError, RegistryError
from stages import event_log
from stages.connect import open_threads

if TYPE_CHECKING:
    from registry import Event
    from registry.promotion import RegistryState
    from stages.ports import Run

LOG = logging.getLogger("mlops")


def promote_declared(run: Run, *, dry_run: bool = False, verify: bool = False) -> dict[str, Any]:
    """Check everything that can refuse, plan, and carry out the plan unless `dry_run` or `verify` is set.

    Raises:
        RegistryError: the declared version cannot be trusted; or, with `verify`, it is not the one in Production.
    """
    from registry.promotion import checks
    from registry.promotion import plan as plans

    manifest, registry = run.manifest, run.registry
    state = registry.state(run.config.registry_name)
    plan = plans.plan(state, manifest, run.commit)
    if manifest is not None:
        registry.verify(manifest, load=verify or bool(plan.steps))
        checks.require(registry.checks(manifest, state))
    version = manifest.version if manifest else None
    result = {"model": run.name, "version": version, "done": False, "steps": plan.sentences}
    if verify and plan.steps:
        raise RegistryError(
            f"Git and registry differ for {run.name}. To agree, mlops promote would {'; '.join(plan.sentences)}.",
            why="Production was changed in MLflow by hand, or a promotion was interrupted.",
            fix=f"Run mlops promote --model {run.name}. To keep the change instead, declare it in git.",
        )
    if version is None or dry_run or verify:
        return result
    last = registry.last_move(run.name) if plan.steps else None
    registry.promote(plan, run.as_of)
    before = previous_version(run, state, version, last)
    if plan.steps or before != version:
        _announce(run, version, plan.commit)
    if before != version:
        # Written last: a promotion that is in the event log was carried out and announced completely.
        # Its time is the one on the version, so that runs at the same time, or after the clock was set back, agree.
        moment = registry.state(run.config.registry_name).promoted.get(version, run.as_of)
        sentence = plans.movement(state, before, version)
        event_log.move(run, moment, before=before, after=version, commit=plan.commit, sentence=sentence)
    return {**result, "done": bool(plan.steps)}


def previous_version(run: Run, state: RegistryState, version: int, last: Event | None) -> int | None:
    """Return the version that `version` replaces; `version` itself if that is done and in the event log.

    A promotion that was killed after it had moved Production left no event: then the last event is the one before it.

    Args:
        run: asked for the event log as it is now.
        state: the registry before the move.
        version: the one that is in Production now.
        last: the last move in the event log before the move; None if nothing had to be moved.
    """
    other = next((number for number in state.production if number != version), None)
    now = run.registry.last_move(run.name)
    if now != last and now is not None and now.version == version:
        return version  # another run carried out and logged the same promotion in the meantime
    if other is not None or not state.production:
        return other
    return now.version if now else None


def _announce(run: Run, version: int, commit: str) -> None:
    """Tell the forge that Production moved: the registry is right already, so an error is only a warning."""
    for inform in (_record_deployment, _supersede):
        try:
            inform(run, version, commit)
        except MlopsError as err:
            LOG.warning("Production was moved, but the forge could not be informed: %s", err)


def _record_deployment(run: Run, version: int, commit: str) -> None:
    """Update the forge, and on GitHub record which version is in Production."""
    name, hub = run.config.registry_name, run.settings.hub
    run.forge.follow(run.settings.root)
    if hub is not None and commit:
        url = f"{hub.mlflow_url}/#/models/{name}/versions/{version}" if hub.mlflow_url else hub.commit_url(commit)
        text = f"{name} version {version} is in Production"
        open_threads(hub).deployed(f"production/{run.name}", commit, text, url)


def _supersede(run: Run, production: int, _commit: str) -> None:
    """Close an open proposal that was compared with another version than the one in Production now."""
    from registry.promotion import manifest

    proposal = run.forge.open_proposal(run.name)
    text = run.forge.file(manifest.path(run.name), proposal.head) if proposal else None
    if proposal is None or text is None:
        return
    try:
        proposed = manifest.parse(text, run.name)
    except RegistryError as err:
        LOG.warning("Pull request %s cannot be read, so it stays open: %s", proposal.number, err.what)
        return
    if proposed.champion == production:
        return
    was = f"version {proposed.champion}" if proposed.champion else "nothing"
    run.forge.close(
        proposal.number,
        f"Superseded: version {proposed.version} was compared with {was}, and version {production} is in Production "
        "now. The next nightly run that has a reason to retrain trains and compares again.",
    )


def agreement(run: Run) -> str:
    """Return whether registry and git agree, as text."""
    try:
        result = promote_declared(run, dry_run=True)
    except RegistryError as err:
        return f"DISAGREES with git: {err.what}"
    if result["steps"]:
        return f"DISAGREES with git: mlops promote would {'; '.join(result['steps'])}"
    return "agrees with git" if result["version"] else "agrees with git: nothing is declared, nothing is in Production"
