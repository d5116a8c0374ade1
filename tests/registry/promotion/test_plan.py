from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RegistryError
from registry.promotion.manifest import Manifest
from registry.promotion.plan import REVERT, WRONG_STORE, RegistryState, missing, movement, plan, steps_to

MOMENT = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def declared(version: int, model: str = "flights") -> Manifest:
    """A manifest that declares a version."""
    return Manifest(
        model=model,
        version=version,
        run_id="a" * 32,
        digest="b" * 64,
        data_digest="c" * 64,
        commit="",
        champion=None,
        trained_at=MOMENT,
        data_until=MOMENT,
        metric="f1",
        score=0.5,
        reference=0.5,
        reason="",
    )


def state(*production: int, alias: int | None = None, promoted: dict[int, int] | None = None) -> RegistryState:
    """Versions 1 to 3 of flights, some of them in Production; `promoted` in days after the 4th of March."""
    return RegistryState(
        name="flights",
        versions=dict.fromkeys((1, 2, 3), "READY"),
        production=production,
        alias=alias,
        promoted={version: MOMENT + days * DAY for version, days in (promoted or {}).items()},
    )


CASES = {
    "first": (state(), 1, ("stage", "alias", "tags")),
    "promotion": (state(2, alias=2, promoted={2: 0}), 3, ("stage", "alias", "tags")),
    "rollback": (state(3, alias=3, promoted={2: 0, 3: 1}), 2, ("stage", "alias", "tags")),
    "already right": (state(3, alias=3, promoted={2: 0, 3: 1}), 3, ()),
    "two by hand": (state(2, 3, alias=3, promoted={3: 1}), 3, ("stage", "tags")),
    "stage moved by hand": (state(2, alias=3, promoted={3: 1}), 3, ("stage", "tags")),
    "archived by hand": (state(alias=3, promoted={3: 1}), 3, ("stage", "tags")),
    "alias deleted": (state(3, promoted={3: 1}), 3, ("alias",)),
    "alias moved by hand": (state(3, alias=1, promoted={3: 1}), 3, ("alias",)),
    "killed after the stage": (state(3, alias=2, promoted={2: 0}), 3, ("alias", "tags")),
    "killed before the tags": (state(3, alias=3, promoted={2: 0}), 3, ("tags",)),
    "rollback killed before the tags": (state(2, alias=2, promoted={2: 0, 3: 1}), 2, ("tags",)),
}


@pytest.mark.parametrize(("before", "version", "steps"), CASES.values(), ids=CASES)
def test_only_what_differs_is_planned(before: RegistryState, version: int, steps: tuple[str, ...]) -> None:
    """From every state that people, crashes and other writers leave, the plan is exactly the missing writes."""
    made = plan(before, declared(version), "d" * 40)

    assert steps == made.steps
    assert len(steps) == len(made.sentences)
    assert (version, "d" * 40) == (made.version, made.commit)


def test_a_plan_reads_as_an_answer_to_what_would_you_do() -> None:
    """The sentences name model, versions, and what becomes of the version that leaves."""
    assert (
        "move flights version 3 to Production (version 2 goes to Archived)",
        "point alias production at version 3",
        "note time and commit of the promotion on version 3",
    ) == plan(state(2, alias=2, promoted={2: 0}), declared(3), "").sentences
    assert "move flights version 1 to Production" == plan(state(), declared(1), "").sentences[0]
    assert (
        "keep flights version 3 in Production (versions 1 and 2 go to Archived)"
        == plan(state(1, 2, 3, alias=3, promoted={3: 0}), declared(3), "").sentences[0]
    )


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (2, "move flights version 3 to Production (version 2 goes to Archived)"),
        (3, "keep flights version 3 in Production"),
        (None, "move flights version 3 to Production"),
    ],
)
def test_a_movement_is_told_from_what_was_before(before: int | None, said: str) -> None:
    """What the registry shows by then, the promoted version alone, plays no part."""
    assert said == movement(state(3, alias=3, promoted={3: 1}), before, 3)


def test_nothing_declared_and_nothing_in_service_is_agreement() -> None:
    """Before the first promotion there is nothing to do."""
    assert () == plan(state(), None, "").steps
    assert None is plan(state(), None, "").version


@pytest.mark.parametrize("before", [state(2, alias=2), state(2), state(alias=2)])
def test_an_undeclared_version_is_never_taken_out_of_service(before: RegistryState) -> None:
    """Without a manifest nothing is archived: exit code 5, and what to type to get it back."""
    with pytest.raises(RegistryError) as caught:
        plan(before, None, "")

    assert 5 == caught.value.exit_code
    assert (
        "Version 2 of flights is in Production, but git declares none.\n"
        "Its production.json was deleted or never committed, or it was promoted in MLflow by hand.\n"
        "If git declared it once, restore production.json (git log --oneline -- 'model/*/production.json' shows what "
        "deleted it). If not: docs/rollback.md, 'A version that the template did not promote', says what to do."
    ) == str(caught.value)


def test_a_version_that_is_not_there_is_refused() -> None:
    """A number that the registry does not have plans nothing, and the error says where to look and how to go back."""
    with pytest.raises(RegistryError, match=r"^Version 7 of flights is not in the registry\.") as caught:
        plan(state(2, alias=2), declared(7), "")

    assert (WRONG_STORE, REVERT) == (caught.value.why, caught.value.fix)


@pytest.mark.parametrize(
    ("before", "why", "fix"),
    [
        (state(), "Version 3 is in the registry. Its promotion did not run", "Run mlops promote"),
        (state().model_copy(update={"versions": {1: "READY"}}), "The registry has versions up to 1. It was", "restore"),
        (state().model_copy(update={"versions": {}}), "The registry has no version of it. It was deleted", "Point MLF"),
    ],
)
def test_what_git_declares_and_the_registry_lacks_is_never_a_first_model(
    before: RegistryState, why: str, fix: str
) -> None:
    """Nothing in Production under a manifest is an error that says whether the version is there, and what to do."""
    err = missing(before, declared(3))

    assert "Git declares version 3 of flights, but no version of flights is in Production." == err.what
    assert err.why.startswith(why)
    assert fix in err.fix


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (state(2, alias=2), "Version 2 of flights is in Production."),
        (state(), "No version of flights is in Production."),
        (
            state(2, alias=1),
            "Version 2 of flights is in Production, but the alias production, which services load, names version 1.",
        ),
        (
            state(2, 3),
            "Versions 2 and 3 of flights are in Production, but the alias production, which services load, is missing.",
        ),
    ],
)
def test_a_state_says_what_is_in_production_and_what_is_served(now: RegistryState, sentence: str) -> None:
    """A promotion that ended halfway shows in the sentence."""
    assert sentence == now.sentence


def test_a_version_that_is_not_ready_is_refused() -> None:
    """A version whose files are still on their way, or failed, plans nothing."""
    pending = state(2, alias=2).model_copy(update={"versions": {2: "READY", 3: "PENDING_REGISTRATION"}})

    with pytest.raises(RegistryError, match="status PENDING_REGISTRATION"):
        plan(pending, declared(3), "")


def test_a_manifest_of_another_model_is_refused() -> None:
    """A copied production.json does not promote a version of one model under the name of another."""
    with pytest.raises(RegistryError, match=r"'boats', but model\.toml names 'flights'") as caught:
        plan(state(2, alias=2), declared(2, "boats"), "")

    assert "registry_name was changed, or the file was copied from another model." == caught.value.why
    assert REVERT == caught.value.fix


versions = st.sampled_from([1, 2, 3])
states = st.builds(
    lambda production, alias, promoted: state(*sorted(production), alias=alias, promoted=promoted),
    st.sets(versions),
    st.none() | versions,
    st.dictionaries(versions, st.integers(0, 9)),
)


@given(states, versions)
def test_after_its_steps_nothing_is_left_to_do(before: RegistryState, version: int) -> None:
    """From any state whatsoever, one run of the plan reaches the declared one."""
    steps = steps_to(before, version)
    latest = max([MOMENT, *before.promoted.values()])
    after = before.model_copy(
        update={
            "production": (version,) if "stage" in steps else before.production,
            "alias": version if "alias" in steps else before.alias,
            "promoted": {**before.promoted, **({version: latest} if "tags" in steps else {})},
        }
    )

    assert () == steps_to(after, version)
    assert ((version,), version) == (after.production, after.alias)
