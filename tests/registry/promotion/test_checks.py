"""The checks that a pull request and `mlops promote` share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from core.errors import RegistryError
from registry.promotion import checks
from registry.promotion.checks import Check
from registry.promotion.manifest import Manifest
from registry.promotion.plan import RegistryState
from registry.version import ModelVersion
from review.pull_request.body import manifest_for
from training.gates.validate import Verdict


@pytest.fixture
def proposed(verdict: Verdict) -> Manifest:
    """The manifest of version 4, compared with version 3."""
    return manifest_for(verdict, None, "b5d0" * 10)


def version(number: int, trained_at: dt.datetime, promoted_at: dt.datetime | None = None) -> ModelVersion:
    """A version of the registry."""
    return ModelVersion(
        name="flights",
        version=number,
        run_id="r" * 32,
        digest="a" * 64,
        data_digest="b" * 64,
        validation="passed",
        trained_at=trained_at,
        data_until=trained_at,
        fit_until=trained_at,
        training_key="c" * 64,
        stage="Archived",
        promoted_at=promoted_at,
    )


class TestRollback:
    """A version that was in Production before, and is not now."""

    def test_only_what_was_promoted_can_come_back(self, proposed: Manifest) -> None:
        """A version never promoted, the one in service, a newer one that comes back, or none at all is no rollback."""
        moment = proposed.trained_at

        assert checks.is_rollback(version(2, moment, moment), 3)
        assert not checks.is_rollback(version(2, moment), 3)
        assert not checks.is_rollback(version(3, moment, moment), 3)
        assert not checks.is_rollback(None, 3)
        assert not checks.is_rollback(version(4, moment, moment), 3)


class TestChampion:
    """The comparison must be with what is in Production now."""

    @pytest.mark.parametrize(
        ("compared", "production", "returning", "state", "sentence"),
        [
            (3, 3, False, "passes", "The candidate was compared with version 3, which is in Production now."),
            (None, None, False, "passes", "No version is in Production now."),
            (3, 4, False, "passes", "Version 4 is in Production already."),
            (3, 5, True, "passes", "Version 4 was in Production before, so nothing is compared."),
            (
                3,
                5,
                False,
                "blocks",
                "Stale: the candidate was compared with version 3, but version 5 is in Production now.",
            ),
            (
                3,
                None,
                False,
                "blocks",
                "Stale: the candidate was compared with version 3, but no version is in Production now.",
            ),
            (
                None,
                1,
                False,
                "blocks",
                "Stale: the candidate was compared with no version, but version 1 is in Production now.",
            ),
        ],
    )
    def test_it_is_stale_when_production_moved(
        self,
        proposed: Manifest,
        compared: int | None,
        production: int | None,
        returning: bool,
        state: str,
        sentence: str,
    ) -> None:
        """Every pair of what was compared and what is in Production has its state and its sentence."""
        manifest = proposed.model_copy(update={"champion": compared})
        check = checks.champion(manifest, production, returning=returning)

        assert state == check.state
        assert check.sentence.startswith(sentence)


class TestNewer:
    """A promotion brings a later model."""

    def test_an_older_training_blocks(self, proposed: Manifest) -> None:
        """A version trained before the one in service, and never promoted, blocks; as a rollback it does not."""
        current = version(5, proposed.trained_at + dt.timedelta(days=1))
        check = checks.newer(proposed, current, returning=False)

        assert check is not None
        assert "blocks" == check.state
        assert (
            "Stale: version 4 was trained on 2013-06-01, not after version 5 (2013-06-02), which is in Production. It "
            "was never in Production itself." == check.sentence
        )
        assert checks.newer(proposed, current, returning=True) is None

    def test_the_same_night_is_not_newer(self, proposed: Manifest) -> None:
        """Two trainings of one instant: the second does not follow the first."""
        assert checks.newer(proposed, version(5, proposed.trained_at), returning=False) is not None

    def test_a_later_training_has_nothing_against_it(self, proposed: Manifest) -> None:
        """A later training, the version itself, and an empty Production pass."""
        earlier = proposed.trained_at - dt.timedelta(days=1)

        assert checks.newer(proposed, version(3, earlier), returning=False) is None
        assert checks.newer(proposed, version(4, proposed.trained_at), returning=False) is None
        assert checks.newer(proposed, None, returning=False) is None


class TestEvidence:
    """The manifest against the verdict that MLflow keeps."""

    def test_what_was_validated_passes(self, proposed: Manifest, verdict: Verdict) -> None:
        """A manifest as propose wrote it agrees."""
        check = checks.evidence(proposed, verdict, returning=False)

        assert Check(name="evidence", state="passes", sentence="The manifest matches the verdict in MLflow.") == check

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("model", "other"),
            ("version", 5),
            ("run_id", "0" * 32),
            ("digest", "0" * 64),
            ("data_digest", "0" * 64),
            ("trained_at", dt.datetime(2014, 1, 1, tzinfo=dt.UTC)),
            ("data_until", dt.datetime(2014, 1, 1, tzinfo=dt.UTC)),
            ("champion", 2),
            ("metric", "roc_auc"),
            ("score", 0.99),
        ],
    )
    def test_each_field_that_was_edited_blocks(
        self, proposed: Manifest, verdict: Verdict, field: str, value: object
    ) -> None:
        """Whatever is changed by hand is named, with what it is and what was validated."""
        check = checks.evidence(proposed.model_copy(update={field: value}), verdict, returning=False)

        assert "blocks" == check.state
        assert f"{field} is {value}, not " in check.sentence
        assert check.sentence.endswith("It was edited by hand.")

    def test_a_rollback_is_not_held_against_a_later_validation(self, proposed: Manifest, verdict: Verdict) -> None:
        """Validated again since, against another champion: that blocks a promotion, not a way back."""
        later = verdict.model_copy(update={"champion": 7})

        assert "note" == checks.evidence(proposed, later, returning=True).state
        assert "blocks" == checks.evidence(proposed, later, returning=False).state

    def test_no_verdict_or_a_refusal_blocks(self, proposed: Manifest, make_verdict: Callable[..., Verdict]) -> None:
        """A version that was never validated, or that was refused, must not be declared; also not as a rollback."""
        for returning in (True, False):
            none = checks.evidence(proposed, None, returning=returning)
            refused = checks.evidence(proposed, make_verdict(passed=False), returning=returning)
            assert ("blocks", "blocks") == (none.state, refused.state)
            assert "MLflow has no verdict of version 4: it was never validated, or was deleted." == none.sentence
            assert "Its verdict in MLflow says that the gates refused version 4." == refused.sentence


def state(*production: int, promoted: tuple[int, ...] = ()) -> RegistryState:
    """Versions 1 to 4, some of them in Production, and some promoted one day after the other."""
    moment = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
    return RegistryState(
        name="flights",
        versions=dict.fromkeys((1, 2, 3, 4), "READY"),
        production=production,
        alias=None,
        promoted={number: moment + dt.timedelta(days=day) for day, number in enumerate(promoted)},
    )


@pytest.mark.parametrize(
    ("now", "compared"),
    [
        (state(3), 3),
        (state(4), 4),
        (state(), None),
        (state(promoted=(1, 3)), 3),
        (state(3, 4), 4),
        (state(1, 3), 3),
        (state(1, 2), 1),
    ],
)
def test_a_comparison_is_held_against_what_is_or_was_last_in_production(
    proposed: Manifest, now: RegistryState, compared: int | None
) -> None:
    """An archived champion and two versions at once, both made by hand, do not make a promotion stale."""
    assert compared == checks.in_production(now, proposed)


@pytest.mark.parametrize(
    "change", [{"score": 0.99}, {"champion": 2}, {"data_until": dt.datetime(2014, 1, 1, tzinfo=dt.UTC)}]
)
def test_what_is_red_in_the_pull_request_does_not_move_production(
    proposed: Manifest,
    verdict: Verdict,
    change: dict[str, object],
) -> None:
    """One list of checks: merged over a red check, promote refuses with the same sentence."""
    versions = {number: version(number, proposed.trained_at - (4 - number) * dt.timedelta(days=1)) for number in (3, 4)}
    edited = proposed.model_copy(update=change)
    results = checks.checks(edited, versions, verdict, state(3, promoted=(3,)))
    red = [check.sentence for check in results if check.state == "blocks"]

    with pytest.raises(RegistryError) as caught:
        checks.require(results)
    assert red[0] == caught.value.what
    checks.require(checks.checks(proposed, versions, verdict, state(3, promoted=(3,))))
