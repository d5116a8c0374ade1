"""The bench of coverage: its worlds have the truth they claim, and a small run meets the goals."""

from __future__ import annotations

import numpy as np
import pytest

from bench.coverage import Case, coverage_cases, covered, decision_cases, measure, met, power, sliced, summary
from bench.worlds import Classes, Decisions, Numbers, Ranks, World, decided_pair, numbered_pair


@pytest.mark.parametrize(
    "world",
    [Decisions(0.3, 0.8, 0.02), Ranks(0.2, 0.8, 0.05), Classes(0.02), Numbers(0.05)],
    ids=lambda w: type(w).__name__,
)
def test_a_world_has_the_truth_that_it_claims(world: World) -> None:
    """The metrics of very many days are the stated ones."""
    counts = world.days(np.random.default_rng(1), 2000, 200).sum(axis=0)

    for metric, truth in world.truth.items():
        assert truth == pytest.approx(float(world.task.evaluate(metric, counts)), abs=0.01)


def test_rows_of_a_day_correlate_as_asked() -> None:
    """The variance of daily accuracy is that of rows with this correlation."""
    counts = Decisions(icc=0.05).days(np.random.default_rng(2), 4000, 100)
    rates = counts[:, 250, 0] + counts[:, 750, 1]

    assert 1 + 99 * 0.05 == pytest.approx(np.var(rates / 100) / (0.75 * 0.25 / 100), rel=0.1)


def test_pairs_differ_by_the_gain() -> None:
    """The challenger of a simulated pair is better by what was asked for."""
    rng = np.random.default_rng(3)
    rows = decided_pair(rng, 0.5, 0.03, 0.02, 2000, 400_000)
    gain = ((rows.challenger > 0.5) == rows.labels).mean() - ((rows.champion > 0.5) == rows.labels).mean()
    numbers = numbered_pair(rng, 0.03, 0.0, 20, 400_000)
    less = np.abs(numbers.champion - numbers.labels).mean() - np.abs(numbers.challenger - numbers.labels).mean()

    assert 0.03 == pytest.approx(gain, abs=0.01)
    assert 0.03 == pytest.approx(less, abs=0.01)


def test_bounds_by_day_hold_where_bounds_by_rows_do_not() -> None:
    """With a correlation of 0.02 the bounds of all tasks hold as often as promised, within the noise of 150 runs."""
    for world, metric in ((Decisions(icc=0.02), "balanced_accuracy"), (Ranks(0.3, icc=0.02), "roc_auc")):
        for learned in (False, True):
            case = Case("coverage", metric, covered(world, metric, 7, 200, learned=learned))
            line = measure(case, 150)

            assert met(line, 150), line


def test_a_fall_is_seen() -> None:
    """With a design effect from 30 earlier days a fall under the limit is seen in at least 72 % of looks."""
    line = measure(Case("power, 200", "power", power(200, shared=False)), 100)

    assert met(line, 100), line
    assert line["percent"]["learned"] >= line["percent"]["7 days alone"]


def test_slices_do_not_refuse_an_equal_challenger() -> None:
    """Bounds refuse fewer equally good challengers than the loss alone, and see a loss of 0.3."""
    calm, hurt = (measure(Case("slices", "slices", sliced(0.1, 0.02, harm)), 12) for harm in (0.0, 0.3))

    assert calm["percent"]["refused"] <= 10
    assert hurt["percent"]["refused"] >= 60


def test_the_table_names_every_group() -> None:
    """All cases have different names, and the table has a line for each group of cases."""
    cases = [*coverage_cases(), *decision_cases()]
    lines = [measure(case, 1) for case in cases[:2] + cases[-2:]]

    assert len(cases) == len({case.name for case in cases})
    assert {"coverage", "coverage, few positives", "type I", "equal passes", "slices"} <= {case.group for case in cases}
    assert summary(lines, 1).startswith("| group | case |")
