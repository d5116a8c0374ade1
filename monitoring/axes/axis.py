"""Axes: the cells into which the values of a column are counted, fixed by the rows of the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from core.arrow import Bools, Floats, arrays, spelling
from core.records import Record
from monitoring.axes import grid

MOST_LEVELS = 1000


class NumericAxis(Record):
    """Bins of a numeric column in ascending order, then cells for null (also NaN), -inf, +inf and other values.

    `form`, `origin`, `scale` and `cuts` are as in `grid.Grid`; `low` and `high` are the smallest and largest finite
    value of the baseline (the smallest and largest float where it has none, so that nothing is outside).
    """

    type: Literal["numeric"] = "numeric"
    form: grid.Form
    origin: float
    scale: float
    cuts: Annotated[tuple[float, ...], Field(min_length=1, max_length=3 * 10**3)]
    low: float
    high: float

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        inside = self.form == "edges" or (self.cuts[0] == 0 and self.cuts[-1] < grid.CELLS)
        if not inside or any(b <= a for a, b in pairwise(self.cuts)):
            raise ValueError("cuts must ascend and lie on the grid")
        return self

    @property
    def bins(self) -> int:
        """Number of ordinary bins."""
        return len(self.cuts)

    @property
    def null(self) -> int:
        """The cell of null and NaN."""
        return self.bins

    @property
    def below(self) -> int:
        """The cell of -inf."""
        return self.bins + 1

    @property
    def above(self) -> int:
        """The cell of +inf."""
        return self.bins + 2

    @property
    def invalid(self) -> int:
        """The cell of values that are not numbers, such as text."""
        return self.bins + 3

    @property
    def size(self) -> int:
        """Number of cells in all."""
        return self.bins + 4

    @cached_property
    def as_grid(self) -> grid.Grid:
        """How finite numbers become bins."""
        return grid.Grid(self.form, self.origin, self.scale, self.cuts)

    @cached_property
    def _bin_of_cell(self) -> NDArray[np.uint16]:
        """The bin of each grid cell: 128 KiB a column, which counts where there are thousands."""
        widths = np.diff(np.append(self.cuts, grid.CELLS)).astype(np.intp)
        return np.repeat(np.arange(self.bins, dtype=np.uint16), widths)

    def cells(self, values: pa.Array) -> tuple[NDArray[np.intp], Bools]:
        """The cell of each row, and which rows have a finite value outside [low, high]."""
        numbers, invalid = arrays.numbers(values)
        if grid.within(numbers, self.low, self.high):
            return self._bins(numbers), np.zeros(len(numbers), np.bool_)
        finite = np.isfinite(numbers)
        special = None if finite.all() else ~finite
        safe = numbers if special is None else np.where(finite, numbers, self.low)
        cells = self._bins(safe)
        if special is not None:
            outside = numbers[special]
            cells[special] = np.where(np.isnan(outside), self.null, np.where(outside < 0, self.below, self.above))
        if invalid is not None:
            cells[invalid] = self.invalid
        return cells, (safe < self.low) | (safe > self.high)

    def _bins(self, numbers: Floats) -> NDArray[np.intp]:
        """The bin of each finite number."""
        grid_cells = grid.cells(self.as_grid, numbers)
        return grid_cells if self.form == "edges" else self._bin_of_cell.take(grid_cells, mode="wrap").astype(np.intp)

    def edges(self) -> Floats:
        """Where the bins begin and the last one ends (bins + 1 numbers), within [low, high]."""
        return np.append(np.clip(grid.starts(self.as_grid), self.low, self.high), self.high)

    def middles(self) -> Floats:
        """The middle of each bin, within [low, high]."""
        edges = self.edges()
        return edges[:-1] / 2 + edges[1:] / 2

    def labels(self) -> tuple[str, ...]:
        """A name for each ordinary bin: where it begins and ends."""
        return self.names(range(self.bins + 1))

    def names(self, starts: Sequence[int]) -> tuple[str, ...]:
        """A name for each group of bins from one of `starts` up to the next, with no more digits than the grid has."""
        edges = self.edges()[list(starts)]
        if self.form == "affine":
            step = 10.0 ** math.ceil(math.log10(2 / self.scale))
            edges = np.clip(np.round(edges / step) * step, self.low, self.high)
        texts = [f"{edge + 0.0:.{3 if self.form == 'bits' else 5}g}" for edge in edges]
        return tuple(f"{a} to {b}" if a != b else a for a, b in pairwise(texts))


class CategoricalAxis(Record):
    """A cell for each level of the baseline (sorted), then one for all other values, then null."""

    type: Literal["categorical"] = "categorical"
    levels: Annotated[tuple[str, ...], Field(max_length=MOST_LEVELS)]

    @property
    def bins(self) -> int:
        """Number of levels."""
        return len(self.levels)

    @property
    def other(self) -> int:
        """The cell of values that are no level."""
        return self.bins

    @property
    def null(self) -> int:
        """The cell of null and NaN."""
        return self.bins + 1

    @property
    def size(self) -> int:
        """Number of cells in all."""
        return self.bins + 2

    def cells(self, values: pa.Array) -> tuple[NDArray[np.intp], Bools]:
        """The cell of each row; nothing is outside of a categorical column (what is unseen is `other`)."""
        return self._found(values), np.zeros(len(values), np.bool_)

    def _found(self, values: pa.Array) -> NDArray[np.intp]:
        """The cell of each row; words of a dictionary are looked up once, and not once a row."""
        if pa.types.is_dictionary(values.type):
            return np.append(self._found(values.dictionary), self.null).take(arrays.places(values))
        words = spelling.texts(values)
        if words is None:
            return np.where(arrays.nulls(values), self.null, self.other)
        level = pc.index_in(words, value_set=self._words)
        places = arrays.view(level, np.int32).astype(np.intp)
        places[arrays.nulls(level)] = self.other
        places[arrays.nulls(words)] = self.null
        return places

    @cached_property
    def _words(self) -> pa.Array:
        # Baselines of earlier releases hold other spellings, such as "true".
        return spelling.texts(arrays.text_array(self.levels))

    def labels(self) -> tuple[str, ...]:
        """The levels."""
        return self.levels


Axis = Annotated[NumericAxis | CategoricalAxis, Field(discriminator="type")]


def fit_numeric(values: Floats) -> NumericAxis:
    """The axis for a column whose baseline rows are `values` (NaN and inf allowed, also none or only one value)."""
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    fitted = grid.fit(distinct, counts)
    low, high = (float(distinct[0]), float(distinct[-1])) if len(distinct) else (-grid.LARGEST, grid.LARGEST)
    return NumericAxis(**fitted._asdict(), low=low, high=high)


def fit_categorical(values: pa.Array | pa.ChunkedArray) -> CategoricalAxis:
    """The axis for a column whose baseline rows are `values`: its 1,000 most frequent levels, ties by name."""
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    words = [word for chunk in chunks if (word := spelling.texts(chunk)) is not None]
    counted = pc.value_counts(pa.chunked_array(words, pa.large_string()))
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    frequent = sorted(((-count, level) for level, count in pairs if level is not None))[:MOST_LEVELS]
    return CategoricalAxis(levels=tuple(sorted(level for _, level in frequent)))
