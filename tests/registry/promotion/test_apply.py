from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import RegistryError
from core.records import Record
from registry.promotion import apply, plan
from registry.promotion.manifest import Manifest
from registry.promotion.plan import RegistryState
from registry.registry import Registry
from registry.version import ModelVersion
from training.artifact import model_file

NIGHT = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
COMMIT = "d" * 40
Register = Callable[..., ModelVersion]


class Verdict(Record):
    """As much of a verdict as the registry looks at."""

    passed: bool


@pytest.fixture
def three(registry: Registry) -> Registry:
    """Versions 1 to 3 of flights without files, none of them promoted."""
    registry.client.create_registered_model("flights")
    for number in (1, 2, 3):
        registry.client.create_model_version("flights", f"file:///nowhere/{number}", f"{number:032x}")
    return registry


def declare(this: ModelVersion | int, **change: Any) -> Manifest:
    """A manifest that declares a version as it is."""
    known = this if isinstance(this, ModelVersion) else None
    fields: dict[str, Any] = {
        "model": "flights",
        "version": known.version if known else this,
        "run_id": known.run_id if known else "a" * 32,
        "digest": known.digest if known else "b" * 64,
        "data_digest": known.data_digest if known else "c" * 64,
        "records_digest": known.records_digest if known else None,
        "commit": "",
        "champion": None,
        "trained_at": NIGHT,
        "data_until": NIGHT,
        "metric": "f1",
        "score": 0.5,
        "reference": 0.5,
        "reason": "",
    }
    return Manifest(**{**fields, **change})


def promote(registry: Registry, version: int, as_of: dt.datetime = NIGHT, client: Any = None) -> tuple[str, ...]:
    """Do what `mlops promote` does after its checks."""
    planned = plan.plan(apply.observe(registry.client, "flights"), declare(version), COMMIT)
    apply.apply(client or registry.client, planned, as_of)
    return planned.steps


def seen(registry: Registry) -> RegistryState:
    """What is in Production now."""
    return apply.observe(registry.client, "flights")


def service(registry: Registry) -> tuple[tuple[int, ...], int | None]:
    """The versions in Production, and the one that the alias names."""
    state = seen(registry)
    return state.production, state.alias


def by_hand(registry: Registry, version: int, stage: str) -> None:
    """Somebody clicks in MLflow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        registry.client.transition_model_version_stage("flights", str(version), stage)


def test_promotion_rollback_and_back_are_the_same_call(three: Registry) -> None:
    """Whatever git declares is in Production afterwards, alone, with its alias, and the one before is Archived."""
    for version in (1, 2, 1, 2, 3):
        promote(three, version)
        assert ((version,), version) == service(three)

    stage = {n: three.client.get_model_version("flights", str(n)).current_stage for n in (1, 2, 3)}
    assert {1: "Archived", 2: "Archived", 3: "Production"} == stage


def test_a_promotion_leaves_its_time_and_commit(three: Registry) -> None:
    """The version says when, by the clock that was given, and by which commit it was promoted."""
    promote(three, 2)
    tags = three.client.get_model_version("flights", "2").tags

    assert {"promoted_at": NIGHT.isoformat(), "promoted_commit": COMMIT} == tags


def test_a_second_promotion_writes_nothing(three: Registry) -> None:
    """Where registry and git agree, no write is made, so not even MLflow's time of the last change moves."""
    promote(three, 2)
    before = three.client.get_model_version("flights", "2").last_updated_timestamp
    writes = Crashing(three.client, at=-1)

    assert () == promote(three, 2, NIGHT + dt.timedelta(days=1), writes)
    assert 0 == writes.count
    assert before == three.client.get_model_version("flights", "2").last_updated_timestamp


def test_a_clock_that_goes_back_still_ends(three: Registry) -> None:
    """A replayed night before the last promotion promotes too, and the second time finds nothing to do."""
    promote(three, 3)
    promote(three, 2, NIGHT - dt.timedelta(days=100))

    assert ((2,), 2) == service(three)
    assert () == promote(three, 2)


@pytest.mark.parametrize(
    "hand",
    [
        lambda registry: by_hand(registry, 1, "Production"),
        lambda registry: by_hand(registry, 2, "Archived"),
        lambda registry: registry.client.delete_registered_model_alias("flights", "production"),
        lambda registry: registry.client.set_registered_model_alias("flights", "production", "1"),
    ],
    ids=["a second one in Production", "taken out of Production", "alias deleted", "alias moved"],
)
def test_changes_by_hand_are_repaired(three: Registry, hand: Callable[[Registry], None]) -> None:
    """What somebody clicked in MLflow is planned away, and one promotion repairs it."""
    promote(three, 2)
    hand(three)
    assert () != plan.plan(seen(three), declare(2), COMMIT).steps

    promote(three, 2)
    assert ((2,), 2) == service(three)


class KilledError(Exception):
    """The process died here."""


class Crashing:
    """A client that dies at its nth write, before or after it is made; its reads always work."""

    WRITES = frozenset(
        {
            "transition_model_version_stage",
            "set_registered_model_alias",
            "set_model_version_tag",
            "delete_model_version",
        }
    )

    def __init__(self, client: Any, at: int, *, after: bool = False) -> None:
        self.client = client
        self.at = at
        self.after = after
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name not in self.WRITES:
            return method

        def write(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at and not self.after:
                raise KilledError
            done = method(*args, **kwargs)
            if self.count == self.at:
                raise KilledError
            return done

        return write


def kills() -> Iterator[tuple[int, bool]]:
    """Before and after each of the four writes of a promotion."""
    return ((at, after) for at in (1, 2, 3, 4) for after in (False, True))


@pytest.mark.parametrize(("at", "after"), list(kills()))
@pytest.mark.parametrize(("first", "then"), [(2, 3), (3, 2)], ids=["promotion", "rollback"])
def test_a_promotion_that_is_killed_anywhere_is_ended_by_the_next(
    three: Registry, first: int, then: int, at: int, *, after: bool
) -> None:
    """At the instant of the kill exactly one version is in Production, and the next run reaches what git declares."""
    promote(three, 2, NIGHT)
    promote(three, first, NIGHT + dt.timedelta(days=1))
    with pytest.raises(KilledError):
        promote(three, then, NIGHT + dt.timedelta(days=2), Crashing(three.client, at, after=after))
    assert 1 == len(seen(three).production)

    promote(three, then, NIGHT + dt.timedelta(days=3))
    assert ((then,), then) == service(three)
    assert () == plan.plan(seen(three), declare(then), COMMIT).steps
    promoted = seen(three).promoted
    assert max(promoted.values()) == promoted[then]


class Fighting(Crashing):
    """A client beside which somebody else undoes every promotion at once."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name != "set_registered_model_alias":
            return method

        def write(*args: Any) -> None:
            self.count += 1
            self.client.delete_registered_model_alias(*args[:2])

        return write


def test_another_writer_is_noticed(three: Registry) -> None:
    """What does not stay as it was written ends with exit code 5 after three tries, and is not reported as done."""
    promote(three, 2)
    fighting = Fighting(three.client, 0)

    with pytest.raises(RegistryError, match="did not stay in Production after 3 tries") as caught:
        promote(three, 3, client=fighting)
    assert (5, 3) == (caught.value.exit_code, fighting.count)


def test_a_version_that_goes_away_meanwhile_moves_nothing(three: Registry) -> None:
    """Between plan and apply somebody deletes the version: refused, and Production is as it was."""
    promote(three, 2)
    planned = plan.plan(seen(three), declare(3), COMMIT)
    three.client.delete_model_version("flights", "3")

    with pytest.raises(RegistryError, match="Version 3 of flights is not in the registry"):
        apply.apply(three.client, planned, NIGHT)
    assert ((2,), 2) == service(three)


def test_a_model_that_nobody_registered_has_nothing(registry: Registry) -> None:
    """An unknown name is an empty state, and declaring a version of it is refused."""
    assert RegistryState(name="flights", versions={}, production=(), alias=None, promoted={}) == seen(registry)
    with pytest.raises(RegistryError, match="is not in the registry"):
        promote(registry, 1)


@pytest.fixture
def reviewed(registry: Registry, register: Register) -> ModelVersion:
    """A version with files that passed its validation."""
    version = register(1)
    registry.mark("flights", version.version, Verdict(passed=True))
    return version


def test_what_was_reviewed_is_accepted(registry: Registry, reviewed: ModelVersion) -> None:
    """A version that is as its manifest says, passed, and works, may be promoted; to look at it moves nothing."""
    apply.verify(registry, declare(reviewed))

    assert registry.champion("flights") is None


CHANGED = {
    "no such version": ({"version": 9}, "Version 9 of flights is not in the registry"),
    "no such model": ({"model": "boats"}, "Version 1 of boats is not in the registry"),
    "another run": ({"run_id": "0" * 32}, "has the run"),
    "another digest": ({"digest": "0" * 64}, "has the digest"),
    "other data": ({"data_digest": "0" * 64}, "has the data digest"),
}


@pytest.mark.parametrize(("change", "said"), CHANGED.values(), ids=CHANGED)
def test_a_manifest_that_says_otherwise_is_refused(
    registry: Registry, reviewed: ModelVersion, change: dict[str, Any], said: str
) -> None:
    """Version, run, digest and data of the manifest must all be those of the registry; the error names which."""
    with pytest.raises(RegistryError, match=said) as caught:
        apply.verify(registry, declare(reviewed, **change))
    assert 5 == caught.value.exit_code


def _blocked(registry: Registry, _: ModelVersion) -> None:
    registry.mark("flights", 1, Verdict(passed=False))


def _not_validated(registry: Registry, _: ModelVersion) -> None:
    registry.client.set_model_version_tag("flights", "1", "validation", "none")


def _without_tag(registry: Registry, _: ModelVersion) -> None:
    registry.client.delete_model_version_tag("flights", "1", "validation")


def _deleted(registry: Registry, _: ModelVersion) -> None:
    registry.client.delete_model_version("flights", "1")


def _changed_file(registry: Registry, version: ModelVersion) -> None:
    (model_folder(registry, version) / "requirements.txt").write_text("numpy\n")


def _pickle(registry: Registry, version: ModelVersion) -> None:
    folder = model_folder(registry, version)
    (folder / "model.pkl").write_bytes(b"\x80\x04.")
    registry.client.set_model_version_tag("flights", "1", "digest", model_file.tree_digest(folder))


SPOILED = {
    "blocked": (_blocked, "has the validation 'blocked'"),
    "not validated": (_not_validated, "has the validation 'none'"),
    "tag deleted": (_without_tag, "its tags were changed"),
    "deleted": (_deleted, "is not in the registry"),
    "file changed": (_changed_file, "files have the digest"),
    "pickle added": (_pickle, "files that a training does not write"),
}


def model_folder(registry: Registry, version: ModelVersion) -> Any:
    """Where the files of a version lie."""
    source = registry.client.get_model_version("flights", str(version.version)).source
    return registry.artifacts / source.split("/artifacts/", 1)[1]


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED)
def test_a_version_that_was_changed_is_refused(
    registry: Registry, reviewed: ModelVersion, spoil: Callable[[Registry, ModelVersion], None], said: str
) -> None:
    """What is not as it was reviewed is refused with exit code 5, and nothing was moved."""
    spoil(registry, reviewed)
    found = registry.versions("flights").get(1, reviewed)

    with pytest.raises(RegistryError, match=said) as caught:
        apply.verify(registry, declare(found))
    assert 5 == caught.value.exit_code
    assert ((), None) == service(registry)


def test_a_model_that_says_something_else_is_refused(
    registry: Registry, register: Register, reviewed: ModelVersion, small_model: Any
) -> None:
    """Files with a good digest that do not say what was said at the training are refused."""
    from sklearn.base import clone

    from tests.conftest import small_rows

    other = register(2, clone(small_model).fit(small_rows(), [1, 1, 1, 0, 0, 0, 1, 0]))
    registry.mark("flights", 2, Verdict(passed=True))
    example = registry.artifacts / "flights" / reviewed.run_id / "artifacts" / "example.json"
    swapped = registry.artifacts / "flights" / other.run_id / "artifacts" / "example.json"
    swapped.write_bytes(example.read_bytes())

    with pytest.raises(RegistryError, match="gives other probabilities"):
        apply.verify(registry, declare(other))
