"""Choose what a new model's rows must look like, from the table's own days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from model.scaffold_columns import new_share
from model.scaffold_days import Choice, Days
from model.scaffold_sample import Column, Sample

USUAL_NULLS, USUAL_NEW = 0.2, 0.05  # the defaults of core/config.py


def quality(days: Days, sample: Sample, numeric: Sequence[str], categorical: Sequence[str]) -> Iterator[Choice]:
    """The limits of a day, where they are not the defaults."""
    counts = days.counts[1:-1, 0] if len(days.counts) > 2 else days.counts[:, 0]  # noqa: PLR2004 - ends may be cut
    least = int(counts.min())
    yield Choice("quality.min_rows_per_day", least // 2, f"half of the poorest whole day, which has {least:,} rows")
    yield _nulls(days, [sample.column(name) for name in (*numeric, *categorical)])
    three, said = min(math.ceil(300 / days.a_day) / 100, 1.0), f"three rows of the {days.a_day:,.0f} of a usual day"
    yield from _new([sample.column(name) for name in categorical], sample, three, said)
    if numeric and three > USUAL_NEW:
        yield Choice("quality.max_out_of_range_share", three, said)


def _nulls(days: Days, columns: Sequence[Column]) -> Choice:
    worst = max(columns, key=lambda one: one.missing)
    share = worst.missing
    chance = 2 * math.sqrt(share * (1 - share) / days.a_day)
    limit = math.ceil(20 * (share + 0.1 + chance)) / 20 if share else 0.0
    key = "quality.max_null_share"
    if not share:
        return Choice(key, USUAL_NULLS, "nothing is missing now")
    return Choice(key, min(max(limit, USUAL_NULLS), 1.0), f"{worst.name} is missing in {share:.1%} of the rows")


def _new(columns: Sequence[Column], sample: Sample, three: float, said: str) -> Iterator[Choice]:
    """Of categories that no training knew."""
    shares = {column.name: new_share(column, sample.times) for column in columns}
    worst = max(shares, key=lambda name: shares[name], default=None)
    if worst is None:
        return
    limit = math.ceil(200 * shares[worst]) / 100
    if limit > max(three, USUAL_NEW):
        said = f"twice the share of the latest rows with a new {worst}, {shares[worst]:.1%}"
    if max(limit, three) > USUAL_NEW:
        yield Choice("quality.max_unseen_share", min(max(limit, three), 1.0), said)
