"""A repository with the example model in a temporary folder, and the commands run in it as a user runs them."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from filelock import FileLock
from mlflow.tracking._tracking_service import utils

from core.config.settings import Settings, load_config
from core.days import midnight
from scripts.app import main
from scripts.demo.command import prepare
from scripts.demo.reviewer import Reviewer
from scripts.demo.world import World
from stages.context import Night
from tests.moving import moved
from training import features, score

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "tests" / "example"  # a repository of one model: the example, which a team deletes from model/
FLIGHTS = EXAMPLE / "model" / "flights" / "data" / "flights_sample.parquet"
FIRST, SECOND = dt.date(2013, 3, 4), dt.date(2013, 4, 20)
STEERS = ("MLFLOW_", "MONITORING_URL", "MLOPS_", "GITHUB_", "GH_TOKEN", "APPRISE_URLS")  # variables that commands read


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


class Place:
    """The folder, and what people and commands do in it."""

    def __init__(self, folder: Path, merges: list[str] | None = None) -> None:
        self.folder = folder
        self.merges = merges or []

    @classmethod
    def make(cls, folder: Path, *, store: Path | None = None) -> Place:
        """A new repository with a filled monitoring table; `store` is an empty MLflow database to copy."""
        prepare(EXAMPLE, folder)
        place = cls(folder)
        place.person.start()
        (folder / "local").mkdir()
        if store:
            shutil.copy(store, folder / "local" / "mlflow.db")
        World(FLIGHTS, place.database, place.night(FIRST).config.data).history(FIRST)
        return place

    @classmethod
    def promoted(cls, folder: Path, store: Path) -> Place:
        """A place with version 1 in Production."""

        def build(repo: Path) -> None:
            place = cls.make(repo, store=store)
            place.retrain(FIRST)
            place.person.merge()
            assert place.mlops("promote").code == 0

        place = cls._once(store.parent / "first", build).copy(folder)
        place.merges.append(place.person.git("rev-parse", "HEAD").strip())
        return place

    @classmethod
    def in_service(cls, folder: Path, store: Path, until: dt.date) -> Place:
        """A place with version 1 in Production, by which the flights of March until a day are scored."""
        place = cls.promoted(folder, store)
        place.serve(FIRST, until)
        return place

    @classmethod
    def proposed(cls, folder: Path, store: Path) -> Place:
        """A place with version 1 in service until `SECOND`, and the proposal of version 2 open."""

        def build(repo: Path) -> None:
            cls.in_service(repo, store, SECOND).retrain(SECOND, any_verdict=True)

        place = cls._once(store.parent / "second", build).copy(folder)
        place.merges.append(place.person.git("rev-parse", "HEAD").strip())
        return place

    @classmethod
    def _once(cls, folder: Path, build: Callable[[Path], None]) -> Place:
        """The place in a folder, which the first of all test processes of a run builds."""
        with FileLock(f"{folder}.lock"):
            if not (folder / "ready").exists():
                build(folder / "repo")
                (folder / "ready").touch()
        return cls(folder / "repo")

    def copy(self, folder: Path) -> Place:
        """The same place elsewhere, with files of its own for its models."""
        shutil.copytree(self.folder, folder)
        moved(folder / "local" / "mlflow.db", str(self.folder), str(folder))
        utils._artifact_repos_cache.clear()  # a process remembers the folder of each run
        return Place(folder, list(self.merges))

    @property
    def database(self) -> Path:
        """The monitoring table's file."""
        return self.folder / "local" / "monitoring.db"

    @property
    def manifest(self) -> Path:
        """What git declares."""
        return self.folder / "model" / "flights" / "production.json"

    def night(self, day: dt.date, env: dict[str, str] | None = None) -> Night:
        """The model at a midnight."""
        return Night(
            Settings.load(self.folder, env or {}), load_config(self.folder, "flights"), midnight(day), live=False
        )

    @property
    def person(self) -> Reviewer:
        """Who merges and reverts."""
        return Reviewer(self.night(FIRST))

    def mlops(self, *words: str, day: dt.date | None = FIRST, env: dict[str, str] | None = None) -> Ran:
        """Run a command as at the prompt."""
        argv = ["mlops", *words, *(["--as-of", f"{day}"] if day else [])]
        out, err = io.StringIO(), io.StringIO()
        code = 0
        streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with self._inside(env or {}), patch.object(sys, "argv", argv), streams[0], streams[1]:
            try:
                main()
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return Ran(code, out.getvalue(), err.getvalue())

    @contextlib.contextmanager
    def _inside(self, env: dict[str, str]) -> Iterator[None]:
        before = Path.cwd()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(STEERS)}
        with patch.dict(os.environ, {**kept, **env}, clear=True):
            os.chdir(self.folder)
            try:
                yield
            finally:
                os.chdir(before)

    def serve(self, begin: dt.date, end: dt.date, env: dict[str, str] | None = None) -> None:
        """Flights from `begin` to the day before `end` are scored by the version in service; labels arrive."""
        night = self.night(end, env)
        champion = night.champion
        assert champion is not None
        model = night.registry.load(champion)
        world = World(FLIGHTS, self.database, night.config.data)
        day = begin
        while day < end:
            flights = world.of_day(day)
            world.serve(day, champion.version, score(model, features(flights, night.config.data)))
            day += dt.timedelta(days=1)
        world.labels_arrive(end)

    def retrain(self, day: dt.date, *, reason: str = "by hand", any_verdict: bool = False) -> None:
        """Pull, check, train, validate and propose, all of which must work.

        With `any_verdict` the comparison with the champion is switched off, so that every training is proposed.
        """
        if any_verdict:
            config = self.folder / "model" / "flights" / "model.toml"
            config.write_text(config.read_text().replace("[gates]\n", "[gates]\ncompare = false\n", 1))
        asked = [] if day == FIRST else ["--reason", reason, "--force"]
        for words in (["pull"], ["check", *asked], ["train"], ["validate"], ["propose"]):
            ran = self.mlops(*words, day=day)
            assert ran.code == 0, ran.err
        if any_verdict:
            config.write_text(config.read_text().replace("compare = false\n", "", 1))

    def model(self, name: str) -> Path:
        """The folder of a model."""
        return self.folder / "model" / name

    def add_model(self, name: str) -> None:
        """A second model that is like the first, with a registry name of its own."""
        shutil.copytree(self.model("flights"), self.model(name), ignore=shutil.ignore_patterns("production.json"))
        config = self.model(name) / "model.toml"
        config.write_text(config.read_text().replace('registry_name = "flights"', f'registry_name = "{name}"', 1))
        self.person.git("add", "--all")
        self.person.git("commit", "--quiet", "--message", f"Add {name}")

    def duplicate_ids(self, day: str) -> None:
        """Deliver the rows of a day twice, into a table without a primary key."""
        self.sql(
            "CREATE TABLE plain AS SELECT * FROM predictions",
            f"INSERT INTO plain SELECT * FROM predictions WHERE timestamp >= '{day}'",  # noqa: S608 - a date
            "DROP TABLE predictions",
            "ALTER TABLE plain RENAME TO predictions",
        )

    def shuffle(self) -> None:
        """Store the rows in no order."""
        self.sql(
            "CREATE TABLE plain AS SELECT * FROM predictions ORDER BY random()",
            "DROP TABLE predictions",
            "ALTER TABLE plain RENAME TO predictions",
        )

    def sql(self, *statements: str, database: Path | None = None) -> None:
        """Change the monitoring table, or a copy of it."""
        with contextlib.closing(sqlite3.connect(database or self.database)) as db, db:
            for statement in statements:
                db.execute(statement)

    def production(self) -> tuple[int, ...]:
        """The versions in Production."""
        from registry.promotion import apply

        night = self.night(FIRST)
        return tuple(apply.observe(night.registry.client, night.config.registry_name).production)

    def versions(self) -> int:
        """How many versions are registered."""
        night = self.night(FIRST)
        return len(night.registry.versions(night.config.registry_name))
