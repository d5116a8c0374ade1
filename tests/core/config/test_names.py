"""One rule for names of columns, whatever their alphabet, and each refusal says which character is not allowed."""

from __future__ import annotations

import datetime as dt
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest

from core.config.model import Columns, Data
from core.config.names import name_problem
from core.records import problems
from monitoring.sources import open_source
from review.text import markdown

SPAN = dt.datetime(2023, 1, 1, tzinfo=dt.UTC), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
GOOD = [
    "größe (m²)",
    unicodedata.normalize("NFD", "größe"),
    "हिन्दी",
    "年齢",
    "العمر",
    "price [€]",
    "#months",
    "tenure*",
    "Zeile №",
    "is it?",
    "l'âge",
    "a_b-c.d",
    "°C",
    "x" * 128,
]
BAD = {
    "": "it is empty",
    "x" * 129: "it has 129 characters, at most 128 are allowed",
    'a"b': 'it contains "',
    "a`b": "it contains `",
    "a|b": "it contains |",
    "a<b": "it contains <",
    "a\\b": "it contains \\",
    "a\nb": "it contains a control character (U+000A)",
    "a\u00a0b": "it contains no-break space (U+00A0)",
    "a\u202eb": "it contains right-to-left override (U+202E)",
    " a": "it starts with a dash or a space, or ends with a space",
    "a ": "it starts with a dash or a space, or ends with a space",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_name_survives_the_config_a_database_and_a_page(name: str, tmp_path: Path) -> None:
    """It is valid, is found in a table by that name, and is text in Markdown: undone escapes give it back."""
    with closing(sqlite3.connect(tmp_path / "rows.db")) as database:
        database.execute(f'CREATE TABLE t (time TEXT, "{name}" REAL)')
        database.execute("INSERT INTO t VALUES ('2024-01-01T00:00:00Z', 1.5)")
        database.commit()
    data = Data(source="rows.db", table="t", columns=Columns(time="time"), numeric=(name,))
    batches = open_source("rows.db", data, tmp_path).batches((name,), *SPAN)

    assert name_problem(name) is None
    assert [1.5] == [value for batch in batches for value in batch.column(name).to_pylist()]
    assert name == markdown.plain(name).replace("\\", "").replace(markdown.JOINT, "")
    assert not set("<>|`") & set(name)


@pytest.mark.parametrize(("name", "problem"), BAD.items())
def test_a_refused_name_says_why(name: str, problem: str) -> None:
    """The rule, and the error of a config, name what is wrong."""
    assert problem == name_problem(name)
    with pytest.raises(ValueError, match="is not a valid column name") as caught:
        Columns(time=name)
    assert problem in problems(caught.value)  # type: ignore[arg-type]
