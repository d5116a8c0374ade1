"""Fill in the files of a new model's folder."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.config import Task
from training.scaffold.columns import ColumnChoice, by_kind
from training.scaffold.sample import TableSample
from training.scaffold.windows import Choice

BECAUSE = {
    "id": "tells rows apart",
    "time": "when the prediction was asked for; days are UTC",
    "score": "{said}, as the model gave it; null, or no column yet, for history",
    "label": "the target: {label}, or null until it is known",
    "labelled_at": "when the label became known",
    "version": "the model version that gave the score",
}
ROUNDS, TREES, LEAST = 60, 600, 15  # each round is a tree a class: with many classes there are fewer rounds
ASKS: Mapping[Task, str] = {"binary": "is {} 1?", "multiclass": "which {} is it?", "regression": "how large is {}?"}


def files_of(
    name: str, table: TableSample, judged: Sequence[ColumnChoice], choices: Sequence[Choice]
) -> dict[str, str]:
    """The text of each file, by its name."""
    words = _words(name, table, judged, choices)
    return {
        "model.toml": _config(table, judged, choices, words),
        "pipeline.py": rendered("pipeline.py.jinja", words),
        "README.md": rendered("readme.md.jinja", words),
    }


def _words(name: str, table: TableSample, judged: Sequence[ColumnChoice], choices: Sequence[Choice]) -> dict[str, Any]:
    """The values of the templates."""
    days, target, task = table.days, table.target, table.target.counting
    by_key, by_label = {one.key: one.value for one in choices}, days.counts[:, 1:].sum(axis=0)
    fitted = round(days.labelled * by_key["training.window_days"] / len(days.counts) * (1 - by_key["training.holdout"]))
    return {
        "name": name,
        "asks": ASKS[target.task].format(table.roles.label),
        "task": target.task,
        "target": table.roles.label,
        "why": target.why,
        "shown": table.shown,
        "rows": int(days.counts[:, 0].sum()),
        "first": days.first,
        "last": days.last,
        "roles": [(role, column) for role, column in table.roles.model_dump().items() if column],
        "because": {role: why.format(said=task.score_text, label=task.label_text) for role, why in BECAUSE.items()},
        "judged": judged,
        "choices": choices,
        "fitted": fitted,
        "leaf": min(max(fitted // 200, 5), 50),
        "rounds": max(min(ROUNDS, TREES // len(target.classes or ("",))), LEAST),
        "ones": by_label[-1] / days.labelled,
        "rare": by_label.min() / days.labelled,
    }


def _config(
    table: TableSample, judged: Sequence[ColumnChoice], choices: Sequence[Choice], words: Mapping[str, Any]
) -> str:
    kinds = by_kind(judged)
    span = f"{words['first']} to {words['last']}"
    head = [
        f"{words['name']}: {words['asks']} Every key with its bounds: docs/your-model.md.",
        f"Proposed by mlops new on the rows of {span}; README.md says what was left out, and why.",
    ]
    data = {
        "source": table.source,
        "table": table.table,
        "timezone": "UTC" if table.utc else None,
        "numeric": kinds["numeric"],
        "categorical": kinds["categorical"],
        "columns": table.roles.model_dump(),
    }
    return config_text(head, {"task": table.target.task, "registry_name": words["name"]}, data, choices)


WIDTH = 120
SECTIONS = (
    "data",
    "training",
    "triggers.performance",
    "triggers.drift",
    "triggers.age",
    "triggers.limits",
    "quality",
    "gates",
)


def config_text(head: Sequence[str], top: Mapping[str, Any], data: Mapping[str, Any], choices: Iterable[Choice]) -> str:
    """A model.toml: comment lines, keys of the top, the section [data] with its columns, each choice with its why."""
    explained: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for one in choices:
        section, _, key = one.key.rpartition(".")
        explained[section] += _explained(_line(key, one.value), one.why)
    lines = [*(f"# {line}" for line in head), "", *(_line(key, value) for key, value in top.items()), "", "[data]"]
    lines += [_line(key, value) for key, value in data.items() if key != "columns" and value not in (None, [])]
    lines += explained.pop("data")
    lines += ["", "[data.columns]", *(_line(key, value) for key, value in data["columns"].items() if value is not None)]
    for section, here in explained.items():
        lines += ["", f"[{section}]", *here] if here else []
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    line = f"{key} = {_value(value)}"
    if not isinstance(value, list) or len(line) <= WIDTH:
        return line
    rows, row = [], " "
    for item in value:
        if len(row) + len(_value(item)) + 2 > WIDTH:
            rows.append(row)
            row = " "
        row += f" {_value(item)},"
    return "\n".join([f"{key} = [", *rows, row, "]"])


def _value(value: Any) -> str:
    """JSON is TOML for numbers, plain texts and lists of them; DEL, which TOML does not allow, is in no name."""
    return json.dumps(value, ensure_ascii=False)


def _explained(line: str, why: str) -> list[str]:
    """A line with its comment behind it, or above if there is no room."""
    annotated = f"{line} # {why}"
    if "\n" not in line and len(annotated) <= WIDTH:
        return [annotated]
    return [*(f"# {part}" for part in textwrap.wrap(why, WIDTH - 2)), line]


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A file from its template next to this module."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("training.scaffold")
    # The files are Python and Markdown for their owner; names in the latter are escaped by `cell`.
    world = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    world.filters["cell"] = cell
    return world.get_template(template).render(values)


def cell(text: object) -> str:
    """Text for a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
