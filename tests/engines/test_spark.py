"""Spark counts what we count here, to the last count, and refuses what we refuse here, in the same words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.config.model import Columns, Data
from core.errors import DataError, MlopsError
from monitoring.axes.axis import Axis, CategoricalAxis, NumericAxis, fit_numeric
from monitoring.counting.tally import DayTally, count
from monitoring.sources.source import Counting, Source, on_spark, open_source
from monitoring.tasks.select import task_for_data
from tests.place import FIRST, Place
from training.digest import data_digest
from training.frame import labelled_frame

pytestmark = pytest.mark.usefixtures("spark")

DAY = dt.timedelta(days=1)
START = dt.datetime(2013, 3, 4, tzinfo=dt.UTC)
AS_OF = START + 5 * DAY + DAY / 3
DATA = Data(
    source="rows",
    columns=Columns(id="id", labelled_at="known", version="version"),
    numeric=("wind", "gusts"),
    categorical=("town", "wet"),
)
AXES: dict[str, Axis] = {
    "wind": fit_numeric(np.linspace(-2, 2, 5000)),
    "gusts": fit_numeric(np.arange(30.0)),
    "town": CategoricalAxis(levels=("ANC", "BGR")),
    "wet": CategoricalAxis(levels=("false", "true")),
    "absent": CategoricalAxis(levels=("x",)),
}
INSTANT = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    {"id": pa.string(), "timestamp": INSTANT, "prediction": pa.float64(), "actual": pa.int8(), "known": INSTANT}
    | {"version": pa.string(), "wind": pa.float32(), "gusts": pa.int64(), "town": pa.string(), "wet": pa.bool_()}
)
SPARK = ["--engine", "spark"]
TOWNS = ["ANC", "BGR", "new", "Ä|`", "", "nan", None]


def table(n: int = 4000) -> pa.Table:
    """Rows of seven days with everything that a kernel tells apart, of every fourth id twice or more."""
    rng = np.random.default_rng(7)

    def some(values: Any, share: float = 0.1) -> pa.Array:
        return pa.array(values, mask=rng.random(n) < share)

    moments = int(START.timestamp() * 10**6) + rng.integers(-(10**6), 7 * 86_400 * 10**6, n)
    moments[: n // 4] -= moments[: n // 4] % (86_400 * 10**6)  # exactly at midnight
    moments[: n // 8] -= 1  # and just before
    wind = rng.normal(size=n)
    wind[::97], wind[1::97], wind[2::97], wind[3::97] = np.nan, np.inf, -np.inf, 9
    scores = rng.random(n) * 1.1
    columns = {
        "id": some([f"r{i}" for i in rng.integers(0, 2 * n, n)], 0.01),
        "timestamp": pa.array(moments).cast(INSTANT),
        "prediction": some(scores),
        "actual": some(rng.integers(0, 3, n).astype(np.int8)),
        "known": some(moments + rng.integers(0, 4 * 86_400 * 10**6, n)).cast(INSTANT),
        "version": some(rng.choice(["1", "2"], n)),
        "wind": some(wind.astype(np.float32)),
        "gusts": some(rng.integers(-5, 40, n)),
        "town": pa.array([TOWNS[i] for i in rng.integers(0, len(TOWNS), n)]),
        "wet": some(rng.random(n) < 0.3),
    }
    return pa.table(columns, SCHEMA)


def written(rows: Path, table: pa.Table, files: int = 3) -> Path:
    """The folder, with the rows in some files, and in some folders below it."""
    size = -(-len(table) // files)
    for number in range(files):
        path = rows / ("late" if number % 2 else "") / f"{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table.slice(number * size, size), path, row_group_size=500)
    return rows


def opened(rows: Path, data: Data = DATA) -> tuple[Source, Source]:
    """The rows as we read them, and as Spark does."""
    url = f"file://{rows}"
    here, there = (open_source(address, data, Path("/")) for address in (url, on_spark(url)))
    assert [False, True] == [isinstance(source, Counting) for source in (here, there)]
    return here, there


def tallied(
    source: Source, data: Data = DATA, start: dt.datetime = START, end: dt.datetime | None = None
) -> tuple[DayTally, ...]:
    """The tallies of the rows of a source, counted where it counts them."""
    names = [*data.features, *data.roles, "absent"]
    axes = dict(zip(names, AXES.values(), strict=False)) | {"absent": AXES["absent"]}
    if isinstance(source, Counting):
        return source.tally(names, start, end, axes, version="1", as_of=AS_OF)
    batches, task = source.batches(names, start, end), task_for_data(data)
    return count(batches, axes, data.columns, version="1", as_of=AS_OF, task=task)


def test_spark_counts_to_the_last_count(rows: Path) -> None:
    """Nulls, unseen categories, late labels, borders of days, versions, future rows, ids of other partitions."""
    here, there = map(tallied, opened(written(rows, table())))

    assert here == there
    assert 7 == len(here)
    assert all(day.duplicates for day in here)
    assert 0 < sum(day.rows for day in here) < 4000
    assert not here[-1].columns
    assert all(day.columns["town"].counts.array[2:].min() > 0 for day in here[:-2])


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_spark_counts_other_tasks_alike(rows: Path, task: str) -> None:
    """Names of classes, and numbers in a range, with nulls and what neither knows; errors are added up exactly."""
    rng = np.random.default_rng(3)
    plain, kind = table(), pa.string() if task == "multiclass" else pa.float64()
    values = ["a", "b", "c", "x", None] if task == "multiclass" else [*np.linspace(-3, 12, 40).tolist(), None, np.nan]
    for name in ("prediction", "actual"):
        drawn = pa.array([values[place] for place in rng.integers(0, len(values), len(plain))], kind)
        plain = plain.set_column(plain.schema.get_field_index(name), name, drawn)
    update = {"classes": ("a", "b", "c")} if task == "multiclass" else {"label_range": (0.0, 10.0)}
    data = DATA.model_copy(update=update)
    here, there = (tallied(source, data) for source in opened(written(rows, plain), data))

    assert here == there
    assert all(day.unscored and day.bad_labels for day in here[:-2])
    assert all(task_for_data(data).rows(day.scores.array) > day.unscored for day in here[:-2])


def test_spark_reads_the_days_that_are_asked_for(rows: Path) -> None:
    """The first instant is inside, the end is not."""
    span = START + DAY, START + 3 * DAY
    here, there = (tallied(source, DATA, *span) for source in opened(written(rows, table())))

    assert here == there
    assert [START.date() + DAY, START.date() + 2 * DAY] == [day.date for day in here]


def test_a_table_of_the_catalog_is_counted_alike(rows: Path) -> None:
    """spark://NAME is a table or view that Spark knows, whatever its columns are called."""
    from monitoring.sources.spark import session

    odd = table().rename_columns([{"wind": "wind `1.5`"}.get(name, name) for name in SCHEMA.names])
    data = DATA.model_copy(update={"numeric": ("wind `1.5`", "gusts")})
    written(rows, odd)
    spark = session()
    spark.read.option("recursiveFileLookup", "true").parquet(str(rows)).createOrReplaceTempView("predictions")
    here = tallied(opened(rows, data)[0], data)
    assert "wind `1.5`" in here[0].columns
    for url, name in (("spark://predictions", None), ("spark://", "predictions")):
        assert here == tallied(open_source(url, data.model_copy(update={"table": name}), Path("/")), data)


def seconds(moments: pa.Array) -> pa.Array:
    """Times as seconds since 1970."""
    return moments.cast(pa.int64()).to_numpy() / 1e6


FORMS: dict[str, Callable[[pa.Array], Any]] = {
    "text": lambda moments: [moment.isoformat(" ") for moment in moments.to_pylist()],
    "seconds": seconds,
    "no zone": lambda moments: moments.cast(pa.timestamp("us")),
    "another zone": lambda moments: moments.cast(pa.timestamp("us", "America/New_York")),
}


@pytest.mark.parametrize("form", FORMS)
def test_times_may_be_written_in_any_form(rows: Path, form: str) -> None:
    """Text, numbers, and timestamps with or without a zone mean the same days on Spark."""
    plain = table(300)
    other = plain.set_column(1, "timestamp", pa.array(FORMS[form](plain["timestamp"].combine_chunks())))
    data = DATA.model_copy(update={"timezone": "UTC"})

    span = START + DAY, START + 4 * DAY
    here, there = (tallied(source, data, *span) for source in opened(written(rows, other), data))

    assert here == there
    assert 3 == len(here)


def test_training_rows_are_the_same(rows: Path) -> None:
    """A model is trained on the same rows: the digest of the data is the same."""
    labels = pa.array([None if x is None else min(x, 1) for x in table()["actual"].to_pylist()], pa.int8())
    here, there = opened(written(rows, table().set_column(3, "actual", labels)))
    read = [
        labelled_frame(source.batches([*DATA.features, *DATA.roles], START, AS_OF), DATA, AS_OF)
        for source in (here, there)
    ]

    assert len(read[0]) > 1000
    assert data_digest(read[0]) == data_digest(read[1])


def test_the_newest_time_is_the_same(rows: Path) -> None:
    """Spark looks at all rows, and finds nothing where there are none."""
    here, there = opened(written(rows, table(300)))
    assert here.latest() == there.latest()

    written(rows / "none", table(0), files=1)
    _, there = opened(rows / "none")
    assert there.latest() is None


@pytest.mark.parametrize("form", ["1 row without a time", "have no time zone"])
def test_what_is_refused_here_is_refused_on_spark(rows: Path, form: str) -> None:
    """A row without a time, or times without a zone, end the night with the same words."""
    times = table(30)["timestamp"].to_pylist()
    times[7] = None
    column = pa.array(times, INSTANT) if "row" in form else table(30)["timestamp"].cast(pa.timestamp("us"))

    said = []
    for source in opened(written(rows, table(30).set_column(1, "timestamp", column), files=1)):
        with pytest.raises(DataError, match=form) as caught:
            tallied(source)
        said.append((caught.value.why, caught.value.fix))

    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("spark://main.no_such_table", "Spark does not find main.no_such_table"),
        ("spark://s p a c e s", "Spark does not find s p a c e s"),
        ("spark://bad://bucket/rows", "could not read bad://bucket/rows"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, url: str, said: str) -> None:
    """The error names the place."""
    with pytest.raises(MlopsError, match=said):
        open_source(url, DATA, tmp_path)


def test_a_table_without_time_is_refused(rows: Path) -> None:
    """The error says which role has no column."""
    written(rows, table(30).drop_columns(["timestamp"]))

    with pytest.raises(DataError, match=r"no column 'timestamp', which is data.columns.time"):
        open_source(on_spark(f"file://{rows}"), DATA, Path("/"))


def test_files_may_have_other_columns(rows: Path) -> None:
    """A column that only newer files have is counted; in the older ones it is null, where here it is absent."""
    written(rows, table(300).drop_columns(["gusts"]), files=1)
    parquet.write_table(table(300), rows / "new.parquet")

    here, there = map(tallied, opened(rows))

    axis = AXES["gusts"]
    assert isinstance(axis, NumericAxis)
    null = axis.null
    for ours, theirs in zip(here, there, strict=True):
        assert ours.rows == theirs.rows
        assert ours.columns.keys() == theirs.columns.keys()
        if ours.columns:
            more = theirs.columns["gusts"].counts.array - ours.columns["gusts"].counts.array
            assert more.sum() == more[null] > 0


ODD: dict[str, tuple[str, pa.Array]] = {
    "differ in the type of a column": ("wind", pa.array(["strong"] * 30)),
    "times in nanoseconds": ("timestamp", table(30)["timestamp"].cast(pa.timestamp("ns", "UTC"))),
}


@pytest.mark.parametrize("why", ODD)
def test_files_that_spark_refuses_are_named(rows: Path, why: str) -> None:
    """The data is unusable, exit code 3: the error says what is wrong with it and how to mend it."""
    written(rows, table(30), files=1)
    name, values = ODD[why]
    parquet.write_table(table(30).drop_columns([name]).append_column(name, values), rows / "new.parquet")

    with pytest.raises(DataError, match=r"Spark cannot read") as caught:
        open_source(on_spark(f"file://{rows}"), DATA, Path("/"))

    assert why in caught.value.why
    assert caught.value.fix


def test_a_night_on_spark_decides_as_one_here(tmp_path: Path, mlflow_store: Path) -> None:
    """`--engine spark` counts and decides as without; a `spark://` source trains the same model."""
    place = Place.make(tmp_path / "repo", store=mlflow_store)
    place.retrain(FIRST)
    place.person.merge()
    assert 0 == place.mlops("promote").code
    night = FIRST + 10 * DAY
    place.serve(FIRST, night)
    source = place.night(night).source
    batches = source.batches(list(source.columns), START - 900 * DAY, None)
    folder = tmp_path / "lake"
    folder.mkdir()
    for number, batch in enumerate(batches):
        parquet.write_table(pa.Table.from_batches([batch]), folder / f"{number}.parquet")

    windows, keys = [], []
    here, there = {"MONITORING_URL": f"file://{folder}"}, {"MONITORING_URL": f"spark://file://{folder}"}
    for words, env in (([], here), (SPARK, here), ([], there)):
        ran = place.mlops("pull", *words, "--fresh", "--json", day=night, env=env)
        assert 0 == ran.code, ran.err
        windows.append(ran.data)
    decisions = [place.mlops("check", "--pull", "--json", *words, day=night, env=here) for words in ([], SPARK)]
    for env in (here, there):
        for words in (["check", "--force"], ["train"]):
            ran = place.mlops(*words, "--json", day=night, env=env)
            assert 0 == ran.code, ran.err
        keys.append({name: json.loads(ran.out)[name] for name in ("training_key", "data_digest", "version")})

    assert sum(day["rows"] for day in windows[0]["days"]) > 500
    assert windows[0] == windows[1] == windows[2]
    assert decisions[0].data == decisions[1].data
    assert keys[0] == keys[1]
