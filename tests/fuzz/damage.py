"""Start from a good file and damage it: what a hand, a merge, a full disk or an attacker makes of JSON and TOML."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from core.errors import MlopsError

HUGE = 10**400
DEEP = 100_000  # brackets; far more than Python's stack holds
OPENINGS = (b"[", b'{"a":', b"\na = [", b"\na.a")
ODD: tuple[Any, ...] = (
    None,
    True,
    "",
    "x" * 10_000,
    "\ud800",
    "\x00\x1b[2J\u202e::error::x",
    "../../etc/passwd",
    0,
    -1,
    2**31,
    2**63,
    HUGE,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
    "2013-13-45T25:61:00Z",
    [],
    [[]],
    {},
    {"record": "Decision/1"},
    {"shape": [4194304, 4194304], "zlib": "eJwDAAAAAAE="},
)
odd_values = st.sampled_from(ODD) | st.text(max_size=20) | st.integers() | st.floats() | st.lists(st.none(), max_size=3)
Path = tuple[str | int, ...]
T = TypeVar("T")


def attempt(call: Callable[[], T], *refusals: type[MlopsError]) -> T | None:
    """What a call gives; None where it refuses with one of these errors."""
    try:
        return call()
    except refusals:
        return None


def places(tree: Any, path: Path = ()) -> list[Path]:
    """The paths to all values inside a tree of dicts and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found: list[Path] = []
    for key, value in items:
        found += [(*path, key), *places(value, (*path, key))]
    return found


def changed(tree: Any, path: Path, how: str, value: Any) -> Any:
    """A copy of a tree in which the value at `path` is replaced by `value`, deleted, or got it as a neighbour."""
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    key = path[0]
    if len(path) > 1:
        copy[key] = changed(tree[key], path[1:], how, value)
    elif how == "replace":
        copy[key] = value
    elif how == "delete":
        del copy[key]
    elif isinstance(copy, dict):
        copy[f"{key}_"] = value
    else:
        copy.append(value)
    return copy


@st.composite
def damaged_trees(draw: st.DrawFn, tree: Any) -> Any:
    """A tree with one to three values gone, put in twice, unknown, or of another type, size or form."""
    for _ in range(draw(st.integers(1, 3))):
        known = places(tree)
        if not known:
            break
        path, how = draw(st.sampled_from(known)), draw(st.sampled_from(("replace", "delete", "add")))
        tree = changed(tree, path, how, draw(odd_values))
    return tree


@st.composite
def damaged_bytes(draw: st.DrawFn, text: str) -> bytes:
    """A file cut short, with bytes changed, put in or doubled, in another encoding, or of brackets only."""
    data = text.encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(data)))
    rest = draw(st.integers(at, len(data)))
    inside = st.binary(max_size=8) | st.sampled_from((b"9" * 5000, *(opening * DEEP for opening in OPENINGS)))
    cut, replaced = st.just(data[:at]), inside.map(lambda new: data[:at] + new + data[rest:])
    inserted = inside.map(lambda new: data[:at] + new + data[at:])
    recoded = st.sampled_from(("utf-16", "utf-32", "utf-8-sig")).map(lambda code: text.encode(code, "surrogatepass"))
    return draw(st.one_of(cut, replaced, inserted, st.just(data[:rest] + data[at:]), recoded))


def as_toml(tree: dict[str, Any]) -> str:
    """A tree as TOML with inline tables, so that every value can stand everywhere."""
    return "".join(f"{_toml(str(key))} = {_toml(value)}\n" for key, value in tree.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return "nil" if value is None else str(value)  # there is no null in TOML
