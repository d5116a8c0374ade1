"""Make a model's folder from a table: columns, windows, limits and floors proposed, each with the number behind it."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.config import METRICS, Task, load_config
from core.errors import DataError, OutsideError
from training.pipeline_file import load_build
from training.scaffold.columns import ColumnChoice, by_kind, judge
from training.scaffold.files import SECTIONS, files_of
from training.scaffold.limits import limits, quality
from training.scaffold.sample import TableSample
from training.scaffold.target import outcome
from training.scaffold.trial import trials
from training.scaffold.windows import Choice, maturity, windows

FILES = ("pipeline.py", "README.md", "model.toml")  # the last one makes the folder a model


@dataclass(frozen=True)
class ScaffoldProposal:
    """What was chosen, and the files that say so, by name."""

    name: str
    task: Task
    judged: tuple[ColumnChoice, ...]
    choices: tuple[Choice, ...]
    files: Mapping[str, str]


def propose_model(name: str, table: TableSample) -> ScaffoldProposal:
    """The folder of a model called `name`: it was read, fitted and judged as the nightly commands do it.

    Raises:
        DataError: no column is left to learn from, or there are too few labels.
        UsageError: a column to keep can be no feature.
    """
    judged = judge(table.sample, table.names, table.keep)
    judged += [ColumnChoice(column, "left out", "its type is not a number, text or time") for column in table.unread]
    kinds = by_kind(judged)
    if not kinds["numeric"] and not kinds["categorical"]:
        reasons = "; ".join(f"{one.name}: {one.why}" for one in judged[:5])
        raise DataError(
            f"No column of {table.shown} is left to learn from.",
            why=reasons or "It has only a time, an id and a target.",
            fix="Add columns that are known when the prediction is asked for, or name one that is with --keep.",
        )
    mature = maturity(table.days, table.delays)
    good = quality(table.days, table.sample, kinds["numeric"], kinds["categorical"])
    start = [*outcome(table.target, table.days, table.sample.labels), mature, *good]
    start.append(Choice("triggers.age.max_days", 30, "the default"))
    moving = [one.name for one in judged if one.moving]
    if moving:
        start.append(Choice("triggers.drift.ignore", moving, "kept by --keep: their later values are always others"))
    if len(kinds["numeric"]) + len(kinds["categorical"]) >= 10:  # noqa: PLR2004 - one of so many moves by its season
        start.append(Choice("triggers.drift.min_columns", 2, "of many columns one drifts with the season alone"))
    try:
        return _tried(name, table, judged, [*windows(table.days, mature.value), *start])
    except DataError:
        # The last days may hold one label only; all days hold both.
        return _tried(name, table, judged, [*windows(table.days, mature.value, whole=True), *start])


def _tried(name: str, table: TableSample, judged: Sequence[ColumnChoice], choices: list[Choice]) -> ScaffoldProposal:
    """The proposal with floors from quick fits of what is proposed."""
    metric = Choice("triggers.performance.metric", METRICS[table.target.task][0], "any that the task has")
    draft = files_of(name, table, judged, [*choices, metric])
    mature = next(one.value for one in choices if one.key == "training.maturity_days")
    end = dt.datetime.combine(table.days.last, dt.time(), dt.UTC) + dt.timedelta(days=1 - mature)
    with _written(draft, name) as root:
        config, build = load_config(root, name), load_build(root, name)
        tried = trials(table.sample.batches, config, build, end)
        rare = table.days.rare / table.days.labelled
        whole = [*choices, *limits(tried, rare)]
    whole.sort(key=lambda one: SECTIONS.index(one.key.rpartition(".")[0]))
    files = files_of(name, table, judged, whole)
    with _written(files, name) as root:
        load_config(root, name)
    return ScaffoldProposal(name, table.target.task, tuple(judged), tuple(whole), files)


@contextmanager
def _written(files: Mapping[str, str], name: str, parent: Path | None = None) -> Iterator[Path]:
    """A repository with nothing but this model, for as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as folder:
        place = Path(folder) / "model" / name
        place.mkdir(parents=True)
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8")
        yield Path(folder)


def write_model(root: Path, proposal: ScaffoldProposal) -> Path:
    """Write the folder below `root`, as a whole or not at all; files of an old one that `mlops new` did not write stay.

    Raises:
        OutsideError: it cannot be written.
    """
    place = root / "model" / proposal.name
    try:
        with _written(proposal.files, proposal.name, root / "model") as made:
            new = made / "model" / proposal.name
            if not place.exists():
                new.rename(place)
                return place
            for file in FILES:
                (new / file).replace(place / file)
    except OSError as err:
        raise OutsideError(
            f"Cannot write {place}: {err.strerror}.",
            why="The folder is read-only, the disk is full, or a file stands where the folder should be.",
            fix="Free the path and run the command again.",
        ) from err
    return place
