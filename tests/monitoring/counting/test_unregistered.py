"""Scored rows that name a version which is not registered."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from core.config.model import Columns
from monitoring.counting.unregistered import scored_versions, unregistered_versions

COLUMNS = Columns(id="id", version="version")


def rows(versions: pa.Array, scores: list[float | None] | None = None) -> pa.RecordBatch:
    """Rows with these versions, all scored if no scores are given."""
    return pa.record_batch({"version": versions, "prediction": pa.array(scores or [0.5] * len(versions), pa.float64())})


@pytest.mark.parametrize(
    "versions",
    [pa.array([1.0, 1.0, 2.0]), pa.array(["1.0", "01", " 2"]), pa.array([1, 1, 2]), pa.array(["1", "2", "2"])],
)
def test_equal_numbers_are_equal_versions(versions: pa.Array) -> None:
    """Any spelling of a registered version is that version, so nothing is found."""
    assert unregistered_versions(scored_versions([rows(versions)], COLUMNS), {1, 2}, "version", "own") is None


def test_unknown_versions_are_named_with_their_shares() -> None:
    """The sentence has the share of all scored rows, and the share of each version, the most frequent first."""
    batches = [rows(pa.array(["v1", "v1", "1", None])), rows(pa.array(["v1", "main", "1", None]))]
    finding = unregistered_versions(scored_versions(batches, COLUMNS), {1}, "version", "own")

    assert finding is not None
    assert ("warning", 0.75) == (finding.severity, finding.value)
    assert "not a registered version of own in 75.0% of the scored rows" in finding.sentence
    assert "'v1' 37.5%, no version 25.0%, 'main' 12.5%" in finding.sentence


def test_history_without_scores_is_not_a_finding() -> None:
    """A row without a score needs no version, whether the score is null or NaN."""
    batch = rows(pa.array([None, None, "1"], pa.string()), [None, math.nan, 0.5])

    assert {"1": 1} == scored_versions([batch], COLUMNS)
    assert unregistered_versions(scored_versions([batch], COLUMNS), {1}, "version", "own") is None


def test_scored_rows_without_the_column_name_no_version() -> None:
    """The column is absent in some batches: their scored rows count as rows without a version."""
    batch = rows(pa.array(["1", "1"])).select(["prediction"])

    assert {None: 2} == scored_versions([batch], COLUMNS)
