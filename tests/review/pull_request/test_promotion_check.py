from __future__ import annotations

from typing import Any

import pytest

from registry.promotion.checks import Check
from registry.promotion.manifest import Manifest
from review.pull_request import promotion_check
from review.pull_request.body import manifest_for
from review.pull_request.promotion_check import Review, Reviews
from training.gates.validate import Verdict


@pytest.fixture
def proposed(verdict: Verdict) -> Manifest:
    """The manifest of version 4, compared with version 3."""
    return manifest_for(verdict, None, "b5d0" * 10)


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
