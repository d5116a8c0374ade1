from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pytest

from monitoring.counting.holdout import holdout_of
from monitoring.drift import ColumnDamage
from monitoring.performance.estimate import Estimate
from monitoring.tasks.binary import BINARY
from monitoring.tasks.calibration import Calibration
from monitoring.triggers.early_warnings import EARLY_WARNINGS, damage, estimate, score, watch_all
from tests.monitoring.triggers.test_rules import CALM, column, evidence, moved, scored

DAY = dt.timedelta(days=1)
HOLDOUT = holdout_of([dt.date(2013, 1, 1)], [1], np.array([0.3]), BINARY)


def expected(**other: Any) -> Estimate:
    """An estimate of 0.87 on last week's rows, and of 0.9 where labels are known; the limit is 0.85."""
    values: dict[str, Any] = {
        "metric": "accuracy",
        "start": dt.date(2013, 3, 5),
        "end": dt.date(2013, 3, 12),
        "rows": 1500,
        "value": 0.87,
        "others": {},
        "matured": 0.9,
        "calibration": Calibration(slope=1.0, intercept=0.0, rows=100, positives=50),
    }
    return Estimate(**{**values, **other})


def seen(made: Estimate | None = None, **other: Any) -> Any:
    """What the watches see, with a report of performance whose bounds are 0.89 and 0.91."""
    shown = evidence(performance=scored(low=0.89, high=0.91), drift=moved([CALM]))
    return dataclasses.replace(shown, **{"holdout": HOLDOUT, "estimate": made, **other})


def test_the_estimate_stands_beside_what_labels_say() -> None:
    """Quiet over the limit; the sentence has rows, days, limit, and both numbers where labels are known."""
    reading = estimate(seen(expected()))

    assert ("estimate", "quiet", 0.87, 0.85) == (reading.trigger, reading.state, reading.value, reading.limit)
    assert (
        "Accuracy is estimated at 0.870 on 1,500 rows from 5 Mar to 11 Mar 2013, if scores are still calibrated as on "
        "the holdout; limit 0.850. On the 1,312 labels up to 2 Mar the estimate is 0.900 and the score is 0.900."
        == reading.sentence
    )


def test_an_estimate_under_the_limit_warns() -> None:
    """It never fires."""
    assert "warns" == estimate(seen(expected(value=0.849))).state
    assert "quiet" == estimate(seen(expected(value=0.85))).state


@pytest.mark.parametrize(("matured", "said"), [(0.92, "too high"), (0.88, "too low"), (0.9, None), (0.91, None)])
def test_an_estimate_that_labels_refute_says_so(matured: float, said: str | None) -> None:
    """If it is outside the bounds of the score by labels, scores are no longer calibrated."""
    sentence = estimate(seen(expected(matured=matured))).sentence

    assert (said is not None) == ("no longer calibrated" in sentence)
    assert said is None or said in sentence


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (seen(expected(), holdout=None), "an older release trained it"),
        (seen(None), "The holdout has 1 rows, fewer than 20 of one label"),
        (seen(expected(value=None)), "Accuracy is undefined on 1,500 scored rows from 5 Mar to 11 Mar 2013."),
        (seen(expected(rows=99)), "Only 99 rows from 5 Mar to 11 Mar 2013 are scored; 100 are needed."),
        (seen(expected(), performance=None), "were not counted"),
    ],
)
def test_the_estimate_says_what_is_missing(shown: Any, said: str) -> None:
    """Cannot judge, without a value."""
    reading = estimate(shown)

    assert ("cannot_judge", None) == (reading.state, reading.value)
    assert said in reading.sentence


@pytest.mark.parametrize(
    ("effect", "drifted", "state", "said"),
    [
        (0.12, True, "warns", "0.120 (threshold 0.050), more than days usually differ."),
        (0.12, False, "quiet", "0.120 (threshold 0.050), no more than days usually differ."),
        (0.04, False, "quiet", "0.040 (threshold 0.050)."),
    ],
)
def test_scores_that_moved_warn(effect: float, drifted: bool, state: str, said: str) -> None:
    """With their distance, and why it matters or not."""
    found = moved([CALM]).model_copy(update={"score": column("score", effect, drifted=drifted)})
    shown = evidence(drift=found, settings={"drift": {"min_effect": 0.05}})
    reading = score(dataclasses.replace(shown, holdout=HOLDOUT))

    assert ("score", state, effect, 0.05) == (reading.trigger, reading.state, reading.value, reading.limit)
    start = "The scores of 1,400 rows from 5 Mar to 11 Mar 2013 differ from the holdout scores by"
    assert f"{start} {said}" == reading.sentence


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (seen(holdout=None), "an older release trained it"),
        (seen(drift=None), "no baseline"),
        (seen(drift=moved([CALM])), "were scored by version 3"),
    ],
)
def test_the_score_says_what_is_missing(shown: Any, said: str) -> None:
    """Cannot judge, without a value."""
    reading = score(shown)

    assert ("cannot_judge", None) == (reading.state, reading.value)
    assert said in reading.sentence


def damage_of(**values: Any) -> ColumnDamage:
    """Return nulls in 3.1% of `wind`, at most 0.1% before."""
    known = {"column": "wind", "kind": "null", "value": "", "share": 0.031, "baseline": 0.0002, "largest": 0.001}
    return ColumnDamage(**{**known, "p_value": 1e-9, **values})


def test_damage_names_columns_and_shares() -> None:
    """The sentence has days, column, kind and shares of up to three columns, and how many more there are."""
    others = [
        damage_of(column="fare", kind="out of range"),
        damage_of(column="town", kind="new"),
        damage_of(column="temp", kind="repeated", value="51.8"),
    ]
    reading = damage(seen(drift=moved([CALM]).model_copy(update={"damage": (damage_of(), *others)})))

    shares = "in 3.1% (baseline 0.0%, at most 0.1%)"
    assert ("damage", "warns", 4.0) == (reading.trigger, reading.state, reading.value)
    assert reading.sentence.endswith(
        f": wind is missing {shares}; fare is out of the baseline's range {shares}; "
        f"town is a value that the baseline does not have {shares}; and 1 more."
    )


def test_no_damage_is_quiet_and_an_unknown_one_cannot_be_judged() -> None:
    """An empty report is quiet; without a report, the numbers that are missing are named."""
    quiet = damage(seen(drift=moved([CALM]).model_copy(update={"damage": ()})))
    missing = damage(seen(drift=moved([CALM])))

    assert ("quiet", 0.0) == (quiet.state, quiet.value)
    assert "cannot_judge" == missing.state
    assert "fewer than 8 days in the baseline" in missing.sentence
    assert "cannot_judge" == damage(seen(drift=None)).state


def test_watches_never_fire() -> None:
    """Whatever they see: what rests on assumptions alone trains nothing."""
    outcomes = {name: column(name, 0.9, drifted=True) for name in ("score", "target")}
    nulls = damage_of()
    far = moved([CALM]).model_copy(update={**outcomes, "damage": (nulls,)})
    worst = watch_all(seen(expected(value=0.0), drift=far))

    assert ["warns"] * 4 == [reading.state for reading in worst]
    assert list(EARLY_WARNINGS) == [reading.trigger for reading in worst]
