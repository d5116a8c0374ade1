"""Keep logged rows in a folder of Parquet files, by id: no row is there twice, and no reader sees half a file."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq

from core.config import Columns
from monitoring.refusals import not_written


class FileLedger:
    """A folder of Parquet files, one for each day of each batch. Labels are written by replacing a file as a whole."""

    def __init__(self, folder: Path, fields: pa.Schema, columns: Columns) -> None:
        self._folder, self._fields, self._columns = folder, fields, columns
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, rows: pa.Table) -> None:
        """Add the rows whose id is not there yet."""
        rows = _first_of_each(rows, self._columns.id)
        days = pc.cast(rows[self._columns.time], pa.date32())
        with self._alone():
            for day in pc.unique(days):
                new = rows.filter(pc.equal(days, day))
                for file in self._folder.glob(f"{day}-*.parquet"):
                    known = pq.read_table(file, columns=[self._columns.id])[self._columns.id]
                    new = new.filter(pc.invert(pc.is_in(new[self._columns.id], value_set=known.combine_chunks())))
                if new.num_rows:
                    name = hashlib.sha256("\n".join(new[self._columns.id].to_pylist()).encode()).hexdigest()[:16]
                    self._write(self._folder / f"{day}-{name}.parquet", new)

    def label(self, labels: Mapping[str, object], at: dt.datetime) -> list[str]:
        """Write labels; the ids that no row has. The newest files are looked at first."""
        left = dict(labels)
        with self._alone():
            for file in sorted(self._folder.glob("*.parquet"), reverse=True):
                ids = pq.read_table(file, columns=[self._columns.id])[self._columns.id].to_pylist() if left else []
                found = [left.pop(name, None) for name in ids]
                if any(label is not None for label in found):
                    self._write(file, self._labelled(pq.read_table(file, schema=self._fields), found, at))
        return list(left)

    def _labelled(self, rows: pa.Table, labels: Sequence[object], at: dt.datetime) -> pa.Table:
        """The rows with labels in place of those they had; None leaves one as it is."""
        place, before = self._fields.get_field_index(self._columns.label), rows[self._columns.label]
        new = pa.chunked_array([pa.array(labels, before.type)])
        moved = pc.fill_null(
            pc.if_else(pc.is_null(before), pc.is_valid(new), pc.not_equal(before, new)), fill_value=False
        )
        rows = rows.set_column(place, self._fields[place], pc.coalesce(new, before))
        if self._columns.labelled_at:
            place = self._fields.get_field_index(self._columns.labelled_at)
            when = pc.if_else(moved, pa.scalar(at, self._fields[place].type), rows[place])
            rows = rows.set_column(place, self._fields[place], when)
        return rows

    @staticmethod
    def _write(file: Path, rows: pa.Table) -> None:
        unfinished = file.with_name(f".{file.name}")  # no reader looks at names with a dot
        pq.write_table(rows, unfinished)
        unfinished.replace(file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time; readers see each file as it was or as it is."""
        try:
            with (self._folder / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as err:
            raise not_written(self._folder.name, err) from None


def _first_of_each(rows: pa.Table, name: str) -> pa.Table:
    """The rows without those whose id an earlier one has."""
    place = {one: number for number, one in reversed(list(enumerate(rows[name].to_pylist())))}
    return rows.take(sorted(place.values()))
