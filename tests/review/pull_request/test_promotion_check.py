from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from registry.promotion.manifest import Manifest
from registry.version import ModelVersion
from review.pull_request import promotion_check
from review.pull_request.body import manifest_for
from review.pull_request.promotion_check import Check, Review, Reviews
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
        """A version never promoted, the one in service, or none at all is no rollback."""
        moment = proposed.trained_at

        assert promotion_check.is_rollback(version(2, moment, moment), 3)
        assert not promotion_check.is_rollback(version(2, moment), 3)
        assert not promotion_check.is_rollback(version(3, moment, moment), 3)
        assert not promotion_check.is_rollback(None, 3)


class TestChampion:
    """The comparison must be with what is in Production now."""

    @pytest.mark.parametrize(
        ("compared", "production", "rollback", "state", "sentence"),
        [
            (3, 3, False, "passes", "The candidate was compared with version 3, which is in Production now."),
            (None, None, False, "passes", "No version is in Production now."),
            (3, 4, False, "passes", "Version 4 is in Production already."),
            (3, 5, True, "passes", "Version 4 was in Production before. This is a rollback, so nothing is compared."),
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
        rollback: bool,
        state: str,
        sentence: str,
    ) -> None:
        """Every pair of what was compared and what is in Production has its state and its sentence."""
        manifest = proposed.model_copy(update={"champion": compared})
        check = promotion_check.champion(manifest, production, rollback=rollback)

        assert state == check.state
        assert check.sentence.startswith(sentence)


class TestNewer:
    """A promotion brings a later model."""

    def test_an_older_training_blocks(self, proposed: Manifest) -> None:
        """A version trained before the one in service, and never promoted, blocks; as a rollback it does not."""
        current = version(5, proposed.trained_at + dt.timedelta(days=1))
        check = promotion_check.newer(proposed, current, rollback=False)

        assert check is not None
        assert "blocks" == check.state
        assert (
            "Stale: version 4 was trained on 2013-06-01, not after version 5 (2013-06-02), which is in Production. It "
            "was never in Production itself." == check.sentence
        )
        assert promotion_check.newer(proposed, current, rollback=True) is None

    def test_the_same_night_is_not_newer(self, proposed: Manifest) -> None:
        """Two trainings of one instant: the second does not follow the first."""
        assert promotion_check.newer(proposed, version(5, proposed.trained_at), rollback=False) is not None

    def test_a_later_training_has_nothing_against_it(self, proposed: Manifest) -> None:
        """A later training, the version itself, and an empty Production pass."""
        earlier = proposed.trained_at - dt.timedelta(days=1)

        assert promotion_check.newer(proposed, version(3, earlier), rollback=False) is None
        assert promotion_check.newer(proposed, version(4, proposed.trained_at), rollback=False) is None
        assert promotion_check.newer(proposed, None, rollback=False) is None


class TestEvidence:
    """The manifest against the verdict that MLflow keeps."""

    def test_what_was_validated_passes(self, proposed: Manifest, verdict: Verdict) -> None:
        """A manifest as propose wrote it agrees."""
        check = promotion_check.evidence(proposed, verdict, rollback=False)

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
        check = promotion_check.evidence(proposed.model_copy(update={field: value}), verdict, rollback=False)

        assert "blocks" == check.state
        assert f"{field} is {value}, not " in check.sentence
        assert check.sentence.endswith("It was edited by hand.")

    def test_a_rollback_is_not_held_against_a_later_validation(self, proposed: Manifest, verdict: Verdict) -> None:
        """Validated again since, against another champion: that blocks a promotion, not a way back."""
        later = verdict.model_copy(update={"champion": 7})

        assert "passes" == promotion_check.evidence(proposed, later, rollback=True).state
        assert "blocks" == promotion_check.evidence(proposed, later, rollback=False).state

    def test_no_verdict_or_a_refusal_blocks(self, proposed: Manifest, make_verdict: Callable[..., Verdict]) -> None:
        """A version that was never validated, or that was refused, must not be declared; also not as a rollback."""
        for rollback in (True, False):
            none = promotion_check.evidence(proposed, None, rollback=rollback)
            refused = promotion_check.evidence(proposed, make_verdict(passed=False), rollback=rollback)
            assert ("blocks", "blocks") == (none.state, refused.state)
            assert "MLflow has no verdict of version 4: it was never validated, or was deleted." == none.sentence
            assert "Its verdict in MLflow says that the gates refused version 4." == refused.sentence


class TestReference:
    """The score that the performance trigger measures against."""

    @pytest.mark.parametrize(
        ("before", "rollback", "state", "sentence"),
        [
            ({"reference": 0.6}, False, "passes", "The reference score rises from 0.600 to 0.655."),
            (
                {"reference": 0.7},
                False,
                "note",
                (
                    "The reference score falls from 0.700 to 0.655: later versions scored lower. The performance "
                    "trigger fires later."
                ),
            ),
            ({"reference": 0.7}, True, "note", "The reference score falls from 0.700 to 0.655, its value before."),
            ({"metric": "roc_auc"}, False, "note", "The reference is now measured in balanced accuracy: 0.655."),
        ],
    )
    def test_a_change_is_told(
        self, proposed: Manifest, before: dict[str, Any], rollback: bool, state: str, sentence: str
    ) -> None:
        """A rise passes; a fall and another metric are noted, for a reviewer to see."""
        check = promotion_check.reference(proposed, proposed.model_copy(update=before), rollback=rollback)

        assert Check(name="reference", state=state, sentence=sentence) == check

    def test_no_change_is_not_told(self, proposed: Manifest) -> None:
        """The first manifest, and one with the same reference, have nothing to say."""
        assert promotion_check.reference(proposed, None, rollback=False) is None
        assert promotion_check.reference(proposed, proposed, rollback=False) is None


class TestText:
    """What stands in the comment and in the summary."""

    def test_a_block_is_seen_first_and_hides_what_merging_does(self) -> None:
        """The heading says that it must not be merged; each check has its row; no plan is shown."""
        check = Check(name="digest", state="blocks", sentence="It differs | @all <b>")
        review = Review(model="flights", rollback=False, version=4, checks=(check,), steps=("move 4",))
        text = promotion_check.text(Reviews(reviews=(review,)), "https://github.com/a/b/actions/runs/7")

        assert text.startswith("### ⛔ `flights`: this promotion to version 4 must not be merged")
        assert "| ⛔\u00a0digest | It differs \\| \\@\u200ball \\<b\\> |" in text
        assert "Merging" not in text
        assert text.endswith("[workflow run](https://github.com/a/b/actions/runs/7)")

    def test_a_sound_rollback_says_what_merging_does(self) -> None:
        """It is called a rollback, and its steps are told."""
        steps = ("move flights version 2 to Production", "set the alias")
        review = Review(model="flights", rollback=True, version=2, checks=(), steps=steps)
        text = promotion_check.text(Reviews(reviews=(review,)))

        assert text.startswith("### ✅ `flights`: this rollback to version 2 may be merged")
        assert "**Merging** will move flights version 2 to Production; set the alias." in text

    @pytest.mark.parametrize(
        "review",
        [promotion_check.removed("flights"), promotion_check.unreadable("flights", "production.json is not JSON.")],
    )
    def test_no_manifest_and_a_broken_one_block(self, review: Review) -> None:
        """A pull request that deletes or breaks the manifest must not be merged, whatever else it changes."""
        sound = Review(model="other", rollback=False, version=1, checks=(), steps=())

        assert not Reviews(reviews=(sound, review)).passed
        assert "must not be merged" in promotion_check.text(Reviews(reviews=(sound, review)))

    def test_nothing_to_review_is_said(self) -> None:
        """A pull request without a manifest is no promotion."""
        assert Reviews(reviews=()).passed
        assert "This pull request changes no production.json, so merging it promotes nothing." == promotion_check.text(
            Reviews(reviews=())
        )
        assert ["no manifest changes"] == list(promotion_check.lines(Reviews(reviews=())))
