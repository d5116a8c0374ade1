"""Adjust the p-values of many tests of one night, so that alpha means what the config says it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Rejecting those below alpha has any false one with at most this chance, however tests depend (Holm, 1979)."""
    ordered, back = _sorted(p_values)
    stepped = np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1))
    found: Floats = np.minimum(stepped, 1)[back]
    return found


def bonferroni(p_values: Floats) -> Floats:
    """The same promise as Holm's, in one step: never finds more than that."""
    found: Floats = np.minimum(p_values * len(p_values), 1)
    return found


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Of those below alpha this share is false on average, where tests do not depend (Benjamini, Hochberg, 1995)."""
    ordered, back = _sorted(p_values)
    ranked = ordered * (len(ordered) / np.arange(1, len(ordered) + 1))
    found: Floats = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)[back]
    return found


def none(p_values: Floats) -> Floats:
    """Each column on its own: with many columns something is always below alpha."""
    return p_values


CORRECTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "holm": holm,
    "bonferroni": bonferroni,
    "benjamini_hochberg": benjamini_hochberg,
    "none": none,
}


def _sorted(p_values: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The smallest first, and where each of the given ones went."""
    order = np.argsort(p_values, kind="stable")
    back = np.empty(len(order), np.intp)
    back[order] = np.arange(len(order))
    return p_values[order], back
