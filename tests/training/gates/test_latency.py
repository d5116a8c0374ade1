"""The latency gate measures the model, and not the machine or what else runs on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training import scoring_method
from training.gates import latency_p95
from training.gates.latency import REFERENCE_MS, reference_model

ROWS = pd.DataFrame({"a": np.arange(20.0)})


class Timed:
    """A model whose calls advance a clock by given milliseconds, in turn."""

    def __init__(self, clock: Clock, *milliseconds: float) -> None:
        self.clock, self.milliseconds, self.rows = clock, milliseconds, list[int]()

    def predict_proba(self, rows: pd.DataFrame) -> None:
        """Advance the clock, and note the number of rows."""
        self.clock.seconds += self.milliseconds[len(self.rows) % len(self.milliseconds)] / 1000
        self.rows.append(len(rows))


class Clock:
    """Seconds that only models advance."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.seconds


def measure(milliseconds: tuple[float, ...], reference: tuple[float, ...], rows: pd.DataFrame = ROWS) -> float:
    """Return the latency of a model, both given by the milliseconds of their calls."""
    clock = Clock()
    return latency_p95(Timed(clock, *milliseconds), rows, reference=(Timed(clock, *reference), ROWS), clock=clock)


@pytest.mark.parametrize("speed", [0.25, 1.0, 3.0])
def test_the_speed_of_the_machine_does_not_count(speed: float) -> None:
    """A model that takes twice as long as the reference has twice its nominal milliseconds on any machine."""
    assert 2 * REFERENCE_MS == pytest.approx(measure((14 * speed,), (7 * speed,)))


def test_a_slow_call_does_not_count() -> None:
    """The fastest of five calls per row counts, and the median of the reference."""
    assert REFERENCE_MS == pytest.approx(measure((5, 5, 900, 5, 5, 5), (5, 5, 5, 900)))


def test_the_slowest_rows_decide() -> None:
    """The 95th percentile over the rows counts: with one slow row of two it is close to that row."""
    first, second = (REFERENCE_MS,) * 6, (3 * REFERENCE_MS,) * 5

    assert (1 + 0.95 * 2) * REFERENCE_MS == pytest.approx(measure((*first, *second), (REFERENCE_MS,), ROWS.iloc[:2]))


def test_every_call_has_one_row() -> None:
    """Rows are scored one by one, five times each, after a first call that does not count."""
    clock = Clock()
    model, reference = Timed(clock, 1), Timed(clock, 1)
    latency_p95(model, ROWS, reference=(reference, ROWS.iloc[[0]]), clock=clock)

    assert [1] * 101 == model.rows == reference.rows


def test_the_reference_model_scores_its_row() -> None:
    """The reference is a real scikit-learn model, and its own latency on this machine is a finite number."""
    model, row = reference_model()
    scores: Any = getattr(model, scoring_method(model))(row)

    assert (1, 2) == scores.shape
    assert np.isfinite(latency_p95(model, pd.concat([row] * 3)))
