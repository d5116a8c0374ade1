"""Choose what a new model's rows must look like, from the table's own days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from model.scaffold_columns import new_share
from model.scaffold_days import Choice, Days
from model.scaffold_sample import Column, Sample

USUAL_NULLS, USUAL_NEW = 0.2, 0.05  # the defaults of core/standards.py


def quality(days: Days, sample: Sample, numeric: Sequence[str], categorical: Sequence[str]) -> Iterator[Choice]:
    """The limits of a day, where they are not the defaults."""
    counts = days.counts[1:-1, 0] if len(days.counts) > 2 else days.counts[:, 0]  # noqa: PLR2004 - ends may be cut
    least = int(counts.min())
    yield Choice("quality.min_rows_per_day", least // 2, f"half of the poorest whole day, which has {least:,} rows")
    yield _nulls(days, [sample.column(name) for name in (*numeric, *categorical)])
    three, said = min(math.ceil(300 / days.a_day) / 100, 1.0), f"three rows of the {days.a_day:,.0f} of a usual day"
    news = {name: new_share(sample.column(name), sample.times) for name in categorical}
    yield from _new("quality.max_unseen_share", news, "with a new", three, said)
    far = {name: outside(sample.column(name), sample) for name in numeric}
    yield from _new("quality.max_out_of_range_share", far, "outside of the earlier", three, said)


def _nulls(days: Days, columns: Sequence[Column]) -> Choice:
    worst = max(columns, key=lambda one: one.missing)
    share = worst.missing
    chance = 2 * math.sqrt(share * (1 - share) / days.a_day)
    limit = math.ceil(20 * (share + 0.1 + chance)) / 20 if share else 0.0
    key = "quality.max_null_share"
    if not share:
        return Choice(key, USUAL_NULLS, "nothing is missing now")
    return Choice(key, min(max(limit, USUAL_NULLS), 1.0), f"{worst.name} is missing in {share:.1%} of the rows")


def _new(key: str, shares: dict[str, float], how: str, three: float, said: str) -> Iterator[Choice]:
    """Of values that no training knew."""
    worst = max(shares, key=lambda name: shares[name], default=None)
    if worst is None:
        return
    limit = math.ceil(200 * shares[worst]) / 100
    if limit > max(three, USUAL_NEW):
        said = f"twice the share of the latest rows {how} {worst}, {shares[worst]:.1%}"
    if max(limit, three) > USUAL_NEW:
        yield Choice(key, min(max(limit, three), 1.0), said)


def outside(column: Column, sample: Sample) -> float:
    """The share of the latest fifth of the rows whose number is smaller or larger than all the earlier ones."""
    codes = column.codes[np.argsort(sample.times, kind="stable")]
    early, late = np.split(codes, [len(codes) * 4 // 5])
    early, late = early[early >= 0], late[late >= 0]
    return float(((late < early.min()) | (late > early.max())).mean()) if len(early) and len(late) else 0.0
