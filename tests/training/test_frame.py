"""Rows of any source become one kind of frame, and its digest is that of the rows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Columns, Data
from core.errors import DataError
from training.digest import data_digest, order
from training.frame import features, labelled_frame

NIGHT = dt.datetime(2024, 1, 10, tzinfo=dt.UTC)
DATA = Data(source="s", columns=Columns(id="id", labelled_at="known"), numeric=("x",), categorical=("c",))
MOMENTS = pa.array([NIGHT - dt.timedelta(days=n) for n in (4, 3, 2)], pa.timestamp("us", "UTC"))


def batch(**columns: pa.Array | list[object]) -> pa.RecordBatch:
    """Three labelled rows; columns can be replaced, or left out with None."""
    usual = {
        "id": ["a", "b", "c"],
        "timestamp": MOMENTS,
        "actual": [0, 1, 0],
        "known": MOMENTS,
        "x": [1.5, None, 3.0],
        "c": ["u", None, "v"],
    }
    kept = {name: column for name, column in {**usual, **columns}.items() if column is not None}
    return pa.RecordBatch.from_pydict(kept)


def test_frame_has_one_kind_of_column_for_each_role() -> None:
    """Numbers are float64, categories and ids text, times UTC, labels integers; missing is NaN and None."""
    rows = labelled_frame([batch()], DATA, NIGHT)

    assert ["x", "c", "id", "timestamp", "actual"] == list(rows.columns)
    assert [1.5, True, 3.0] == [rows["x"][0], np.isnan(rows["x"][1]), rows["x"][2]]
    assert ["u", None, "v"] == rows["c"].tolist()
    assert [0, 1, 0] == rows["actual"].tolist()
    assert "UTC" == str(rows["timestamp"].dt.tz)


@pytest.mark.parametrize("actual", [[False, True, None], [0.0, 1.0, float("nan")], pa.array([0, 1, None], pa.int8())])
def test_labels_of_any_number_type_are_read(actual: pa.Array | list[object]) -> None:
    """Labels may be booleans, floats or integers; a row without one is left out."""
    assert [0, 1] == labelled_frame([batch(actual=actual)], DATA, NIGHT)["actual"].tolist()


@pytest.mark.parametrize("actual", [[0, 1, 2], [0.0, 0.5, 1.0], ["0", "1", "0"], ["late", None, None]])
def test_other_labels_are_an_error(actual: list[object]) -> None:
    """Labels that are not 0 or 1 stop the training, and the message says how many there are and of which type."""
    with pytest.raises(DataError, match=r"labels that are not 0 or 1: [123] of 3 values of the type (int|dou|str)"):
        labelled_frame([batch(actual=actual)], DATA, NIGHT)


def test_a_label_counts_from_the_instant_it_arrived() -> None:
    """A label that arrived after the night, or at an unknown instant, is not used by that night."""
    known = pa.array([NIGHT, NIGHT + dt.timedelta(microseconds=1), None], pa.timestamp("us", "UTC"))

    assert ["a"] == labelled_frame([batch(known=known)], DATA, NIGHT)["id"].tolist()


def test_without_labelled_at_every_label_counts() -> None:
    """`labelled_at` may be left out of the config."""
    assert 3 == len(labelled_frame([batch(known=None)], DATA.model_copy(update={"columns": Columns(id="id")}), NIGHT))


@pytest.mark.parametrize("absent", ["x", "c", "id", "timestamp", "actual"])
def test_a_missing_column_is_named(absent: str) -> None:
    """A column that the source does not have is an error with its name."""
    with pytest.raises(DataError, match=f"no column '{absent}'"):
        labelled_frame([batch(**{absent: None})], DATA, NIGHT)


def test_text_in_a_numeric_column_is_an_error() -> None:
    """Numbers as text are a fault of the feed: they are not read as numbers."""
    with pytest.raises(DataError, match="'x' has the type string, but numbers are required"):
        labelled_frame([batch(x=["1", "2", "3"])], DATA, NIGHT)


def test_types_may_differ_between_batches() -> None:
    """A column of integers in one file and of floats in the next is one column of floats."""
    rows = labelled_frame(
        [batch(x=[1, 2, 3]), batch(x=[0.5, None, None], c=pa.array(["u"] * 3).dictionary_encode())], DATA, NIGHT
    )

    assert [1.0, 2.0, 3.0, 0.5] == rows["x"].tolist()[:4]
    assert ["u", "u", "u"] == rows["c"].tolist()[3:]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(pa.float32(), "float32"), (pa.int16(), "float32"), (pa.bool_(), "float32"), (pa.int32(), "float64")],
    ids=str,
)
def test_numbers_take_four_bytes_where_that_is_exact(kind: pa.DataType, expected: str) -> None:
    """What float32 holds exactly is held so, missing values too; a model gets float64, whatever it was held as."""
    values = pa.array([1, 0, None]).cast(kind)
    rows = labelled_frame([batch(x=values)], DATA, NIGHT)

    assert expected == str(rows["x"].dtype)
    assert [1.0, 0.0, True] == [*rows["x"][:2], np.isnan(rows["x"][2])]
    assert "float64" == str(features(rows, DATA)["x"].dtype)
    assert data_digest(rows) == data_digest(rows.assign(x=rows["x"].astype("float64")))


def test_a_column_of_two_widths_takes_the_wider() -> None:
    """One batch of eight bytes a number is enough."""
    rows = labelled_frame([batch(x=pa.array([1, 2, 3], pa.int8())), batch(x=[0.1, 0.2, 0.3])], DATA, NIGHT)

    assert [1.0, 2.0, 3.0, 0.1, 0.2, 0.3] == rows["x"].tolist()


def test_equal_categories_are_one_object() -> None:
    """A category takes a pointer a row, whatever the source and however many batches it came in."""
    coded = pa.array(["long word", None, "long word"]).dictionary_encode()
    found = labelled_frame([batch(c=coded), batch(c=["long word", "v", None])], DATA, NIGHT)["c"]

    assert ["long word", None, "long word", "long word", "v", None] == found.tolist()
    assert 1 == len({id(word) for word in found if word == "long word"})


def test_numbers_as_categories_become_text() -> None:
    """A categorical column of integers gives the levels that the tallies count."""
    assert ["7", "8", None] == labelled_frame([batch(c=[7, 8, None])], DATA, NIGHT)["c"].tolist()


def test_no_batches_give_an_empty_frame() -> None:
    """A source without rows is not an error here: how many rows are needed is decided by the split."""
    rows = labelled_frame([], DATA, NIGHT)

    assert 0 == len(rows)
    assert ["x", "c", "id", "timestamp", "actual"] == list(rows.columns)


def test_features_are_cast_whatever_the_table_holds() -> None:
    """Rows that a service passes, not through `labelled_frame`, get the types that the model was fitted on."""
    given_rows = pd.DataFrame(
        {"c": pd.Series(["u", pd.NA], dtype="string"), "other": [1, 2], "x": np.array([1, 2], "int16")}
    )
    found = features(given_rows, DATA)

    assert ["x", "c"] == list(found.columns)
    assert ["float64", "object"] == [str(kind) for kind in found.dtypes]
    assert ["u", None] == found["c"].tolist()


VALUES = st.tuples(st.floats(allow_nan=True), st.sampled_from(["u", "v", "", None]), st.integers(0, 3), st.booleans())


def table(values: list[tuple[float, str | None, int, bool]]) -> pd.DataFrame:
    """Rows as in `labelled_frame`."""
    x, c, day, label = (list(column) for column in zip(*values, strict=True))
    return pd.DataFrame(
        {
            "x": np.array(x, float),
            "c": pd.Series(c, dtype=object),
            "timestamp": pd.to_datetime(day, unit="D", utc=True).as_unit("us"),
            "actual": np.array(label, "int8"),
        }
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_digest_is_that_of_the_rows_in_any_order(
    values: list[tuple[float, str | None, int, bool]], random: object
) -> None:
    """Shuffled rows, turned columns and a batch cut in two have the same digest."""
    mixed = values.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert data_digest(table(values)) == data_digest(table(mixed)[["actual", "c", "timestamp", "x"]])


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=12), st.permutations(["x", "c", "timestamp", "actual"]))
def test_rows_are_ordered_as_pandas_orders_them(
    values: list[tuple[float, str | None, int, bool]], by: list[str]
) -> None:
    """By one column after the other, missing last, equal rows as they were."""
    rows = table(values)

    assert rows.sort_values(by, kind="stable").index.tolist() == order(rows, by).tolist()


def test_digest_sees_every_value() -> None:
    """One other value, also far down, another null, name, or number of times that a row occurs changes the digest."""
    rows = table([(float(n), "u", n % 4, n % 2 == 0) for n in range(20_000)])
    changed = [
        rows.assign(x=rows["x"].where(rows["x"] != 19_999, -1.0)),
        rows.assign(c=rows["c"].where(rows["x"] != 19_999, None)),
        rows.assign(c=rows["c"].where(rows["x"] != 19_999, "None")),
        rows.assign(timestamp=rows["timestamp"] + pd.Timedelta(1, "us")),
        rows.assign(actual=1 - rows["actual"]),
        rows.rename(columns={"x": "y"}),
        rows.iloc[1:],
        pd.concat([rows, rows.iloc[:1]]),
    ]

    assert 9 == len({data_digest(one) for one in [rows, *changed]})


def test_digest_is_known() -> None:
    """The digest of the same rows is the same in every release: it is compared with one stored long ago."""
    rows = table([(1.5, "u", 0, True), (float("nan"), None, 1, False), (-0.0, "", 2, True)])

    assert "965cd5733bb94f5145516a63e76a0a973eac3a1b1e370e0be71160cf5bd70a26" == data_digest(rows)


def test_a_column_that_later_files_add_is_missing_before() -> None:
    """Batches without a feature or the label have it as missing; one that no batch has is an error."""
    old, new = batch().drop_columns(["x", "c"]), batch()
    unlabelled = batch().drop_columns(["actual"])
    found = labelled_frame([old, new, unlabelled], DATA, NIGHT)
    whole = labelled_frame([new, new], DATA, NIGHT)

    rows = len(whole) // 2
    assert 2 * rows == len(found)
    assert found["x"][:rows].isna().all()
    assert found["c"][:rows].isna().all()
    assert whole[rows:].reset_index(drop=True).equals(found[rows:].reset_index(drop=True))
