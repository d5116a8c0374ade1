"""Output of `mlops new`: what to check first, what was chosen, and what to type next."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.cli import output
from scripts.new.rows import VARIABLE

if TYPE_CHECKING:
    from training.scaffold import ColumnChoice, ScaffoldProposal, TableSample

NAMED = 12  # columns of a kind, or items of a list, that are shown one by one
STAGES = ("doctor", "pull", "check", "train", "validate", "propose")


def lines(proposal: ScaffoldProposal, table: TableSample, source: str) -> list[str]:
    """Return what was written, what to check first, each choice, and what to type next."""
    days, name = table.days, proposal.name
    rows = f"{int(days.counts[:, 0].sum()):,} rows from {days.first} to {days.last}, {days.labelled:,} with a label"
    text = [f"Wrote model/{name}/ for {table.shown}: {rows}"]
    if proposal.warnings:
        text += ["", "Check first:", *(f"  ! {warning}." for warning in proposal.warnings), ""]
    text += [
        f"The task is {proposal.task}: {table.roles.label} {table.target.why}",
        "",
        "The columns, [data] in model.toml:",
        *columns(proposal, table),
        "",
        "The numbers, each with its reason:",
        *(f"  {choice.key} = {brief(choice.value)}: {choice.why}" for choice in proposal.choices),
        "",
        f"model/{name}/README.md has all of this, too. Then type:",
        *commands(name, table, source),
    ]
    return [output.clean(line) for line in text]


def columns(proposal: ScaffoldProposal, table: TableSample) -> Iterator[str]:
    """Yield the roles, and what the other columns are taken as."""
    roles = {role: column for role, column in table.roles.model_dump().items() if column}
    yield f"  {', '.join(f'{column} ({role})' for role, column in roles.items())}"
    later = [column for column in roles.values() if column not in table.existing]
    if later:
        are = "is not a column" if len(later) == 1 else "are not columns"
        yield f"  {' and '.join(later)} {are} yet: the service that uses the model writes them, see docs/serving.md"
    if table.utc:
        yield "  times have no zone and are taken as UTC"
    for kind in ("numeric", "categorical", "left out"):
        yield from group(kind, [column for column in proposal.columns if column.kind == kind])


def group(kind: str, choices: Sequence[ColumnChoice]) -> Iterator[str]:
    """Yield the columns of a kind: with the reason if they are few, and always if they are left out."""
    if not choices:
        return
    yield f"  {len(choices):,} {kind}"
    if kind == "left out" or len(choices) <= NAMED:
        yield from (f"    {column.name}: {column.why}" for column in choices)
    else:
        yield f"    {', '.join(column.name for column in choices)}"


def brief(value: object) -> object:
    """Return a value for a reader; of a long list, the first items."""
    if not isinstance(value, list) or len(value) <= NAMED:
        return value
    return f"[{', '.join(map(repr, value[:3]))}, ... {len(value)} in all]"


def commands(name: str, table: TableSample, source: str) -> Iterator[str]:
    """Yield the commands that bring the first version into Production on this machine."""
    if table.source == VARIABLE:
        place = "..." if "://" in source else shlex.quote(str(Path(source).resolve()))
        yield f"  export MONITORING_URL={place}   # overrides data.source of every model"
    night = table.days.last + dt.timedelta(days=1)
    yield f"  export MLOPS_MODEL={name} MLOPS_AS_OF={night}   # the day after the last row"
    yield from (f"  mlops {stage}" for stage in STAGES)
    yield "  # the last command says how to merge; the merge puts version 1 into Production"
