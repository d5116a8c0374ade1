"""Grids of 65,536 cells in the order of the numbers, which find the cell of a number in a few nanoseconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrow import Floats

Form = Literal["affine", "bits", "edges"]
CELLS = 65_536
MOST = 0.001  # the share of the baseline that a bin may hold in addition to its heaviest value
TAIL = 5e-4  # the share of the baseline that an affine grid leaves to each of its two end cells
LARGEST = float(np.finfo(np.float64).max)
HALF = CELLS // 2
SHIFT = 13  # of a float32 this leaves the sign, 5 bits of the exponent and 10 of the mantissa: cells 1/1024 wide


class Grid(NamedTuple):
    """How finite numbers become bins.

    "affine": grid cell (x - origin) * scale. "bits": grid cell from the high bits of float32(x - origin), counted from
    `scale`: its width grows with the distance from the origin, for heavy tails. Both: `cuts` has the first grid cell of
    each bin. "edges": `cuts` has the smallest number of each bin.
    """

    form: Form
    origin: float
    scale: float
    cuts: tuple[float, ...] = ()


def cells(grid: Grid, numbers: Floats) -> NDArray[np.intp]:
    """The grid cell of each finite number, or its bin where the form is "edges". Never falls when a number grows."""
    if grid.form == "edges":
        return np.searchsorted(np.asarray(grid.cuts), numbers, side="right") - 1
    with np.errstate(over="ignore"):
        moved = numbers - grid.origin
        if grid.form == "affine":
            moved *= grid.scale
            np.clip(moved, 0, CELLS - 1, out=moved)
            return moved.astype(np.intp)
        moved += 0.0  # -0.0 equals 0.0 and belongs into its cell
        bits = moved.astype(np.float32).view(np.int32)
    negative = bits >> 31
    bits &= 0x7FFFFFFF
    bits >>= SHIFT
    bits -= int(grid.scale)
    np.clip(bits, 0, HALF - 1, out=bits)
    bits ^= negative
    bits += HALF
    return bits.astype(np.intp)


def within(numbers: Floats, low: float, high: float) -> bool:
    """Whether there are numbers, and all of them are in [low, high]."""
    return bool(len(numbers) and low <= numbers.min() and numbers.max() <= high)  # False where one is NaN


def bins(grid: Grid, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows by bin, from rows by grid cell: over the last axis."""
    binned: NDArray[np.int64] = np.add.reduceat(counts, np.asarray(grid.cuts, np.intp), axis=-1)
    return binned


def starts(grid: Grid) -> Floats:
    """The smallest number of each bin, up to rounding; of the first bin as the grid has it."""
    cuts = np.asarray(grid.cuts)
    if grid.form == "edges":
        return cuts
    if grid.form == "affine":
        with np.errstate(over="ignore"):
            return cuts / grid.scale + grid.origin
    cell = cuts.astype(np.int64) - HALF
    # Below the origin the smallest number of a cell is the one with the largest magnitude.
    size = np.where(cell < 0, -cell, cell) + int(grid.scale)
    size = np.clip(size, 0, 0x7F7FFFFF >> SHIFT) << SHIFT
    magnitude = size.astype(np.int32).view(np.float32).astype(np.float64)
    return np.where(cell < 0, -magnitude, np.where(cell == 0, 0, magnitude)) + grid.origin


def fit(values: Floats, counts: NDArray[np.int64]) -> Grid:
    """The cheapest grid none of whose cells holds more than `MOST` of the rows in addition to its heaviest value.

    Args:
        values: distinct finite numbers, ascending; may be empty.
        counts: how often each occurs.

    Cells are merged into at most 2,001 bins, so that the distance of Kolmogorov and Smirnov between the binned rows and
    any others is never above the exact one, and within `MOST` of it as long as heavy values stay where they are
    ("edges": always).
    """
    most = MOST * counts.sum()
    for grid in _candidates(values, counts):
        occupied = cells(grid, values)
        first = np.flatnonzero(np.diff(occupied, prepend=-1))
        mass, top = np.add.reduceat(counts, first), np.maximum.reduceat(counts, first)
        if (mass - top).max() <= most:
            return grid._replace(cuts=_merge(occupied[first], occupied[first] + 1, mass, most, 0, CELLS - 1))
    with np.errstate(over="ignore"):  # after the largest number comes infinity, where no bin begins
        after = np.nextafter(values, np.inf)
    return Grid("edges", 0.0, 1.0, _merge(values, after, counts, most, -LARGEST, LARGEST))


def _candidates(values: Floats, counts: NDArray[np.int64]) -> Iterator[Grid]:
    """Grids to try, cheapest first. None for fewer than two values: there edges are as cheap."""
    if len(values) < 2:  # noqa: PLR2004 - a grid needs a width
        return
    low, high = _quantile(values, counts, TAIL), _quantile(values, counts, 1 - TAIL)
    if not high > low:
        low, high = float(values[0]), float(values[-1])
    margin = (high / 2 - low / 2) * 2e-3
    origin, width = low - margin, (high + margin) / 2 - (low - margin) / 2
    scale = (CELLS - 1) / 2 / width if width > 0 else np.inf
    if np.isfinite(scale) and scale > 0 and np.isfinite(origin):
        yield Grid("affine", origin, scale)
    for centre in dict.fromkeys((0.0, float(values[0]), _quantile(values, counts, 0.5), float(values[-1]))):
        with np.errstate(over="ignore"):
            sizes = np.abs(values - centre)
            order = np.argsort(sizes)
            top = np.float32(_quantile(sizes[order], counts[order], 1 - 5e-5))
        yield Grid("bits", centre, float((int(top.view(np.int32)) >> SHIFT) - (HALF - 1)))


def _quantile(values: Floats, counts: NDArray[np.int64], share: float) -> float:
    """The smallest value that `share` of the rows do not exceed."""
    upto = np.cumsum(counts)
    return float(values[min(int(np.searchsorted(upto, share * upto[-1])), len(values) - 1)])


def _merge(
    begin: NDArray[Any], after: NDArray[Any], mass: NDArray[np.int64], most: float, first: float, last: float
) -> tuple[float, ...]:
    """Where bins begin: cells are joined while they hold at most `most` rows; a heavier one stays alone.

    Args:
        begin: where each occupied cell begins, ascending.
        after: where the cell ends and the next may begin.
        mass: rows in each.
        most: rows that a bin of several cells may hold.
        first: where the first bin begins.
        last: the last place where one may begin.
    """
    upto = np.cumsum(mass).tolist()
    cuts: list[float] = [first]
    at = 0
    while at < len(upto):
        if mass[at] > most:
            cuts += [begin[at], after[at]]
            at += 1
        else:
            at = bisect_right(upto, (upto[at - 1] if at else 0) + most)
            cuts += [begin[at]] if at < len(upto) else []
    return tuple(sorted({float(cut) for cut in cuts if cut <= last}))
