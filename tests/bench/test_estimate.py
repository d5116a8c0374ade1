"""The bench of the estimate measures what it says, on rows whose chances are known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.estimate import Rows, accuracy, errors


def stepped(rows: int, seed: int, centre: float) -> Rows:
    """Return scores around a centre; the chance of label 1 is 0.1 up to a score of 0.4, 0.55 from there on."""
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.normal(centre, 0.2, rows), 0, 1)
    return Rows(scores, (rng.random(rows) < np.where(scores < 0.4, 0.1, 0.55)).astype(np.int64))


def test_the_chosen_fit_is_as_good_as_the_better_one() -> None:
    """Where chances are steps, the chosen fit errs at most 1.1 times as much as either, and less than the old score."""
    error = errors(stepped(3000, 1, 0.4), stepped(200_000, 2, 0.6))

    assert error["chosen"] <= 1.1 * min(error["logistic"], error["isotonic"])
    assert error["chosen"] < error["logistic"]
    assert error["chosen"] < error["holdout's score"]


def test_errors_are_those_of_the_estimate() -> None:
    """One score for all rows: every way estimates the share of its label, which later rows have too."""
    same = Rows(np.full(4000, 0.7), np.tile([1, 1, 1, 0], 1000))

    assert {"logistic", "isotonic", "chosen", "holdout's score"} == set(errors(same, same))
    assert [0.0] * 4 == pytest.approx(list(errors(same, same).values()), abs=2e-4)
    assert 0.75 == accuracy(same.parts(2)[0])


def test_too_few_rows_have_no_errors() -> None:
    """Nineteen rows of a label cannot be calibrated."""
    assert {} == errors(Rows(np.full(100, 0.7), np.repeat([0, 1], [81, 19])), stepped(200, 1, 0.5))
