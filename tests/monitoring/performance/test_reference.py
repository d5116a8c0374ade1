"""The reference of the performance trigger."""

from __future__ import annotations

import pytest

from monitoring.reference import KEEP, Promoted, pooled, reference, starts_under


def scored(*scores: float, error: float | None = 0.01) -> list[Promoted]:
    """Promoted versions with these holdout scores."""
    return [Promoted(score, error, 0.01, 12) for score in scores]


def test_the_reference_is_the_mean_of_the_holdout_scores() -> None:
    """Each promoted version has one vote, and the error is that of a mean."""
    found = reference(scored(0.70, 0.72, 0.68, 0.74))

    assert found is not None
    assert 0.71 == pytest.approx(found.value)
    assert 0.005 == pytest.approx(found.error)


def test_one_lucky_holdout_moves_the_reference_by_a_thirteenth() -> None:
    """After a year a holdout that is .13 too high raises the reference by .01, where a maximum rises by .13."""
    found = reference(scored(*[0.70] * 12, 0.83))

    assert found is not None
    assert 0.71 == pytest.approx(found.value)


def test_only_the_last_13_promotions_count() -> None:
    """Scores of more than a year ago do not matter."""
    assert reference(scored(0.1, *[0.70] * KEEP)) == reference(scored(*[0.70] * KEEP))


def test_a_fall_in_small_steps_is_reported_as_lowered() -> None:
    """Steps under the standard error add up, because the highest value of the reference is compared."""
    steps = [0.70, 0.70, 0.70, *[0.70 - 0.003 * i for i in range(1, 11)]]
    lowered = [bool(found and found.lowered) for n in range(1, 14) if (found := reference(scored(*steps[:n])))]

    assert not any(lowered[:5])
    assert lowered[12]


def test_noise_is_not_reported_as_lowered() -> None:
    """A second version that is a little worse than a lucky first one lowers nothing that was known."""
    found = reference(scored(0.72, 0.70))

    assert found is not None
    assert not found.lowered


def test_without_promotions_there_is_no_reference() -> None:
    """Before the first promotion only the floor counts."""
    assert reference([]) is None


def test_an_old_manifest_has_a_score_without_an_error() -> None:
    """The mean is still defined, its error is not, and any fall under the highest value is reported."""
    found = reference([Promoted(0.72), *scored(0.70, 0.74, 0.60)])

    assert found is not None
    assert found.error is None
    assert 0.69 == pytest.approx(found.value)
    assert found.lowered


def test_a_candidate_starts_under_its_limit() -> None:
    """Version 11 of the demo had .565 and a limit of .598; a score at the limit is not under it."""
    assert starts_under(0.565, 0.598)
    assert not starts_under(0.598, 0.598)


def test_the_noise_of_days_is_pooled_with_its_degrees_of_freedom() -> None:
    """Weights are days - 1, negative correlations count, versions with unknown days do not."""
    known = [Promoted(0.7, 0.01, 0.03, 12), Promoted(0.7), Promoted(0.7, 0.01, -0.01, 12)]
    spread = pooled(known, [(0.02, 23)])

    assert spread is not None
    assert 44 == spread.freedom
    assert (0.03 * 11 - 0.01 * 11 + 0.02 * 22) / 44 == pytest.approx(spread.correlation)
    assert 1 + 199 * 0.015 == pytest.approx(spread.design_effect(200))


def test_days_never_make_bounds_narrower_than_rows_do() -> None:
    """A negative correlation gives a design effect of 1; without any days there is nothing to pool."""
    spread = pooled([Promoted(0.7, 0.01, -0.01, 12)])

    assert spread is not None
    assert 1.0 == spread.design_effect(1000)
    assert pooled([Promoted(0.7)]) is None
