from __future__ import annotations

import numpy as np
import pytest

from monitoring.performance.reference import KEPT_PROMOTIONS, PromotedScore, alarm_limit, reference_score
from monitoring.tasks import BINARY
from monitoring.tasks.day_spread import DaySpread, day_spread, pool


def scored(*scores: float, error: float | None = 0.01) -> list[PromotedScore]:
    """Promoted versions with these holdout scores."""
    return [
        PromotedScore(version=number, metric="accuracy", score=score, error=error)
        for number, score in enumerate(scores, 1)
    ]


def days(*rates: float, rows: int = 100) -> np.ndarray:
    """Counts of days on which these shares of the rows are right, half of the rows in each class."""
    counts = np.zeros((len(rates), 1000, 2), np.int64)
    for day, rate in zip(counts, rates, strict=True):
        right = round(rate * rows / 2)
        day[250], day[750] = (right, rows // 2 - right), (rows // 2 - right, right)
    return counts


def test_the_reference_is_the_mean_of_the_holdout_scores() -> None:
    """Each promoted version has one vote, and the error is that of a mean."""
    reference = reference_score(scored(0.70, 0.72, 0.68, 0.74))

    assert reference is not None
    assert 0.71 == pytest.approx(reference.value)
    assert 0.005 == pytest.approx(reference.error)


def test_one_lucky_holdout_moves_the_reference_by_a_thirteenth() -> None:
    """After a year a holdout that is .13 too high raises the reference by .01, where a maximum rises by .13."""
    reference = reference_score(scored(*[0.70] * 12, 0.83))

    assert reference is not None
    assert 0.71 == pytest.approx(reference.value)


def test_only_the_last_13_promotions_count() -> None:
    """Scores of more than a year ago do not matter."""
    assert reference_score(scored(0.1, *[0.70] * KEPT_PROMOTIONS)) == reference_score(scored(*[0.70] * KEPT_PROMOTIONS))


def test_a_fall_in_small_steps_is_reported_as_lowered() -> None:
    """Steps under the standard error add up, because the highest value of the reference is compared."""
    steps = [0.70, 0.70, 0.70, *[0.70 - 0.003 * i for i in range(1, 11)]]
    lowered = [bool(mean and mean.lowered) for n in range(1, 14) if (mean := reference_score(scored(*steps[:n])))]

    assert not any(lowered[:5])
    assert lowered[12]


def test_noise_is_not_reported_as_lowered() -> None:
    """A second version that is a little worse than a lucky first one lowers nothing that was known."""
    reference = reference_score(scored(0.72, 0.70))

    assert reference is not None
    assert not reference.lowered


def test_without_promotions_there_is_no_reference() -> None:
    """Before the first promotion only the floor counts."""
    assert reference_score([]) is None
    assert 0.6 == alarm_limit(0.6, None, 0.05)


def test_a_score_without_an_error_leaves_the_mean_without_one() -> None:
    """Manifests of earlier releases have no errors; then any fall under the highest value is reported."""
    reference = reference_score([*scored(0.72, error=None), *scored(0.70, 0.74, 0.60)])

    assert reference is not None
    assert reference.error is None
    assert 0.69 == pytest.approx(reference.value)
    assert reference.lowered


def test_a_holdout_tells_how_its_days_vary() -> None:
    """Error and correlation are those of the bounds by day, so that both have one implementation."""
    counts = days(0.6, 0.7, 0.8, 0.74, 0.66, 0.78, 0.72)
    score = PromotedScore.of_holdout(3, BINARY, "accuracy", counts)
    spread = day_spread(BINARY, "accuracy", counts)

    assert score is not None
    assert (3, 7, pytest.approx(5 / 7)) == (score.version, score.days, score.score)
    assert (pool(spread, ()).error, spread.correlation, spread.freedom) == (
        score.error,
        score.correlation,
        score.freedom,
    )
    assert score.spread is not None
    assert spread.correlation == pytest.approx(score.spread.correlation)
    assert PromotedScore.of_holdout(3, BINARY, "accuracy", counts[:0]) is None


def test_few_days_have_an_error_by_rows_and_no_correlation_when_there_is_one() -> None:
    """One day does not show how days vary."""
    score = PromotedScore.of_holdout(1, BINARY, "accuracy", days(0.7))

    assert score is not None
    assert (None, None, None) == (score.correlation, score.freedom, score.spread)
    assert (0.7 * 0.3 / 100) ** 0.5 == pytest.approx(score.error)


def test_the_noise_of_days_is_pooled_with_its_degrees_of_freedom() -> None:
    """Negative correlations count too; the design effect is that of the rows a day of the own days."""
    own = DaySpread(1.0, 1 + 0.02 * 199, 22.0, 200.0, 23)
    others = [DaySpread.of_correlation(correlation, 11.0, 12) for correlation in (0.03, -0.01)]
    pooled = pool(own, others)

    assert 44 == pooled.freedom
    assert 1 + 199 * 0.015 == pytest.approx(pooled.effect)
    assert 1.0 == pool(own, [DaySpread.of_correlation(-0.1, 110.0, 111)]).error
