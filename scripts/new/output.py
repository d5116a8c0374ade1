"""Tell a person what `mlops new` chose, what to look at, and what to type next."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.cli import output
from scripts.new.rows import VARIABLE

if TYPE_CHECKING:
    from training.scaffold import ColumnChoice, ScaffoldProposal, TableSample

NAMED = 12  # columns of a kind, or items of a list, that are listed one by one
STAGES = ("doctor", "pull", "check", "train", "validate", "propose")


def lines(proposal: ScaffoldProposal, table: TableSample, source: str) -> list[str]:
    """What to look at, and what to type next."""
    days, name = table.days, proposal.name
    rows = f"{int(days.counts[:, 0].sum()):,} rows of {days.first} to {days.last}, {days.labelled:,} labelled"
    report = [
        f"Wrote model/{name}/ for {table.shown}: {rows}",
        f"The task is {proposal.task}: of {table.roles.label}, {table.target.why}",
        "",
        "The columns, [data] in model.toml:",
        *columns(proposal, table),
    ]
    report += ["", "The numbers, each with what led to it:"]
    report += [f"  {one.key} = {brief(one.value)}: {one.why}" for one in proposal.choices]
    report += ["", f"All of this is also in model/{name}/README.md. Then type:", *commands(name, table, source)]
    return [output.clean(line) for line in report]


def columns(proposal: ScaffoldProposal, table: TableSample) -> Iterator[str]:
    """The roles, and what the other columns are taken as."""
    roles = [f"{column} ({role})" for role, column in table.roles.model_dump().items() if column]
    yield f"  {', '.join(roles)}"
    if table.roles.score not in table.sample.batches[0].schema.names:
        yield f"  {table.roles.score} is not a column yet: your service writes its scores there, docs/serving.md"
    if table.utc:
        yield "  times have no zone and are taken as UTC"
    for kind in ("numeric", "categorical", "left out"):
        yield from group(kind, [one for one in proposal.judged if one.kind == kind])


def group(kind: str, judged: list[ColumnChoice]) -> Iterator[str]:
    """The columns of a kind, one by one with the reason where there are few, and always where they are left out."""
    if not judged:
        return
    yield f"  {len(judged)} {kind}"
    if kind == "left out" or len(judged) <= NAMED:
        yield from (f"    {one.name}: {one.why}" for one in judged)
    else:
        yield f"    {', '.join(one.name for one in judged)}"


def brief(value: object) -> object:
    """A value as it is read, a long list by its first items."""
    if not isinstance(value, list) or len(value) <= NAMED:
        return value
    return f"[{', '.join(map(repr, value[:3]))}, ... {len(value)} in all]"


def commands(name: str, table: TableSample, source: str) -> Iterator[str]:
    """What brings the first version into Production here."""
    if table.source == VARIABLE:
        place = "..." if "://" in source else shlex.quote(str(Path(source).resolve()))
        yield f"  export MONITORING_URL={place}   # wins over data.source of every model"
    night = table.days.last + dt.timedelta(days=1)
    yield f"  export MLOPS_MODEL={name} MLOPS_AS_OF={night}   # the night after the last row"
    yield from (f"  mlops {stage}" for stage in STAGES)
    yield "  # the last one says how to merge: that puts version 1 into Production"
