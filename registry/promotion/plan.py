"""The plan that makes the registry agree with git: from its state and the manifest to a list of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime

from core.errors import RegistryError
from core.records import Record
from registry import ALIAS, BY_HAND, PRODUCTION

if TYPE_CHECKING:
    from registry.promotion.manifest import Manifest

READY = "READY"
WRONG_STORE = "It was deleted in MLflow, or MLFLOW_TRACKING_URI names another store than the training used."
REVERT = "Revert the commit that changed production.json, or train again and merge the new proposal."
Step = Literal["stage", "alias", "tags"]


class RegistryState(Record):
    """The state of one registered model.

    `versions`: status by number. `production`: the versions in Production. `alias`: the version with the alias
    `production`. `promoted`: when each version was last promoted, for those that were.
    """

    name: str
    versions: dict[int, str]
    production: tuple[int, ...]
    alias: int | None
    promoted: dict[int, AwareDatetime]

    @property
    def sentence(self) -> str:
        """Return what is in Production, and what services load if that is something else, as a sentence."""
        numbers = " and ".join(map(str, self.production))
        noun, verb = ("Versions", "are") if len(self.production) > 1 else ("Version", "is")
        stage = (
            f"{noun} {numbers} of {self.name} {verb} in {PRODUCTION}"
            if numbers
            else f"No version of {self.name} is in {PRODUCTION}"
        )
        if self.production == (() if self.alias is None else (self.alias,)):
            return f"{stage}."
        served = f"names version {self.alias}" if self.alias is not None else "is missing"
        return f"{stage}, but the alias {ALIAS}, which services load, {served}."


class Plan(Record):
    """The writes that make the registry agree with git, in order; none if it agrees.

    `version`: the declared version, None if git declares none. `commit`: of the repository; it is noted on the version.
    `sentences`: the steps as text that follows "would".
    """

    name: str
    version: int | None
    commit: str
    steps: tuple[Step, ...]
    sentences: tuple[str, ...]


def plan(state: RegistryState, manifest: Manifest | None, commit: str) -> Plan:
    """Return the writes that turn `state` into what `manifest` declares. Nothing is read or written here.

    Raises:
        RegistryError: the declared version does not exist or is not ready; or git declares nothing while a version is
            in Production, which is never a reason to take it out of service.
    """
    if manifest is None:
        if state.production or state.alias is not None:
            version = state.alias if state.alias is not None else state.production[0]
            raise RegistryError(
                f"Version {version} of {state.name} is in Production, but git declares none.",
                why="Its production.json was deleted or never committed, or it was promoted in MLflow by hand.",
                fix="If git declared it once, restore production.json (git log --oneline -- 'model/*/production.json' "
                f"shows what deleted it). If not: {BY_HAND}",
            )
        return Plan(name=state.name, version=None, commit=commit, steps=(), sentences=())
    if manifest.model != state.name:
        raise RegistryError(
            f"production.json declares a version of {manifest.model!r}, but model.toml names {state.name!r}.",
            why="registry_name was changed, or the file was copied from another model.",
            fix=REVERT,
        )
    steps = steps_to(state, manifest.version)
    sentences = tuple(_sentence(step, state, manifest.version) for step in steps)
    return Plan(name=state.name, version=manifest.version, commit=commit, steps=steps, sentences=sentences)


def missing(state: RegistryState, manifest: Manifest) -> RegistryError:
    """Return the error for a registry that has nothing in Production, although git declares a version."""
    number = manifest.version
    if state.versions.get(number) == READY:
        why = f"Version {number} is in the registry. Its promotion did not run or did not end, or a person archived it."
        fix = "Run mlops promote (on GitHub: Actions > promote > Run workflow)."
    else:
        numbers = ", ".join(map(str, sorted(state.versions)[-3:]))
        has = f"versions up to {numbers}" if numbers else "no version of it"
        why = f"The registry has {has}. {WRONG_STORE}"
        fix = (
            "Point MLFLOW_TRACKING_URI at the store of the training, or restore that store. If the version is lost, "
            f"delete production.json of {state.name} in git: then the next nightly run trains a first model."
        )
    return RegistryError(
        f"Git declares version {number} of {manifest.model}, but no version of {state.name} is in Production.",
        why=why,
        fix=fix,
    )


def require_ready(name: str, version: int, status: str | None) -> None:
    """Make sure that a version exists (`status` is None if it does not) and is ready.

    Raises:
        RegistryError: it does not exist, or is not ready.
    """
    if status != READY:
        raise RegistryError(
            f"Version {version} of {name} "
            + ("is not in the registry." if status is None else f"has the status {status}, not {READY}."),
            why=WRONG_STORE,
            fix=REVERT,
        )


def steps_to(state: RegistryState, version: int) -> tuple[Step, ...]:
    """Return the missing writes until `version`, and no other version, is in Production.

    Raises:
        RegistryError: it does not exist, or is not ready.
    """
    require_ready(state.name, version, state.versions.get(version))
    steps: list[Step] = []
    if state.production != (version,):
        steps.append("stage")
    if state.alias != version:
        steps.append("alias")
    # After a crash between stage and tags, the version that left Production has the later time.
    if "stage" in steps or version not in state.promoted or max(state.promoted.values()) > state.promoted[version]:
        steps.append("tags")
    return tuple(steps)


def movement(state: RegistryState, before: int | None, version: int) -> str:
    """Return how Production moved from `before` to `version`, as text, also if the registry no longer shows it."""
    return _sentence("stage", state.model_copy(update={"production": (before,) if before else ()}), version)


def _sentence(step: Step, state: RegistryState, version: int) -> str:
    if step == "alias":
        return f"point alias {ALIAS} at version {version}"
    if step == "tags":
        return f"note time and commit of the promotion on version {version}"
    others = [str(other) for other in state.production if other != version]
    noun = "version" if len(others) == 1 else "versions"
    leaving = f" ({noun} {' and '.join(others)} {'goes' if len(others) == 1 else 'go'} to Archived)" if others else ""
    verb = "keep" if version in state.production else "move"
    return f"{verb} {state.name} version {version} {'in' if verb == 'keep' else 'to'} {PRODUCTION}{leaving}"
