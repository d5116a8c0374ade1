"""Digest of the rows that a model was trained or judged on, independent of their order and their source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 1 << 16  # texts


def data_digest(rows: pd.DataFrame) -> str:
    """Return the SHA-256 of names, types and every value of `rows`; the order of rows and columns does not matter.

    Two frames have the same digest if they hold the same rows, each the same number of times.
    """
    names = sorted(rows.columns, key=lambda name: (rows[name].dtype.kind != "M", name))
    places = order(rows, names)
    digest = hashlib.sha256(json.dumps([len(rows), names]).encode())
    for name in names:
        for part in _bytes(rows[name], places):
            digest.update(part)
    return digest.hexdigest()


def order(rows: pd.DataFrame, names: list[str]) -> np.ndarray[Any, Any]:
    """Return the positions of the rows, sorted by all columns, missing values last.

    A column is read only for rows that are equal in all columns before it: few rows share more than their time.
    """
    places, tied, group = np.arange(len(rows)), np.arange(len(rows)), np.zeros(len(rows), np.intp)
    for name in names:
        rank = _ranks(rows[name].iloc[places[tied]])
        turn = np.lexsort((rank, group[tied]))
        places[tied], rank = places[tied][turn], rank[turn]
        # Within a group, which keeps its place, every other rank begins a group.
        begins = np.flatnonzero((np.diff(rank) != 0) | (np.diff(group[tied]) != 0)) + 1
        group[tied] = tied[np.searchsorted(np.append(0, begins), np.arange(len(tied)), side="right") - 1]
        edges = np.concatenate([[0], begins, [len(tied)]])
        tied = tied[np.repeat(np.diff(edges) > 1, np.diff(edges))]
        if not len(tied):
            break
    return places


def _ranks(column: pd.Series) -> np.ndarray[Any, Any]:
    """Return numbers in the order of the values; equal values get the same number."""
    if column.dtype.kind == "M":
        times: np.ndarray[Any, Any] = column.dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)
        return times
    ranks, _ = column.factorize(sort=True)
    return np.where(ranks < 0, len(column), ranks)


def _bytes(column: pd.Series, places: np.ndarray[Any, Any]) -> Iterator[bytes]:
    """Return the values of a column in this order; no two different columns have the same bytes."""
    from pandas import isna
    from pandas.api.types import infer_dtype

    kind = column.dtype.kind
    if kind == "M":
        times: np.ndarray[Any, Any] = column.dt.tz_convert(None).to_numpy("datetime64[us]")
        yield b"time" + times[places].astype("<i8").tobytes()
    elif kind in "fiub":
        numbers = column.to_numpy("<f8")[places] + 0.0  # turns -0.0 into 0.0
        yield b"number" + np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    else:
        yield b"text["
        values = column.to_numpy(object)
        for start in range(0, len(places), CHUNK):
            part = values[places[start : start + CHUNK]]
            texts = part.tolist()
            if infer_dtype(part, skipna=False) != "string":
                texts = [None if missing else str(value) for value, missing in zip(texts, isna(part), strict=True)]
            yield (", " if start else "").encode() + json.dumps(texts)[1:-1].encode()
        yield b"]"
