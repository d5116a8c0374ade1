"""Scores, labels and versions are read as of a night, and what cannot be one is counted apart."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.model import Columns
from core.errors import DataError
from monitoring.tasks import outcome_columns
from monitoring.tasks.binary import BINARY

NIGHT = dt.datetime(2013, 3, 8, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def read(columns: Columns | None = None, version: str | None = None, **arrays: pa.Array) -> outcome_columns.Scores:
    """The scores of a batch of these columns."""
    names = columns or Columns(id="id", labelled_at=None)
    return outcome_columns.read(pa.RecordBatch.from_pydict(arrays), names, version, NIGHT, BINARY)


def known(found: outcome_columns.Scores) -> list[int | None]:
    """The labels; None where there is none."""
    return [None if np.isnan(label) else int(label) for label in found.labels]


@given(st.floats(0, 1))
def test_a_score_lies_in_its_cell(score: float) -> None:
    """Cell >= k exactly where score >= k / 1000, so that a threshold on cells is one on scores; 1 is in the last."""
    cell = int(outcome_columns.cells_of(np.array([score]))[0][0])

    assert cell / 1000 <= score
    assert score < (cell + 1) / 1000 or (score, cell) == (1.0, 999)


def test_every_threshold_begins_a_cell() -> None:
    """Also those that floating point rounds the wrong way, and the numbers next to them."""
    thresholds = np.arange(1000) / 1000

    assert list(range(1000)) == outcome_columns.cells_of(thresholds)[0].tolist()
    assert list(range(999)) == outcome_columns.cells_of(np.nextafter(thresholds[1:], 0))[0].tolist()


def test_what_is_no_probability_is_unscored() -> None:
    """Null, NaN, infinities and numbers outside [0, 1]."""
    found = read(prediction=pa.array([0.0, 1.0, None, float("nan"), float("inf"), -0.1, 1.1]))

    assert [True, True, *[False] * 5] == found.scored.tolist()
    assert [False, False, *[True] * 5] == found.unscored.tolist()


@pytest.mark.parametrize(
    ("labels", "read_as", "bad"),
    [
        (pa.array([0, 1, None, 2]), [0, 1, None, None], [3]),
        (pa.array([0.0, 1.0, float("nan"), 0.5]), [0, 1, None, None], [3]),
        (pa.array([False, True, None]), [0, 1, None], []),
        (pa.array(["0", "1", None]), [None, None, None], [0, 1]),
        (pa.array([float("inf")]), [None], [0]),
    ],
    ids=str,
)
def test_labels_are_zero_or_one(labels: pa.Array, read_as: list[int | None], bad: list[int]) -> None:
    """Numbers 0 and 1 and booleans; null is no label; everything else, also text, is a bad one."""
    found = read(prediction=pa.array([0.5] * len(labels)), actual=labels)

    assert read_as == known(found)
    assert bad == np.flatnonzero(found.bad).tolist()


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("s"), "text"], ids=str
)
def test_a_label_counts_once_it_is_known(kind: pa.DataType | str) -> None:
    """Up to and with `as_of`; later, or without a time, the row has no label yet, nor a bad one."""
    times = [NIGHT - HOUR, NIGHT, NIGHT + HOUR, None, NIGHT + HOUR]
    column = pa.array([t and t.isoformat() for t in times]) if kind == "text" else pa.array(times, kind)
    found = read(
        Columns(id="id", labelled_at="known"),
        prediction=pa.array([0.5] * 5),
        actual=pa.array([1, 0, 1, 1, 7]),
        known=column,
    )

    assert [1, 0, None, None, None] == known(found)
    assert not found.bad.any()


@pytest.mark.parametrize(
    "values", [pa.array(["yesterday"]), pa.array(["2013-03-01 00:00:00"]), pa.array([1.5])], ids=str
)
def test_times_that_are_none_are_an_error(values: pa.Array) -> None:
    """Text without a zone, other text, and numbers tell no moment: the night cannot go on guessing."""
    with pytest.raises(DataError, match="does not hold times"):
        read(Columns(id="id", labelled_at="known"), prediction=pa.array([0.5]), actual=pa.array([1]), known=values)


@pytest.mark.parametrize(
    "values", [pa.array(["7", "8", None]), pa.array([7, 8, None]), pa.array([7.0, 8.0, None])], ids=str
)
def test_scores_of_other_versions_do_not_count(values: pa.Array) -> None:
    """Neither as scored nor as unscored nor as badly labelled, however the version is written."""
    found = read(
        Columns(id="id", version="model_version"),
        "7",
        prediction=pa.array([0.5, None, None]),
        actual=pa.array([1, 9, 9]),
        model_version=values,
    )

    assert [True, False, False] == found.scored.tolist()
    assert not found.unscored.any()
    assert not found.bad.any()


def test_without_a_version_to_ask_for_all_scores_count() -> None:
    """As for a baseline, or where the table does not tell versions."""
    rows = {"prediction": pa.array([0.5, 0.5]), "model_version": pa.array(["1", "2"])}

    assert read(Columns(id="id", version="model_version"), None, **rows).scored.all()
    assert read(Columns(id="id"), "1", **rows).scored.all()


def test_an_absent_column_is_all_null() -> None:
    """No score: unscored. No label: none. No label time, or no version, where one is configured: nothing is known."""
    bare = read(id=pa.array(["a"]))
    strict = read(
        Columns(id="id", labelled_at="known", version="model_version"),
        "1",
        prediction=pa.array([0.5]),
        actual=pa.array([1]),
    )

    assert ([True], [None]) == (bare.unscored.tolist(), known(bare))
    assert ([False], [None]) == (strict.scored.tolist(), known(strict))
