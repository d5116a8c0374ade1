from __future__ import annotations

from review.text import numbers


def test_numbers_for_readers() -> None:
    """Three digits, a real minus sign, a sign on differences, a dash for none and NaN."""
    assert ("0.612", "\u22120.004", "\u2013", "\u2013") == tuple(
        map(numbers.number, (0.6123, -0.0041, None, float("nan")))
    )
    assert ("+0.010", "\u22120.010", "\u2013") == tuple(map(numbers.signed, (0.01, -0.01, None)))
    assert ("0.000", "0.000", "0.000") == tuple(map(numbers.signed, (0.0, -0.0001, 0.0001)))
    assert ("▏", "█████", "██████████", "██▌") == tuple(numbers.bar(v, 1) for v in (0, 0.5, 7, 0.25))
