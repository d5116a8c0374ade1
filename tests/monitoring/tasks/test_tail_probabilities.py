"""The chances that a night is judged by are those of scipy, which it does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from monitoring.tasks import tail_probabilities

ROOT = Path(__file__).parents[3]
WHAT_A_NIGHT_JUDGES_WITH = """
import sys
import monitoring.sources, monitoring.counting, monitoring.triggers
from monitoring.drift import day_effects, statistics
import numpy as np
statistics.Kolmogorov().surprise(np.array([0.1, 0.2]), 100.0)
statistics.ChiSquare(np.array([0.5, 0.5])).surprise(np.array([0.1, -0.1]), 100.0)
day_effects.p_value(3.0, 30)
print(sorted({"scipy", "pandas", "mlflow", "sklearn"} & set(sys.modules)))
"""


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 12))
def test_kolmogorov_is_that_of_scipy(x: float) -> None:
    """Everywhere, in the tail by ratio."""
    assert special.kolmogorov(x) == pytest.approx(
        float(tail_probabilities.kolmogorov(np.array(x))), rel=1e-12, abs=1e-300
    )


def test_kolmogorov_takes_arrays_of_any_shape() -> None:
    """Each element by itself, on both sides of where the two series meet."""
    x = np.linspace(0, 4, 60).reshape(3, 4, 5)

    assert special.kolmogorov(x) == pytest.approx(tail_probabilities.kolmogorov(x), rel=1e-12)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 3000), st.floats(0.5, 1000))
def test_chi_square_is_that_of_scipy(statistic: float, freedom: float) -> None:
    """For any degrees of freedom, whole or not, down to where the chance underflows."""
    assert special.chdtrc(freedom, statistic) == pytest.approx(
        tail_probabilities.chi_square(statistic, freedom), rel=1e-9, abs=1e-280
    )


@settings(max_examples=300, deadline=None)
@given(st.floats(-40, 40), st.integers(1, 400))
def test_student_is_that_of_scipy(deviation: float, freedom: int) -> None:
    """To both sides, with few days and many, down to chances that no other test would see."""
    assert 2 * special.stdtr(freedom, -abs(deviation)) == pytest.approx(
        tail_probabilities.student(deviation, freedom), rel=1e-9, abs=1e-280
    )


def test_a_night_is_judged_without_slow_imports() -> None:
    """Counting and judging load neither scipy nor pandas: either costs more than counting a million rows."""
    said = subprocess.run(
        [sys.executable, "-c", WHAT_A_NIGHT_JUDGES_WITH], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert "[]" == said.stdout.strip()
