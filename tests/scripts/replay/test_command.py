"""`mlops replay` on a plain table: what it prints, keeps and draws, and what it says of input it cannot use."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.replay_result import ReplayResult
from scripts.demo.command import prepare
from tests.place import EXAMPLE, FIRST, FLIGHTS, Place, Ran

MONTH = ("--source", str(FLIGHTS), "--to", "2013-03-20")
Replay = Callable[..., Ran]


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """A function that runs the command in a repository without registry or monitoring table."""
    place = Place(prepare(EXAMPLE, tmp_path / "repo"))
    return lambda *words: place.mlops("replay", *words, day=None)


def test_it_prints_a_record_keeps_it_and_draws_it(replay: Replay, tmp_path: Path) -> None:
    """JSON on standard output is the strict record, --out holds the same, the picture is one page of its own."""
    kept, page = tmp_path / "kept.json", tmp_path / "page.html"
    both = ("--policy", "never", "--policy", "weekly")
    ran = replay(*MONTH, *both, "--truth", "2013-03-18", "--json", "--out", str(kept), "--picture", str(page))
    record = ReplayResult.from_json(ran.out)
    never, weekly = record.policies

    assert (0, "") == (ran.code, ran.err)
    assert record == ReplayResult.read(kept)
    assert ("balanced_accuracy", "never", "weekly") == (record.metric, never.policy, weekly.policy)
    assert (17, 0, 0, 0) == (never.nights, never.retrains, never.promotions, never.alarms.age)
    assert (2, 0, None) == (weekly.retrains, weekly.false_alarms, weekly.nights_to_first_alarm)
    assert weekly.retrains >= weekly.promotions
    text = page.read_text()
    assert 2 == text.count('<article class="policy">')
    assert not re.search(r"<script|https?://|url\(", text)


def test_the_table_has_a_row_a_policy(replay: Replay) -> None:
    """A person reads one row a policy, and how long it took to fit how many models."""
    ran = replay(*MONTH[:3], "2013-03-12", "--policy", "never")

    assert 0 == ran.code
    assert re.search(r"^ never +9 +0 +0 +0 +0 +0 +0 +0\.\d{3}", ran.out, re.MULTILINE)
    assert re.search(r"seconds, [\d.]+ of them to fit 1 models?$", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "2013-05-01", "--to", "2013-04-01"), 2, "--from 2013-05-01 is after --to 2013-04-01"),
        (("--from", "yesterday"), 2, "--from 'yesterday' is not an ISO date"),
        (("--truth", "13-1-1"), 2, "--truth '13-1-1' is not an ISO date"),
        (("--from", "2019-05-01"), 3, "has no rows from"),
        (("--from", "2014-02-01", "--to", "2014-02-05"), 3, "has no rows for the nights from 2014-02-01"),
        (("--to", "2013-01-20"), 3, "The first training needs 62 days"),
        (("--policy", "montly"), 2, "Did you mean 'monthly'"),
        (("--target", "late"), 3, "has no column 'late'"),
        (("--review-days", "-1"), 2, "--review-days"),
        (("--source", "nowhere.parquet"), 3, "There is no"),
    ],
)
def test_input_it_cannot_use(words: tuple[str, ...], code: int, said: str, replay: Replay) -> None:
    """Each mistake ends with its exit code and a message that holds the values, and without a stack trace."""
    ran = replay(*(() if "--source" in words else ("--source", str(FLIGHTS))), *words)

    assert code == ran.code
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", ran.err).split())
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (("target",), "has no column 'actual' (data.columns.label) and none 'target'"),
        (("timestamp",), "has no column 'timestamp'"),
        (("temp", "dow"), "lacks the features temp, dow"),
    ],
)
def test_a_table_without_a_needed_column(drop: tuple[str, ...], said: str, replay: Replay, tmp_path: Path) -> None:
    """A source without target, time or features is refused by the names of what it lacks."""
    path = tmp_path / "table.parquet"
    pq.write_table(pq.read_table(FLIGHTS).drop_columns(list(drop)), path)
    ran = replay("--source", str(path))

    assert 3 == ran.code
    assert said in " ".join(ran.err.split())


def test_a_table_needs_no_id_and_may_name_its_target(replay: Replay, tmp_path: Path) -> None:
    """Without ids rows are numbered; with --target the labels may stand in any column, and nothing else changes."""
    table = pq.read_table(FLIGHTS)
    names = ["was_late" if name == "target" else name for name in table.column_names]
    path = tmp_path / "plain.parquet"
    pq.write_table(table.rename_columns(names).drop_columns(["flight_id"]), path)
    short = ("--to", "2013-03-12", "--policy", "never", "--json")
    ran = replay("--source", str(path), "--target", "was_late", *short)
    usual = replay("--source", str(FLIGHTS), *short)

    assert 0 == ran.code
    assert ReplayResult.from_json(usual.out) == ReplayResult.from_json(ran.out)


def test_labels_without_a_time_are_known_after_maturity(replay: Replay, tmp_path: Path) -> None:
    """A table without `labelled_at` is replayed like one that says `maturity_days` after the row; later is another."""
    table = pq.read_table(FLIGHTS)
    short = ("--to", "2013-03-22", "--policy", "weekly", "--review-days", "0", "--json")
    said = {}
    for days in (None, 2, 9):
        path = tmp_path / f"after {days}.parquet"
        times = pc.add(table["timestamp"], pa.scalar(dt.timedelta(days=days or 0), pa.duration("us")))
        pq.write_table(table if days is None else table.append_column("labelled_at", times), path)
        ran = replay("--source", str(path), *short)
        assert 0 == ran.code
        said[days] = ran.out

    assert said[None] == said[2] != said[9]


def test_no_model_ever_is_an_error(replay: Replay, tmp_path: Path) -> None:
    """Where no training succeeds there is nothing to replay, and the last reason is told."""
    path = tmp_path / "unlabelled.parquet"
    table = pq.read_table(FLIGHTS)
    none = pa.nulls(len(table), pa.int8())
    pq.write_table(table.set_column(table.column_names.index("target"), "target", none), path)
    ran = replay("--source", str(path), "--to", "2013-03-06")

    assert 3 == ran.code
    assert "No model came into service on the nights from 2013-03-04 to 2013-03-06" in " ".join(ran.err.split())


def test_only_the_last_nights(replay: Replay) -> None:
    """With --last N the replay has N nights, up to --to; together with --from it is ambiguous."""
    record = ReplayResult.from_json(replay(*MONTH, "--last", "5", "--policy", "never", "--json").out)

    assert 5 == record.policies[0].nights
    assert 2 == replay(*MONTH, "--last", "5", "--from", "2013-03-10").code
    whole = ReplayResult.from_json(replay(*MONTH, "--last", "90", "--policy", "never", "--json").out)
    assert 17 == whole.policies[0].nights  # a short history is played from the first model on


def test_the_thresholds_of_the_default_branch(tmp_path: Path, mlflow_store: Path) -> None:
    """The policy main has the triggers and gates that git's default branch declares, not those of the checkout."""
    place = Place.make(tmp_path / "repo", store=mlflow_store)
    place.night(FIRST).forge.ensure(place.folder)
    config = place.folder / "model" / "flights" / "model.toml"
    config.write_text(config.read_text().replace("max_days = 30", "max_days = 7"))
    words = (*MONTH, "--policy", "main", "--policy", "default", "--json")
    main, default = ReplayResult.from_json(place.mlops("replay", *words, day=None).out).policies

    assert (0, 10) == (main.alarms.age, default.alarms.age)  # 11 to 20 March: the pause is longer
    assert ["flights"] == place.mlops("models", "--changed", "model.toml", "--json", day=None).data["models"]
    assert [] == place.mlops("models", "--changed", "pipeline.py", "--json", day=None).data["models"]


def test_without_a_default_branch_there_is_nothing_to_compare(replay: Replay) -> None:
    """Where there is no forge yet, the policy main says so."""
    ran = replay(*MONTH, "--policy", "main")

    assert 2 == ran.code
    assert "default branch" in ran.err
