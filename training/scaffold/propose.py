"""The proposal of a model's folder from a table: columns, windows, limits and floors, each with its reason."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core import wording
from core.config import METRICS, Metric, Task, load_config
from core.errors import DataError, OutsideError
from training import load_build
from training.scaffold.columns import OLD_PREDICTION, ColumnChoice, Report, by_kind, judge
from training.scaffold.files import SECTIONS, files_of
from training.scaffold.leaks import EXPLAINED, PERFECT
from training.scaffold.limits import limits, quality
from training.scaffold.sample import TableSample
from training.scaffold.target import outcome
from training.scaffold.trial import Trial, trials
from training.scaffold.windows import Choice, maturity, windows

FILES = ("pipeline.py", "README.md", "model.toml")  # written last, model.toml makes the folder a model
TOO_GOOD: Mapping[Task, tuple[Metric, float]] = {
    "binary": ("roc_auc", PERFECT),
    "multiclass": ("balanced_accuracy", PERFECT),
    "regression": ("r2", EXPLAINED),
}


@dataclass(frozen=True)
class ScaffoldProposal:
    """What was chosen, what to check first, and the text of each file by its name."""

    name: str
    task: Task
    columns: tuple[ColumnChoice, ...]
    choices: tuple[Choice, ...]
    warnings: tuple[str, ...]
    files: Mapping[str, str]


def propose_model(name: str, table: TableSample, report: Report = lambda _: None) -> ScaffoldProposal:
    """Return the folder of a model called `name`, after it was read and fitted as the nightly commands do it.

    Args:
        name: of the model.
        table: what is known of its table.
        report: is called with each step that is about to start.

    Raises:
        DataError: no column is left to learn from, or there are too few labels.
        UsageError: a column to keep cannot be a feature.
    """
    mature = maturity(table.days, table.delays)
    periods = list(windows(table.days, mature.value))
    report(f"judging {len(table.names):,} columns")
    columns = judge(table.sample, table.names, table.keep, _value(periods, "training.window_days"), report)
    columns += [ColumnChoice(column, "left out", "its type is not a number, text or time") for column in table.unread]
    kinds = by_kind(columns)
    if not kinds["numeric"] and not kinds["categorical"]:
        reasons = "; ".join(f"{column.name}: {column.why}" for column in columns[:5])
        raise DataError(
            f"No column of {table.shown} is left to learn from.",
            why=reasons or "It has only a time, an id and a target.",
            fix="Add columns that are known when the prediction is requested, or keep one with --keep.",
        )
    shares = quality(table.days, table.sample, kinds["numeric"], kinds["categorical"])
    fixed = [*outcome(table.target, table.days, table.sample.labels), mature, *shares]
    fixed.append(Choice("triggers.age.max_days", 30, "the default"))
    moving = [column.name for column in columns if column.moving]
    if moving:
        fixed.append(Choice("triggers.drift.ignore", moving, "kept by --keep: their later values always differ"))
    if len(kinds["numeric"]) + len(kinds["categorical"]) >= 10:  # noqa: PLR2004 - one of so many moves by its season
        fixed.append(Choice("triggers.drift.min_columns", 2, "of many columns, one drifts with the season alone"))
    try:
        return _with_trials(name, table, columns, [*periods, *fixed], report)
    except DataError:
        # The last days may have only one label; all days together have both.
        periods = list(windows(table.days, mature.value, whole=True))
        return _with_trials(name, table, columns, [*periods, *fixed], report)


def _with_trials(
    name: str, table: TableSample, columns: Sequence[ColumnChoice], choices: list[Choice], report: Report
) -> ScaffoldProposal:
    """Return the proposal with floors from quick fits."""
    metric = Choice("triggers.performance.metric", METRICS[table.target.task][0], "any metric of the task")
    draft = files_of(name, table, columns, [*choices, metric])
    mature = _value(choices, "training.maturity_days")
    end = dt.datetime.combine(table.days.last, dt.time(), dt.UTC) + dt.timedelta(days=1 - mature)
    with _written(draft, name) as root:
        config, build = load_config(root, name), load_build(root, name)
        tried = trials(table.sample.batches, config, build, end, report)
        choices = [*choices, *limits(tried, table.days.rare / table.days.labelled)]
    choices.sort(key=lambda choice: SECTIONS.index(choice.key.rpartition(".")[0]))
    report("comparing the newest fit with a guess and a linear model")
    warnings = tuple(_warnings(table, columns, tried, choices))
    files = files_of(name, table, columns, choices, warnings)
    with _written(files, name) as root:
        load_config(root, name)
    return ScaffoldProposal(name, table.target.task, tuple(columns), tuple(choices), warnings, files)


def _value(choices: Sequence[Choice], key: str) -> int:
    """Return the value of a choice."""
    return next(int(choice.value) for choice in choices if choice.key == key)


def _warnings(
    table: TableSample, columns: Sequence[ColumnChoice], tried: Sequence[Trial], choices: Sequence[Choice]
) -> Iterator[str]:
    """Yield what a person must check before the model is used."""
    newest, task = tried[0], table.target.task
    metric: Metric = next(choice.value for choice in choices if choice.key == "triggers.performance.metric")
    value, linear = newest.value(metric), newest.linear(metric)
    name, figure = wording.metric(metric), wording.figure(metric, value)
    rows = f"{len(newest.labels):,} later rows"
    if not {f"gates.{name}" for name in METRICS[task]} & {choice.key for choice in choices}:
        yield (
            f"No gate judges the score: no quick fit is clearly better than a guess ({name} {figure}, a guess has "
            f"{wording.figure(metric, newest.guess(metric))}). Add columns that are known when the prediction is "
            "requested, or more rows"
        )
    elif linear >= value:
        yield (
            f"A linear model is at least as good as the proposed trees on {rows} ({name} "
            f"{wording.figure(metric, linear)}, the trees have {figure}). Consider it for pipeline.py"
        )
    sign, limit = TOO_GOOD[task]
    best = max(newest.value(sign), newest.linear(sign) if task == "regression" else 0.0)
    if best >= limit:
        deciding = newest.deciding_columns(sign)
        named = f"It depends most on {', '.join(deciding[:5])}. Are these" if deciding else "Are all columns"
        yield (
            f"The score may be too good to be true: {wording.metric(sign)} {wording.figure(sign, best)} on {rows}. "
            f"{named} known when the prediction is requested? If not, delete them from [data] in model.toml"
        )
    old = [column.name for column in columns if OLD_PREDICTION.search(column.name)]
    if old:
        yield (
            f"Predictions of an older model, by their names: {', '.join(old)}. Name the score of the model in "
            "service with --score, and keep an input of this model with --keep"
        )
    if table.roles.id is None:
        yield (
            "No column identifies rows, so duplicate rows are not looked for and no prediction can be logged. Name an "
            "id with --id if the table has one"
        )


@contextmanager
def _written(files: Mapping[str, str], name: str, parent: Path | None = None) -> Iterator[Path]:
    """Write a repository with only this model, and delete it in the end."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as folder:
        path = Path(folder) / "model" / name
        path.mkdir(parents=True)
        for file, text in files.items():
            (path / file).write_text(text, encoding="utf-8")
        yield Path(folder)


def write_model(root: Path, proposal: ScaffoldProposal) -> Path:
    """Write the folder below `root`, as a whole or not at all. Other files of an existing folder stay.

    Raises:
        OutsideError: it cannot be written.
    """
    path = root / "model" / proposal.name
    try:
        with _written(proposal.files, proposal.name, root / "model") as complete:
            new = complete / "model" / proposal.name
            if not path.exists():
                new.rename(path)
                return path
            for file in FILES:
                (new / file).replace(path / file)
    except OSError as err:
        raise OutsideError(
            f"Cannot write {path}: {err.strerror}.",
            why="The folder is read-only, the disk is full, or there is a file in place of the folder.",
            fix="Free the path and run the command again.",
        ) from err
    return path
