"""The estimate without labels is that of a row-by-row computation, and true as long as scores are worth the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics as sk

from core.config.settings import parse_config
from monitoring.counting.counts import Counts
from monitoring.counting.tally import DayTally
from monitoring.counting.window import Window
from monitoring.performance.estimate import Estimate, estimate_report, expected_counts
from monitoring.tasks.binary import BINARY
from monitoring.tasks.binary_metrics import METRICS, cells, evaluate
from monitoring.tasks.calibration import Calibration, fit_calibration

DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC)
SEED = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")
CALIBRATION = Calibration(slope=0.8, intercept=-0.7, rows=2000, positives=500)


def day(ago: int, scores: np.ndarray, labels: np.ndarray | None = None) -> DayTally:
    """A day so long before the night: rows by score and label, none known where not given."""
    counts = np.zeros((1000, 3), np.int64)
    np.add.at(counts, (cells(scores), np.full(len(scores), 2) if labels is None else labels), 1)
    return DayTally(
        date=AS_OF.date() - ago * DAY,
        rows=len(scores),
        duplicates=0,
        columns={},
        scores=Counts(counts),
        unscored=0,
        bad_labels=0,
    )


def estimated(*days: DayTally, calibration: Calibration = CALIBRATION, leave_out: Collection[dt.date] = ()) -> Estimate:
    """The estimate of a window with these days."""
    window = Window(
        model="seed",
        version=3,
        as_of=AS_OF,
        start=AS_OF.date() - 30 * DAY,
        end=AS_OF.date(),
        days=days,
        missing=(),
        future_rows=0,
        quality=None,
    )
    return estimate_report(window, SEED, calibration, leave_out)


SCORES = np.random.default_rng(4).beta(2, 3, 700)


@pytest.mark.parametrize(
    ("metric", "reference"),
    [
        ("accuracy", lambda y, s, w: sk.accuracy_score(y, s >= 0.5, sample_weight=w)),
        ("balanced_accuracy", lambda y, s, w: sk.balanced_accuracy_score(y, s >= 0.5, sample_weight=w)),
        ("precision", lambda y, s, w: sk.precision_score(y, s >= 0.5, sample_weight=w)),
        ("recall", lambda y, s, w: sk.recall_score(y, s >= 0.5, sample_weight=w)),
        ("f1", lambda y, s, w: sk.f1_score(y, s >= 0.5, sample_weight=w)),
        (
            "precision_weighted",
            lambda y, s, w: sk.precision_score(y, s >= 0.5, average="weighted", sample_weight=w, zero_division=0),
        ),
        ("roc_auc", lambda y, s, w: sk.roc_auc_score(y, s, sample_weight=w)),
        ("average_precision", lambda y, s, w: sk.average_precision_score(y, s, sample_weight=w)),
    ],
)
def test_the_estimate_is_sklearns_on_weighted_rows(metric: str, reference: object) -> None:
    """Each row once as 1, weighted by its chance, and once as 0, by the rest: scikit-learn gives the same number."""
    kept = cells(SCORES) / 1000
    chance = expit(0.8 * logit(kept + 0.0005) - 0.7)
    labels, weights = np.repeat([1, 0], len(SCORES)), np.concatenate([chance, 1 - chance])
    found = estimated(day(1, SCORES[:300]), day(5, SCORES[300:]))

    expected = reference(labels, np.tile(kept, 2), weights)  # type: ignore[operator]
    assert expected == pytest.approx(found.others[metric], rel=1e-12)


def test_expected_accuracy_by_hand() -> None:
    """Scores that are chances: 0.2005 and 0.8005 in the middle of their cells, so 0.8 of three rows are right."""
    same = Calibration(slope=1.0, intercept=0.0, rows=100, positives=50)
    found = estimated(day(1, np.array([0.2, 0.8, 0.8])), calibration=same)

    assert (0.7995 + 2 * 0.8005) / 3 == pytest.approx(found.value)
    assert ("accuracy", 3) == (found.metric, found.rows)


def test_the_newest_days_are_estimated_and_the_mature_ones_beside_their_labels() -> None:
    """Seven days up to last night; and the labelled rows of the seven mature days, whatever was not labelled there."""
    sure, unsure = np.array([0.999] * 10), np.array([0.55] * 10)
    same = Calibration(slope=1.0, intercept=0.0, rows=100, positives=50)
    found = estimated(
        day(1, sure), day(4, unsure, np.ones(10, int)), day(4, sure), day(9, unsure), day(10, sure), calibration=same
    )

    assert (30, 0.9995) == (found.rows, pytest.approx((3 * found.value - 0.5505) / 2, abs=1e-9))  # type: ignore[operator]
    assert 0.5505 == pytest.approx(found.matured)
    assert (AS_OF.date() - 7 * DAY, AS_OF.date()) == (found.start, found.end)
    left = estimated(day(1, sure), day(4, unsure), calibration=same, leave_out={AS_OF.date() - DAY})
    assert (10, 0.5505) == (left.rows, pytest.approx(left.value))


def test_without_scores_there_is_no_estimate() -> None:
    """Nothing scored: no value, no error, and the record survives its JSON."""
    found = estimated()

    assert (0, None, {}, None) == (found.rows, found.value, found.others, found.matured)
    assert found == Estimate.from_json(found.to_json())


def drawn(n: int, seed: int, centre: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores around a centre, and labels by one law, which is not that of the scores themselves."""
    rng = np.random.default_rng(seed)
    scores = expit(rng.normal(centre, 1.2, n))
    return scores, (rng.random(n) < expit(0.7 * logit(scores) - 0.9)).astype(int)


@pytest.mark.parametrize("centre", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("metric", METRICS)
def test_the_estimate_follows_who_is_scored(metric: str, centre: float) -> None:
    """Fitted around 0, and true to 0.02 where harder or easier rows are scored, if scores keep their worth."""
    scores, labels = drawn(20_000, 1, 0.0)
    calibration = fit_calibration([BINARY.counted(labels, scores)])
    assert calibration is not None
    scores, labels = drawn(200_000, 2, centre)
    truth = BINARY.counted(labels, scores)

    expected = evaluate(metric, expected_counts(truth.sum(1), calibration), 0.5)
    assert float(evaluate(metric, truth, 0.5)) == pytest.approx(expected, abs=0.02)


def test_the_estimate_is_blind_to_new_meanings() -> None:
    """Its limit: with all labels turned round, the scores and so the estimate stay the same."""
    scores, labels = drawn(2000, 1, 0.0)
    calibration = fit_calibration([BINARY.counted(labels, scores)])
    assert calibration is not None

    one, other = (estimated(day(4, scores, y), calibration=calibration) for y in (labels, 1 - labels))
    assert one == other
