"""Fill in the files of a new model's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.policy import Task
from model.scaffold_columns import Judged, by_kind
from model.scaffold_days import Choice
from model.scaffold_table import Table
from model.scaffold_text import config_text, rendered

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


def files_of(name: str, table: Table, judged: Sequence[Judged], choices: Sequence[Choice]) -> dict[str, str]:
    """The text of each file, by its name."""
    words = _words(name, table, judged, choices)
    return {
        "model.toml": _config(table, judged, choices, words),
        "pipeline.py": rendered("new_pipeline.py.jinja", words),
        "README.md": rendered("new_readme.md.jinja", words),
    }


def _words(name: str, table: Table, judged: Sequence[Judged], choices: Sequence[Choice]) -> dict[str, Any]:
    """What stands in the templates."""
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
        "because": {role: why.format(said=task.said_words, label=task.label_words) for role, why in BECAUSE.items()},
        "judged": judged,
        "choices": choices,
        "fitted": fitted,
        "leaf": min(max(fitted // 200, 5), 50),
        "rounds": max(min(ROUNDS, TREES // len(target.classes or ("",))), LEAST),
        "ones": by_label[-1] / days.labelled,
        "rare": by_label.min() / days.labelled,
    }


def _config(table: Table, judged: Sequence[Judged], choices: Sequence[Choice], words: Mapping[str, Any]) -> str:
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
