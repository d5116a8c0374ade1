from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.errors import DataError
from monitoring.axes.axis import CategoricalAxis
from monitoring.counting.holdout import Holdout, holdout_of
from monitoring.drift.outcomes import side_of
from monitoring.tasks.binary import BINARY, SCORE_AXIS

FIRST = dt.date(2013, 1, 1)
DAY = dt.timedelta(days=1)


def test_the_holdout_is_kept_by_day_and_label() -> None:
    """Rows of any order come to their day; the record survives its JSON."""
    dates = [FIRST + DAY, FIRST, FIRST + DAY]
    found = holdout_of(dates, [1, 0, 0], np.array([0.8, 0.25, 0.8]), BINARY)

    assert [FIRST, FIRST + DAY] == [day.date for day in found.days]
    assert BINARY.counted([1, 0], [0.8, 0.8]).tolist() == found.days[1].counts.array.tolist()
    assert (3, None) == (found.rows(BINARY), found.calibration)
    assert found == Holdout.from_json(found.to_json())


def test_the_calibration_is_that_of_all_days() -> None:
    """It is fitted on the holdout as a whole."""
    dates = [FIRST + DAY * (i % 3) for i in range(300)]
    scores = np.linspace(0.01, 0.99, 300)
    found = holdout_of(dates, (scores > 0.6).astype(int), scores, BINARY)

    assert found.calibration is not None
    assert (300, int((scores > 0.6).sum())) == (found.calibration.rows, found.calibration.positives)


def test_scores_make_a_column() -> None:
    """1,000 cells between one for -inf and one for +inf, by day; days without scores are left out; nothing is null."""
    day = BINARY.counted([0, 1, 1], [0.0, 0.5, 1.0])
    found = side_of(SCORE_AXIS, [BINARY.by_score(part) for part in (day, np.zeros((1000, 2), np.int64), day)])

    assert (2, SCORE_AXIS.bins + 2) == found.values.shape
    assert [1, 501, 1000] == np.flatnonzero(found.values[0]).tolist()
    assert 0.0 == found.null_share
    assert [3.0, 3.0] == found.rows.tolist()
    nothing = side_of(SCORE_AXIS, []).values
    assert ((0, 1002), np.int64) == (nothing.shape, nothing.dtype)
    assert (1, 3) == side_of(CategoricalAxis(levels=("a", "b")), [np.array([1, 0])]).values.shape


def test_scores_that_are_no_chances_are_refused() -> None:
    """As everywhere."""
    with pytest.raises(DataError, match="1 of 2 scores of the model are not a probability"):
        holdout_of([FIRST, FIRST], [0, 1], np.array([0.3, 1.2]), BINARY)
