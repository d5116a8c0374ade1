"""Find columns that tell the target all by themselves: they are mostly known no earlier than it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.scaffold_sample import UNLABELLED

PERFECT = 0.99
LEAST = 10  # rows of each label: with fewer a perfect order may be chance
BINS = 20
Array = NDArray[Any]


def leak(codes: Array, numbers: Array | None, times: Array, labels: Array) -> str | None:
    """What gives a column away; None where nothing does.

    Args:
        codes: the place of each row's value among the different ones, -1 where null.
        numbers: the different values, sorted, where they are numbers.
        times: of the rows.
        labels: 0, 1, or 2 where there is none.
    """
    known = labels != UNLABELLED
    order = np.argsort(times[known], kind="stable")
    codes, labels = codes[known][order], labels[known][order]
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST:
        return None
    if numbers is not None:
        found = area(codes, labels)
        if max(found, 1 - found) >= PERFECT:
            return _said("its order alone", max(found, 1 - found))
        if len(numbers) > BINS:
            codes = binned(codes)
    found = by_value(codes, labels)
    return _said("its value alone", found) if found >= PERFECT else None


def binned(codes: Array) -> Array:
    """Codes in the order of their numbers, brought down to `BINS` of about as many rows each; -1 stays."""
    rows = np.cumsum(np.bincount(codes[codes >= 0]))
    return np.where(codes < 0, -1, ((rows - 1) * BINS // rows[-1])[codes])


def by_value(codes: Array, labels: Array) -> float:
    """The AUC on the second half of the rows of each value's rate in the first; values unseen there get the mean."""
    half = len(codes) // 2
    early, late = codes[:half] + 1, codes[half:] + 1
    size = int(codes.max(initial=-1)) + 2
    rows, ones = np.bincount(early, minlength=size), np.bincount(early, labels[:half], minlength=size)
    rates = np.where(rows > 0, ones / np.maximum(rows, 1), labels[:half].mean())
    wanted = labels[half:]
    if min(wanted.sum(), len(wanted) - wanted.sum()) < LEAST:
        return 0.5
    return area(rates[late], wanted)


def area(values: Array, labels: Array) -> float:
    """The area under the ROC curve, ties count half."""
    levels, places = np.unique(values, return_inverse=True)
    ones = np.bincount(places, labels, minlength=len(levels))
    zeros = np.bincount(places, 1 - labels, minlength=len(levels))
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + zeros / 2)).sum() / (ones.sum() * zeros.sum()))


def _said(what: str, found: float) -> str:
    return f"{what} tells the target (AUC {found:.3f}): is it known when the prediction is asked for?"
