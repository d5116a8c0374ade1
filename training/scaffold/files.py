"""The files of a new model's folder."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Array, Table

from core.config import Task
from training.scaffold.columns import ColumnChoice, by_kind
from training.scaffold.sample import TableSample
from training.scaffold.windows import Choice

ROLES = {
    "id": "identifies rows",
    "time": "when the prediction was requested; days are UTC",
    "score": "{score}, from the model; null, or no column yet, for older rows",
    "label": "the target: {label}, or null until it is known",
    "labelled_at": "when the label became known",
    "version": "the version of the model that gave the score; null, or no column yet, for older rows",
}
ROUNDS, TREES, LEAST = 60, 600, 15  # a round has a tree for each class, so with many classes there are fewer rounds
QUESTIONS: Mapping[Task, str] = {
    "binary": "is {} 1?",
    "multiclass": "which {} is it?",
    "regression": "how large is {}?",
}
WIDTH = 120
WIDE = 200  # features from which scikit-learn takes longer to find bins than to grow trees
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


def files_of(
    name: str,
    table: TableSample,
    columns: Sequence[ColumnChoice],
    choices: Sequence[Choice],
    warnings: Sequence[str] = (),
) -> dict[str, str]:
    """Return the text of each file, by its name."""
    wide = sum(column.kind != "left out" for column in columns) > WIDE
    values = {
        **_values(name, table, choices),
        "wide": wide,
        "columns": columns,
        "choices": choices,
        "warnings": warnings,
    }
    return {
        "model.toml": _config(table, columns, choices, values),
        "pipeline.py": _rendered("pipeline.py.jinja", values),
        "README.md": _rendered("readme.md.jinja", values),
    }


def _values(name: str, table: TableSample, choices: Sequence[Choice]) -> dict[str, Any]:
    """Return the values of the templates."""
    days, target, task = table.days, table.target, table.target.counting
    by_key, by_label = {choice.key: choice.value for choice in choices}, days.counts[:, 1:].sum(axis=0)
    fitted = round(days.labelled * by_key["training.window_days"] / len(days.counts) * (1 - by_key["training.holdout"]))
    texts = {role: why.format(score=task.score_text, label=task.label_text) for role, why in ROLES.items()}
    roles = [(role, column, texts[role]) for role, column in table.roles.model_dump().items() if column]
    return {
        "name": name,
        "question": QUESTIONS[target.task].format(table.roles.label),
        "task": target.task,
        "target": table.roles.label,
        "why": target.why,
        "shown": table.shown,
        "rows": int(days.counts[:, 0].sum()),
        "first": days.first,
        "last": days.last,
        "roles": roles,
        "fitted": fitted,
        "leaf": min(max(fitted // 200, 5), 50),
        "rounds": max(min(ROUNDS, TREES // len(target.classes or ("",))), LEAST),
        "ones": by_label[-1] / days.labelled,
        "rare": by_label.min() / days.labelled,
    }


def _config(
    table: TableSample, columns: Sequence[ColumnChoice], choices: Sequence[Choice], values: Mapping[str, Any]
) -> str:
    kinds = by_kind(columns)
    head = [
        f"{values['name']}: {values['question']} Every key with its bounds: docs/your-model.md.",
        f"Proposed by mlops new from the rows of {values['first']} to {values['last']}. README.md has the rest.",
    ]
    data = {
        "source": table.source,
        "table": table.table,
        "timezone": "UTC" if table.utc else None,
        "numeric": kinds["numeric"],
        "categorical": kinds["categorical"],
        "columns": table.roles.model_dump(),
    }
    return config_text(head, {"task": table.target.task, "registry_name": values["name"]}, data, choices)


def config_text(head: Sequence[str], top: Mapping[str, Any], data: Mapping[str, Any], choices: Iterable[Choice]) -> str:
    """Return a model.toml: comments, the keys of the top, [data] with its columns, each choice with its reason."""
    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    for key, value in top.items():
        document.add(key, value)
    sections: dict[str, Table] = {name: tomlkit.table() for name in SECTIONS}
    for key, value in data.items():
        if key != "columns" and value not in (None, []):
            _add(sections["data"], key, value)
    for choice in choices:
        section, _, key = choice.key.rpartition(".")
        _add(sections[section], key, choice.value, choice.why)
    named = {role: column for role, column in data["columns"].items() if column is not None}
    sections["data"].add(tomlkit.nl())
    sections["data"].add("columns", named)
    for name, table in sections.items():
        if table:
            table.add(tomlkit.nl())
            _parent(document, name).add(name.rpartition(".")[2], table)
    return document.as_string().rstrip("\n") + "\n"


def _parent(document: tomlkit.TOMLDocument, section: str) -> Container | Table:
    """Return where a section belongs; the parent of a nested section has no header of its own."""
    outer, _, _ = section.rpartition(".")
    if outer and outer not in document:
        document.add(outer, tomlkit.table(is_super_table=True))
    return document[outer] if outer else document


def _add(table: Table, key: str, value: Any, why: str = "") -> None:
    """Add a key with its reason next to it, or above it if the line would be too long."""
    item = tomlkit.item(value)
    if isinstance(item, Array) and len(f"{key} = {item.as_string()}") > WIDTH:
        item = _wrapped(value)
    line = f"{key} = {item.as_string()}"
    if why and ("\n" in line or len(line) + len(why) + 3 > WIDTH):
        for part in textwrap.wrap(why, WIDTH - 2):
            table.add(tomlkit.comment(part))
    elif why:
        item.comment(why)
    table.add(key, item)


def _wrapped(values: Iterable[Any]) -> Array:
    """Return a list over several lines, as many values a line as fit."""
    row: list[Any] = []
    array, width = tomlkit.array(), 0
    for value in values:
        size = len(tomlkit.item(value).as_string()) + 2
        if row and width + size > WIDTH - 2:
            array.add_line(*row, indent="  ")
            row, width = [], 0
        row.append(value)
        width += size
    array.add_line(*row, indent="  ")
    array.add_line(indent="")
    return array


def _rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return a file from its template."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # The files are Python and Markdown for their owner; names in the README are escaped by `cell`.
    environment = Environment(
        loader=PackageLoader("training.scaffold"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(values)


def _cell(text: object) -> str:
    """Return text for a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
