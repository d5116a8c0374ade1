"""No secret and no row is in anything that others may read: logs, records, artifacts, reports, commits, requests."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import logging
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.server import Server
from tests.github import people
from tests.github.double import SCOPES, Double
from tests.place import FIRST, Place, Ran

# Planted with a number behind it wherever a secret or a row may be, and sought as it is here.
SECRET, ROW = "5ecretmark", "r0wmark"
NUMBER = 98765.4321
MARKS = re.compile(rf"{SECRET}\w*|{ROW}\w*|{NUMBER}".encode(), re.IGNORECASE)
NIGHT = dt.date(2013, 3, 15)
LAST_DAY = "timestamp >= '2013-03-14'"  # too young to be trained on, so that no model has its values
NOBODY = "127.0.0.1:9"
LEAKING = """
from sklearn.base import BaseEstimator, ClassifierMixin

class Leaking(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        raise ValueError(f"r0wmark {rows.iloc[0].to_dict()}")
    def predict_proba(self, rows):
        raise ValueError

def build(config):
    return Leaking()
"""


class Run:
    """The steps of workflow runs with a mark in every secret, and all that they left."""

    def __init__(self, place: Place, double: Double, server: Server, folder: Path) -> None:
        self.place, self.double, self.folder, self.server = place, double, folder, server
        self.monitoring = folder / f"{SECRET}1" / "monitoring.db"
        self.monitoring.parent.mkdir()
        token = f"ghs_{SECRET}2"
        double.tokens[token] = dict.fromkeys(SCOPES, "write")
        self.env = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "7",
            "GITHUB_REPOSITORY": double.name,
            "GITHUB_API_URL": double.url,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_TOKEN": token,
            "MLFLOW_TRACKING_URI": f"http://bot:{SECRET}3@127.0.0.1:{server.port}",
            "MLFLOW_TRACKING_TOKEN": f"{SECRET}4",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MONITORING_URL": f"sqlite:///{self.monitoring}",
            "APPRISE_URLS": f"json://me:{SECRET}5@{NOBODY}/{SECRET}6 json://{SECRET}7.invalid/{SECRET}8",
            "AWS_ACCESS_KEY_ID": f"AKIA{SECRET}10",
            "AWS_SECRET_ACCESS_KEY": f"{SECRET}11/x+y",
            "RETRAINING_APP_KEY": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}12\n-----END RSA PRIVATE KEY-----",
        }
        self.said: list[bytes] = []

    def __call__(self, *words: str, code: int | None = 0, day: dt.date | None = NIGHT, **env: str) -> Ran:
        """A step that ends with that exit code; None: with any of ours."""
        ran = self.place.mlops(*words, day=day, env={**self.env, **env})
        self.said += [ran.out.encode(), ran.err.encode()]
        assert ran.code in ({0, 3, 6} if code is None else {code}), ran.err
        return ran

    def alert(self, job: str) -> None:
        """The last job of a run in which that one failed."""
        self("alert", MLOPS_JOBS=json.dumps({job: {"result": "failure"}}))

    def mark_rows(self) -> None:
        """Marks in all ids, and on the newest day in categories and numbers that no model has seen."""
        self.spoil("flight_id", f"'{ROW}' || flight_id", f"flight_id NOT LIKE '{ROW}%'")
        self.spoil("dest", f"'{ROW}dest'", f"{LAST_DAY} AND rowid % 50 = 0")
        self.spoil("distance", f"{NUMBER}", f"{LAST_DAY} AND rowid % 50 = 1")

    def spoil(self, column: str, value: str, where: str) -> None:
        """Change a column of some rows."""
        self.place.sql(f"UPDATE predictions SET {column} = {value} WHERE {where}")  # noqa: S608 - ours
        shutil.copy(self.place.database, self.monitoring)

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Everything that was printed, written, sent and kept, by where it is."""
        yield from ((f"log {number}", text) for number, text in enumerate(self.said))
        for request in self.double.requests:
            yield f"{request.method} {request.path}", json.dumps([request.query, request.body]).encode()
        git = self.double.repository.git
        yield "commits", git("log", "--all", "--patch", "--format=fuller").encode()
        places = [self.folder / name for name in ("output", "summary", "review.json")]
        places += [*(self.place.folder / "local" / "flights").rglob("*"), *self.server.database.parent.rglob("*")]
        for path in places:
            if path.is_file() and path != self.server.log:
                yield str(path.relative_to(self.folder)), path.read_bytes()
                yield from _inside(path)


def _inside(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files in an archive."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            yield from ((f"{path.name}/{name}", archive.read(name)) for name in archive.namelist())


@pytest.fixture
def run(double: Double, mlflow_store: Path, tmp_path: Path) -> Iterator[Run]:
    """A repository whose rows have marked ids, an `mlflow server` and a GitHub."""
    place = Place.make(tmp_path / "repo", store=mlflow_store)
    with Server(tmp_path / "server", mlflow_store) as server, _logging():
        made = Run(place, double, server, tmp_path)
        made.mark_rows()
        yield made


@contextlib.contextmanager
def _logging() -> Iterator[None]:
    """What libraries log goes to standard error, as outside of pytest."""
    assert logging.lastResort is not None
    logging.getLogger().addHandler(logging.lastResort)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(logging.lastResort)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise on Python 3.11 and 3.12
def test_no_secret_and_no_row_gets_out(run: Run) -> None:
    """The whole loop, its failures and what is told of them, with marks in all secrets and rows: none is found."""
    place, double = run.place, run.double
    loop = (["pull"], ["check"], ["train"], ["validate"], ["propose"])
    for words in loop:
        run(*words, day=FIRST)
    (pull,) = double.pulls.values()
    people.merge(double, pull, "alice")
    place.manifest.write_text(double.repository.git("show", "main:model/flights/production.json"))
    run("promote", day=FIRST)
    place.serve(FIRST, NIGHT, {"MLFLOW_TRACKING_URI": run.server.url})
    run.mark_rows()

    run("promote", "--verify")
    run("pull")
    run("check", "--reason", "new airport", "--force")
    run("train")
    run("validate")
    run("propose")
    place.manifest.write_text(double.repository.git("show", "promote/flights:model/flights/production.json"))
    run("review", "--out", str(run.folder / "review.json"))
    run("comment", "--pull-request", str(max(double.pulls)), "--from", str(run.folder / "review.json"), day=None)
    run("status")
    run("history", "--all")
    run("history", "--jsonl")
    run("doctor", code=None)
    _outages(run)
    _broken_rows(run)

    assert 6 <= len(double.issues)
    assert [] == sorted({(where, mark) for where, text in run.left() for mark in MARKS.findall(text)})


def _outages(run: Run) -> None:
    """Services that are not there, under addresses that are secret."""
    databases = f"u:{SECRET}13@{NOBODY}/{SECRET}14", f"u:p@{SECRET}15.invalid/x"
    for address in (*(f"postgresql://{rest}" for rest in databases), f"{SECRET}16.db"):
        run("pull", code=None, MONITORING_URL=address)
        run.alert("monitor")
    for address in (f"http://bot:{SECRET}17@{NOBODY}/{SECRET}18", f"http://{SECRET}19.invalid"):
        run("promote", code=6, MLFLOW_TRACKING_URI=address)
        run("doctor", "--out", str(run.folder / "review.json"), code=None, MLFLOW_TRACKING_URI=address)
        run.alert("promote")


def _broken_rows(run: Run) -> None:
    """Text in a numeric column, times that are none, labels that are words, and a pipeline that quotes its rows."""
    place = run.place
    run("pull")
    run("check", "--reason", "again", "--force")
    pipeline = place.model("flights") / "pipeline.py"
    good = pipeline.read_text()
    pipeline.write_text(LEAKING)
    run("train", code=2)
    run.alert("train")
    pipeline.write_text(good)
    for column in ("actual", "distance", "timestamp"):
        run.spoil(column, f"'{ROW}{column}'", LAST_DAY.replace("14", "01"))
        run("train", code=3)
        run("pull", code=None)
        run.alert("monitor")
