"""The bench of a year asks the rules that ship, and what it measures stays within the goals."""

from __future__ import annotations

import numpy as np
import pytest

from bench.year import false_years, goals, measured, nights_to_find, table
from bench.year_rules import CHOSEN, CHOSEN_REFERENCE, REFERENCES, RULES, TODAY, TODAY_REFERENCE, holdout_scores
from bench.year_world import CALM, HOLDOUT, Setting, fall, looks, noise, year
from core.config.triggers import PerformanceTrigger
from monitoring.performance import PromotedScore, reference_score
from monitoring.performance.persistence import required_confidence
from monitoring.tasks import DaySpread, pool
from monitoring.tasks.tail_probabilities import student_quantile

SHIPPED = (RULES[CHOSEN], CHOSEN_REFERENCE)


def test_rows_of_a_day_correlate_as_asked() -> None:
    """The mean design effect of 200 rows and ICC .02 is 1 + 199 * .02, without correlation 1."""
    for correlation in (0.0, 0.02):
        world = year(Setting("flat", 200, correlation), 200, 1)
        assert 1 + 199 * correlation == pytest.approx(noise(world.holdouts, 200).mean(), rel=0.05)


def test_the_bench_asks_the_reference_that_ships() -> None:
    """After each promotion, for all years."""
    scores, errors = holdout_scores(year(Setting("season", 50, 0.02), 5, 2))
    for values, own, error in zip(REFERENCES[CHOSEN_REFERENCE](scores, errors), scores, errors, strict=True):
        promoted = [
            PromotedScore(version=number, metric="accuracy", score=score, error=deviation)
            for number, (score, deviation) in enumerate(zip(own, error, strict=True), 1)
        ]
        for count in range(1, 14):
            shipped = reference_score(promoted[:count])
            assert shipped is not None
            assert shipped.value == pytest.approx(values[count - 1])


def test_the_bench_asks_the_rule_that_ships() -> None:
    """Each night fires if one look is under the limit by the quantile of `required_confidence`."""
    world = fall(0.10, 50, 0.02, 8, 3)
    references = REFERENCES[CHOSEN_REFERENCE](*holdout_scores(world))
    fired = SHIPPED[0].fires(world, references)[:, 0]
    expected = np.zeros_like(fired)
    for length in PerformanceTrigger(window_days=7).look_days:
        look = looks(world, length)
        for own, day in np.ndindex(*fired.shape):
            limit = max(0.60, references[own, world.of[own, 0]] - 0.05)
            value, _, error, freedom = (float(part[own, 0, day]) for part in look)
            if not np.isnan(value):
                needed = student_quantile(required_confidence(error, 0.05, 0.95), freedom)
                expected[own, day] |= value + needed * error < limit

    assert expected.any()
    assert (expected == fired).all()


def test_the_noise_of_days_is_the_pooled_one() -> None:
    """On the first day of a version its design effect is that of `pool`."""
    world = year(Setting("flat", 200, 0.02), 3, 4)
    look, effects = looks(world, 7), noise(world.holdouts, 200)
    for own, version in np.ndindex(3, 13):
        holdouts = [
            DaySpread.of_correlation((effect - 1) / 199, HOLDOUT - 1, HOLDOUT) for effect in effects[own, : version + 1]
        ]
        pooled = pool(DaySpread(0.0, 1.0, 0.0, 200.0, 1), holdouts)
        ratio = float(look.by_day[own, version, 0] / look.by_rows[own, version, 0]) ** 2
        assert max(1.0, pooled.effect) == pytest.approx(ratio)
        assert pooled.freedom == look.freedom[own, version, 0]


@pytest.mark.parametrize(("rows", "most"), [(15, 10), (50, 5), (200, 5), (1000, 5)])
def test_years_without_change_rarely_have_an_alarm(rows: int, most: float) -> None:
    """With 13 promotions and ICC .02, within two standard errors of 400 years; today's rules fire in most years."""
    world = year(Setting("flat", rows, 0.02), 400, 5)
    slack = 2 * np.sqrt(most * (100 - most) / 400)

    assert false_years(world, *SHIPPED) <= most + slack
    assert false_years(world, RULES[TODAY], TODAY_REFERENCE) >= 80


def test_seasons_rarely_fire() -> None:
    """A season with a standard deviation of .02: at most 15 % of years, within two standard errors of 400 years."""
    assert false_years(year(Setting("season", 1000, 0.02), 400, 5), *SHIPPED) <= 15 + 2 * 1.8
    assert false_years(year(Setting("season", 1000, 0.0), 400, 5), *SHIPPED) <= 3


@pytest.mark.parametrize(("drop", "correlation", "most"), [(0.1, 0, 7), (0.25, 0, 3), (0.1, 0.02, 12), (0.25, 0.02, 4)])
def test_falls_are_found_in_time(drop: float, correlation: float, most: float) -> None:
    """The median number of nights with 200 rows a night is within the goal."""
    assert nights_to_find(fall(drop, 200, correlation, 400, 6), *SHIPPED)[1] <= most


def test_a_fall_is_not_seen_before_it_happens() -> None:
    """Calm days come first, and a fall of half the score is found on the first or second night."""
    world = fall(0.4, 200, 0.0, 50, 7)

    assert not SHIPPED[0].fires(world, REFERENCES[CHOSEN_REFERENCE](*holdout_scores(world)))[:, 0, :CALM].any()
    assert nights_to_find(world, *SHIPPED)[2] <= 2


def test_the_tables_have_a_line_for_each_goal() -> None:
    """And for each alternative; the same seed gives the same table."""
    found = measured(("references", "rules", "spans"), 4, 4, 8)
    lines = list(goals(4, 8))

    assert len(REFERENCES) == len(found["references"])
    assert len(RULES) == len(found["rules"])
    assert {"5", "10", "15", "7", "3", "12", "4"} <= {line["goal"] for line in lines}
    assert lines == list(goals(4, 8))
    assert len(lines) + 2 == len(table(lines).splitlines())
