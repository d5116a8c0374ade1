"""Write the files of a new model's folder."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from model.scaffold_days import Choice

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
    """A line with its comment beside it, or above where there is no room."""
    beside = f"{line} # {why}"
    if "\n" not in line and len(beside) <= WIDTH:
        return [beside]
    return [*(f"# {part}" for part in textwrap.wrap(why, WIDTH - 2)), line]


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A file from its template beside this module."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("model", ".")
    # The files are Python and Markdown for their owner; names in the latter are escaped by `cell`.
    world = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    world.filters["cell"] = cell
    return world.get_template(template).render(values)


def cell(text: object) -> str:
    """Text for a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
