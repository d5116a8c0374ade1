"""The promote stage: make the registry agree with git."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from core.errors import ConfigError, OutsideError, RegistryError
from stages import event_log
from stages.connect import open_threads
from stages.context import Night
from stages.repository import head_commit

if TYPE_CHECKING:
    from registry.promotion import RegistryState

LOG = logging.getLogger("mlops")


def run(night: Night, *, dry_run: bool = False, verify: bool = False) -> dict[str, Any]:
    """Check everything that can refuse, plan, and, unless told otherwise, apply.

    Raises:
        RegistryError: the declared version cannot be trusted, or, with `verify`, is not what is in Production.
    """
    from registry.promotion import apply
    from registry.promotion import plan as plans

    declared, name = night.manifest, night.config.registry_name
    state = apply.observe(night.registry.client, name)
    plan = plans.plan(state, declared, head_commit(night.settings.root))
    if declared is not None:
        apply.verify(night.registry, declared, load=verify or bool(plan.steps))
    result = {
        "model": night.name,
        "version": declared.version if declared else None,
        "done": False,
        "steps": plan.sentences,
    }
    if verify and plan.steps:
        raise RegistryError(
            f"Git and registry differ for {night.name}. To agree, one would {'; '.join(plan.sentences)}.",
            why="Somebody changed the registry by hand, or a promotion did not finish.",
            fix=f"Run mlops promote --model {night.name}. To keep the change instead, declare it in git.",
        )
    if declared is None or dry_run or verify:
        return result
    apply.apply(night.registry.client, plan, night.as_of)
    before = previous_version(night, state, declared.version)
    if plan.steps or before != declared.version:
        announce(night, declared.version, plan.commit)
    if before != declared.version:
        # The last write of all: a promotion that is in the log was made, and told, as a whole.
        sentence = plans.movement(state, before, declared.version)
        event_log.move(night, before=before, after=declared.version, commit=plan.commit, sentence=sentence)
    return {**result, "done": bool(plan.steps)}


def previous_version(night: Night, state: RegistryState, version: int) -> int | None:
    """The version that `version` takes the place of; itself where that is done, and in the event log.

    A promotion that was killed after it had moved Production left no entry: then the log still tells of the one before.
    """
    from registry import last_move

    before = next((other for other in state.production if other != version), None)
    if before is not None or not state.production:
        return before
    told = last_move(night.registry.client, night.name)
    return told.version if told else None


def announce(night: Night, version: int, commit: str) -> None:
    """Tell the forge that Production moved. The registry is right already: what fails here stops nothing."""
    try:
        night.forge.follow(night.settings.root)
        supersede(night, version)
        if night.settings.hub is not None and commit:
            hub = night.settings.hub
            page = f"{hub.mlflow_url}/#/models/{night.config.registry_name}/versions/{version}"
            told = f"{night.config.registry_name} version {version} is in Production"
            url = page if hub.mlflow_url else hub.commit_url(commit)
            open_threads(hub).deployed(f"production/{night.name}", commit, told, url)
    except (OutsideError, ConfigError) as err:
        LOG.warning("Production is moved, but this could not be told: %s", err)


def supersede(night: Night, production: int) -> None:
    """Close an open proposal that was compared with another version than the one in Production now."""
    from registry.promotion import manifest

    opened = night.forge.open_proposal(night.name)
    text = night.forge.file(manifest.path(night.name), opened.head) if opened else None
    if opened is None or text is None:
        return
    proposed = manifest.parse(text, night.name)
    if proposed.champion == production:
        return
    was = f"version {proposed.champion}" if proposed.champion else "nothing"
    night.forge.close(
        opened.number,
        f"Superseded: version {proposed.version} was compared with {was}, and version {production} is in Production "
        "now. The next night that has a reason to retrain trains and compares again.",
    )


def agreement(night: Night) -> str:
    """Whether registry and git agree, in words."""
    try:
        result = run(night, dry_run=True)
    except RegistryError as err:
        return f"DISAGREES with git: {err.what}"
    if result["steps"]:
        return f"DISAGREES with git: mlops promote would {'; '.join(result['steps'])}"
    return "agrees with git" if result["version"] else "agrees with git: nothing is declared, nothing is in Production"
