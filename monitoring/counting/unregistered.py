"""Scored rows that name a model version which is not registered: no nightly run judges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import spelling
from core.config import Columns
from core.quality_report import Finding

SHOWN = 3  # versions in the sentence
LONGEST = 40  # characters of each


def scored_versions(batches: Iterable[pa.RecordBatch], columns: Columns) -> Counter[str | None]:
    """Return how many scored rows name each version; None stands for rows that name none."""
    rows: Counter[str | None] = Counter()
    for batch in batches:
        if columns.score not in batch.schema.names:
            continue
        scored = pc.invert(pc.is_null(batch.column(columns.score), nan_is_null=True))
        names = spelling.versions(batch.column(columns.version)) if columns.version in batch.schema.names else None
        if names is None:
            rows[None] += pc.sum(scored).as_py() or 0
            continue
        for count in pc.value_counts(names.filter(scored)).to_pylist():
            rows[count["values"]] += count["counts"]
    return rows


def unregistered_versions(
    rows: Counter[str | None], registered: Collection[int], column: str, model: str
) -> Finding | None:
    """Return the finding of scored rows whose version is not registered, with their versions and shares."""
    names = {str(number) for number in registered}
    unknown = Counter({name: count for name, count in rows.items() if name not in names and count})
    if not unknown:
        return None
    total, share = rows.total(), unknown.total() / rows.total()
    shares = [
        f"{'no version' if name is None else repr(name[:LONGEST])} {count / total:.1%}"
        for name, count in unknown.most_common(SHOWN)
    ]
    more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
    return Finding(
        severity="warning",
        check="unregistered_version",
        column=column,
        date=None,
        value=share,
        limit=0.0,
        sentence=(
            f"{column} is not a registered version of {model} in {share:.1%} of the scored rows, so these rows are not "
            f"judged: {', '.join(shares)}{more}. The service writes the number of the version, such as 1"
        ),
    )
