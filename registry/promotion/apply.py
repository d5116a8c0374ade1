"""The move of Production in MLflow: observe, verify, write only what differs, observe again.

MLflow will remove stages in a later major release; only this module moves them. Aliases stay.
"""

from __future__ import annotations

import datetime as dt
import warnings
from typing import TYPE_CHECKING

from core.errors import RegistryError
from registry import ALIAS, PRODUCTION, ModelVersion, instant, store
from registry.promotion.plan import REVERT, Plan, RegistryState, Step, require_ready, steps_to

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from registry import Registry
    from registry.promotion.manifest import Manifest

TRIES = 3


def observe(client: MlflowClient, name: str) -> RegistryState:
    """Return the state of a registered model, which is empty if the registry does not have the model.

    Raises:
        OutsideError: the registry does not respond. An outage never looks like an empty registry.
    """
    from mlflow.exceptions import MlflowException

    with store.reaching(client.tracking_uri, f"asked what is in Production of {name}"):
        try:
            aliases = client.get_registered_model(name).aliases
        except MlflowException as err:
            if store.code(err) != "RESOURCE_DOES_NOT_EXIST":
                raise
            return RegistryState(name=name, versions={}, production=(), alias=None, promoted={})
        entries = store.pages(
            lambda token: client.search_model_versions(
                f"name={store.literal(name)}", max_results=store.PAGE, page_token=token
            )
        )
    promoted = {int(entry.version): instant(entry.tags.get("promoted_at", "")) for entry in entries}
    return RegistryState(
        name=name,
        versions={int(entry.version): entry.status for entry in entries},
        production=tuple(sorted(int(entry.version) for entry in entries if entry.current_stage == PRODUCTION)),
        alias=int(aliases[ALIAS]) if ALIAS in aliases else None,
        promoted={version: moment for version, moment in promoted.items() if moment is not None},
    )


def verify(registry: Registry, manifest: Manifest, *, load: bool = True) -> None:
    """Make sure that the declared version is the one that was reviewed, and works. Nothing is written.

    Without `load`, its files are compared with their digest and not loaded. That is enough for a version that was
    loaded when it was promoted, and many times faster.

    Raises:
        RegistryError: it does not exist, is not ready, has another run, digest or data, did not pass its validation, or
            its files cannot be trusted, do not load, or do not reproduce their example.
    """
    name, number = manifest.model, manifest.version
    entry = registry.entry(name, number)
    require_ready(name, number, entry.status if entry is not None else None)
    version = ModelVersion.from_entry(entry)
    if version is None:
        raise _refused(manifest, "was not registered by mlops train, or its tags were changed")
    require_declared(version, manifest)
    if version.validation != "passed":
        raise _refused(manifest, f"has the validation {version.validation!r}, not 'passed'")
    if not load:
        registry.require_intact(version)
    elif not registry.reproduces_example(version, registry.load(version)):
        raise _refused(manifest, "gives other probabilities for its stored example than when it was trained")
    # Both are None for versions that are older than this digest.
    if (manifest.records_digest, version.records_digest) != (None, None):
        actual = registry.records_digest(version)
        if manifest.records_digest != actual:
            declared = f"{manifest.records_digest[:12]}…" if manifest.records_digest else "none"
            raise _refused(
                manifest,
                f"has the digest {actual[:12]}… over its baseline, example and times, but {declared} was reviewed",
            )


def require_declared(version: ModelVersion, manifest: Manifest) -> None:
    """Make sure that a version has the run, digest and data that git declares, whatever MLflow's tags say now.

    Raises:
        RegistryError: it has others.
    """
    for what, declared, actual in (
        ("run", manifest.run_id, version.run_id),
        ("digest", manifest.digest, version.digest),
        ("data digest", manifest.data_digest, version.data_digest),
    ):
        if declared != actual:
            raise _refused(manifest, f"has the {what} {actual[:12]}…, but {declared[:12]}… was reviewed")


def _refused(manifest: Manifest, reason: str) -> RegistryError:
    return RegistryError(
        f"Version {manifest.version} of {manifest.model} {reason}.",
        why="Git or the registry was changed by hand, and only what was reviewed is promoted.",
        fix=REVERT,
    )


def apply(client: MlflowClient, planned: Plan, as_of: dt.datetime) -> None:
    """Carry out a plan from the current state of the registry; repeated, it writes nothing.

    Safe to interrupt: after a kill at any point exactly one version is in Production (none before the first promotion),
    and the next run completes the promotion.

    Args:
        client: of the store.
        planned: by `plan`.
        as_of: noted as the time of the promotion, but never before that of the last promotion.

    Raises:
        RegistryError: the version was deleted, or another writer undoes every try.
    """
    if planned.version is None:
        return
    for _ in range(TRIES):
        state = observe(client, planned.name)
        steps = steps_to(state, planned.version)
        if not steps:
            return
        with store.reaching(client.tracking_uri, f"asked to promote {planned.name} version {planned.version}"):
            for step in steps:
                _write(
                    client,
                    step,
                    planned.name,
                    str(planned.version),
                    planned.commit,
                    max([as_of, *state.promoted.values()]),
                )
    if steps_to(observe(client, planned.name), planned.version):
        raise RegistryError(
            f"{planned.name} version {planned.version} did not stay in Production after {TRIES} tries.",
            why="Something else moves stages or aliases of this model at the same time.",
            fix="Find out what else promotes this model (only one workflow may), then run mlops promote again.",
        )


def _write(client: MlflowClient, step: Step, name: str, version: str, commit: str, moment: dt.datetime) -> None:
    if step == "stage":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*stages.*", FutureWarning)
            # One transaction: at every instant exactly one version is in Production.
            client.transition_model_version_stage(name, version, PRODUCTION, archive_existing_versions=True)
    elif step == "alias":
        client.set_registered_model_alias(name, ALIAS, version)
    else:
        if commit:
            client.set_model_version_tag(name, version, "promoted_commit", commit)
        client.set_model_version_tag(name, version, "promoted_at", moment.isoformat())
