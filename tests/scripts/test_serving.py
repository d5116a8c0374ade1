"""The two ways to serve that the docs show, run as they stand: what they log is what the night judges."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from core.errors import RegistryError
from docs.serving import batch, service
from monitoring.prediction_log.log import open_log
from registry.registry import Registry
from registry.serving import Served
from tests.place import FIRST, FLIGHTS, ROOT, Place

LATER = dt.date(2013, 4, 20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A place with version 1 in Production, and the proposal of version 2 open."""
    place = Place.in_service(tmp_path_factory.mktemp("served") / "repo", mlflow_store, LATER)
    place.retrain(LATER, any_verdict=True)
    return place


@pytest.fixture
def place(served: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return served.copy(tmp_path / "repo")


@pytest.fixture
def url(place: Place) -> Iterator[str]:
    """The address of the service, in a thread of its own."""
    import uvicorn

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(service.make(place.folder, "flights"), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        free.listen()
        thread.start()
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def post(url: str, body: object) -> tuple[int, Any]:
    """Status and answer."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - ours
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as err:
        return err.code, json.load(err)


def flights(place: Place, number: int) -> list[dict[str, Any]]:
    """Flights that nobody has scored yet, under new ids."""
    data = place.night(FIRST).config.data
    rows = parquet.read_table(FLIGHTS, columns=["flight_id", *data.features]).slice(0, number).to_pylist()
    return [{**row, "flight_id": f"new {row['flight_id']}"} for row in rows]


def logged(place: Place) -> list[tuple[Any, ...]]:
    """Id, score, version and label of the rows under new ids."""
    with closing(sqlite3.connect(place.database)) as db:
        return db.execute(
            "SELECT flight_id, prediction, model_version, actual FROM predictions "
            "WHERE flight_id LIKE 'new %' ORDER BY flight_id"
        ).fetchall()


def test_the_service_scores_and_logs_once(place: Place, url: str) -> None:
    """A request sent twice gives the same scores and is logged once; labels find their rows and tell unknown ids."""
    rows = flights(place, 5)
    first, again = post(f"{url}/predict", rows), post(f"{url}/predict", rows)
    named = post(f"{url}/labels", {rows[0]["flight_id"]: 1, "nobody": 0})

    assert first == again
    assert (200, 1) == (first[0], first[1]["version"])
    assert (200, {"unknown": ["nobody"]}) == named
    expected = zip((row["flight_id"] for row in rows), first[1]["scores"], [1, None, None, None, None], strict=True)
    assert sorted((name, score, "1", label) for name, score, label in expected) == logged(place)


def test_the_service_refuses_what_it_cannot_read(place: Place, url: str) -> None:
    """A text for a number is the caller's error, names the column, and leaves no row."""
    code, said = post(f"{url}/predict", [*flights(place, 1), {**flights(place, 2)[1], "distance": "far"}])

    assert (422, True) == (code, "'distance'" in said["error"])
    assert [] == logged(place)


def test_the_service_takes_native_types_and_reports_unknown_categories(place: Place, url: str) -> None:
    """A code is scored alike as 1, 1.0, "1.0" and true; a new category is counted; an absent feature is refused."""
    row = flights(place, 1)[0]
    data = place.night(FIRST).config.data
    name = data.categorical[0]
    scores = [post(f"{url}/predict", [{**row, name: value}])[1] for value in (1, 1.0, "1.0", True)]
    assert 1 == len({json.dumps(score) for score in scores})

    assert {} == post(f"{url}/predict", [row])[1]["unknown"]
    assert {name: 1} == post(f"{url}/predict", [row, {**row, name: "never seen"}])[1]["unknown"]
    assert 200 == post(f"{url}/predict", [{**row, name: None}])[0]
    code, answer = post(f"{url}/predict", [{key: value for key, value in row.items() if key != name}])
    assert (422, True) == (code, repr(name) in answer["error"])


def test_the_service_takes_the_labels_of_its_task(place: Place, url: str) -> None:
    """What a label may be is the task's to say, not the service's: others are refused by their error."""
    rows = flights(place, 2)
    post(f"{url}/predict", rows)
    assert (200, {"unknown": []}) == post(f"{url}/labels", {rows[0]["flight_id"]: True})
    code, answer = post(f"{url}/labels", {rows[1]["flight_id"]: "late"})
    assert (422, "1 of 1 labels are not 0 or 1.") == (code, answer["error"])


def test_a_batch_is_logged_once_however_often_it_runs(place: Place, tmp_path: Path) -> None:
    """The batch job run twice over a file leaves each row once, with the score that the service gives too."""
    data = place.night(FIRST).config.data
    rows = parquet.read_table(FLIGHTS).slice(0, 300).select(["timestamp", *data.features])
    ids = [[f"new {n:03}" for n in range(300)]]
    parquet.write_table(rows.append_column("flight_id", ids), tmp_path / "rows.parquet")
    assert [300, 300] == [batch.run(place.folder, "flights", tmp_path / "rows.parquet") for _ in range(2)]

    night = place.night(FIRST)
    scores, _ = Served(night.registry, night.config).score(rows.to_pylist())
    assert [(name, score, "1", None) for name, score in zip(ids[0], scores, strict=True)] == logged(place)


def test_the_lines_of_the_page_are_enough(place: Place) -> None:
    """What docs/serving.md shows of Python scores, logs and labels as it stands, given a night's rows."""
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "serving.md").read_text(encoding="utf-8"), re.DOTALL)
    night, now = place.night(LATER), dt.datetime(2013, 4, 20, tzinfo=dt.UTC)
    rows = [{**row, "flight_id": name} for row, name in zip(flights(place, 2), ("AA-17", "UA-4"), strict=True)]
    names = {"Served": Served, "Registry": Registry, "open_log": open_log, "root": place.folder}
    given = {**names, "settings": night.settings, "config": night.config, "rows": rows, "now": now}
    exec(lines, given)  # noqa: S102 - ours

    with closing(sqlite3.connect(place.database)) as db:
        query = (
            "SELECT prediction, model_version, actual FROM predictions WHERE flight_id IN ('AA-17', 'UA-4') ORDER BY 3"
        )
        assert [(score, "1", label) for label, score in enumerate(reversed(given["scores"]))] == db.execute(
            query
        ).fetchall()


def test_a_promotion_and_a_rollback_are_followed(place: Place) -> None:
    """After a merge and `promote` the next look loads version 2, after the revert version 1 again; else nothing."""
    night = place.night(LATER)
    one = Served(night.registry, night.config)
    seen = [(one.refresh(), one.version)]
    merge = place.person.merge()
    assert place.mlops("promote", day=LATER).code == 0
    seen.append((one.refresh(), one.version))
    place.person.revert(merge)
    assert place.mlops("promote", day=LATER).code == 0
    seen += [(one.refresh(), one.version), (one.refresh(), one.version)]

    assert [(False, 1), (True, 2), (True, 1), (False, 1)] == seen


def test_a_changed_model_is_not_served(place: Place) -> None:
    """A version whose files were changed after its training is refused by name, and the one before goes on."""
    night = place.night(LATER)
    one = Served(night.registry, night.config)
    place.person.merge()
    assert place.mlops("promote", day=LATER).code == 0
    files = (place.folder / "local" / "artifacts").rglob("model.skops")
    stored = max(files, key=lambda file: file.stat().st_mtime_ns)
    stored.write_bytes(stored.read_bytes() + b"x")

    with pytest.raises(RegistryError, match="digest"):
        one.refresh()
    assert (1, 1) == (one.version, one.score(flights(place, 1))[1])


def test_before_the_first_promotion_there_is_nothing_to_serve(registry: Registry, served: Place) -> None:
    """An empty registry is an error that says what to do."""
    with pytest.raises(RegistryError) as caught:
        Served(registry, served.night(FIRST).config)
    assert "promotion" in caught.value.fix
