"""Where each page is read: a place as its reader has it, and what stands for the words in capitals."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from pathlib import Path

import pandas as pd

from scripts.demo.command import prepare
from tests import instance
from tests.docs.reader import Reader
from tests.place import EXAMPLE, FLIGHTS, Place

LAST = dt.date(2013, 3, 25)
# Its blocks are ways out of different troubles; every other page is one story.
APART = {"docs/rollback.md"}
STRICT = "[triggers.drift]\nmin_effect = 0.2\n\n[gates]\nbalanced_accuracy = 0.6\n"


class Stages:
    """The places, made once each and copied.

    Args:
        folder: where they lie.
        store: an empty MLflow database.
    """

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder, self.store = folder, store
        self._served: Place | None = None

    @property
    def served(self) -> Place:
        """Flights of three weeks scored by version 1; version 2 merged and promoted after them."""
        if self._served is None:
            place = Place.in_service(self.folder / "served", self.store, LAST)
            place.retrain(LAST, any_verdict=True)
            place.merges.append(place.person.merge())
            assert 0 == place.mlops("promote", day=LAST).code
            place.person.git("remote", "add", "origin", "local/forge.git")
            place.person.git("fetch", "--quiet", "origin")
            place.person.git("branch", "--set-upstream-to", "origin/main")
            self._served = place
        return self._served

    def reader(self, page: str, folder: Path) -> Reader:
        """Somebody in front of a page, in an empty folder of the test."""
        if page == "README.md":
            return self.newcomer(folder)
        if page == "docs/your-model.md":
            return self.owner(folder)
        if page in {"docs/upgrading.md", "CONTRIBUTING.md"}:
            return self.team(folder)
        place = self.served.copy(folder / "repo")
        self.lay(place.folder)
        rows = pd.read_parquet(FLIGHTS).query("timestamp >= '2013-03-25'").head(300)
        rows.to_parquet(place.folder / "rows.parquet")
        words = {"NAME": "flights", "N": "1", "M": "2", "COMMIT": place.merges[0], "MERGE_COMMIT": place.merges[1]}
        env = {"MLOPS_AS_OF": f"{LAST}", "UVICORN_PORT": "0"}
        return Reader(place.folder, env, words)

    def lay(self, folder: Path) -> None:
        """Put down the year of flights, and a policy of the reader's own."""
        (folder / "strict.toml").write_text(STRICT)
        flights = folder / FLIGHTS.relative_to(EXAMPLE)
        flights.parent.mkdir()
        flights.symlink_to(FLIGHTS)

    def newcomer(self, folder: Path) -> Reader:
        """A folder to clone into, a copy of the template at GitHub, and a table of customers."""
        instance.make(folder / "github.com" / "OWNER" / "template", folder / "github.com" / "OWNER" / "NAME")
        (folder / "here").mkdir()
        env = {"MLOPS_AS_OF": "2024-04-10"}
        return Reader(folder / "here", env, {"FILE": "strict.toml"}, lay=self.own_files, active=False)

    def own_files(self, clone: Path) -> None:
        """What a newcomer puts into a clone."""
        from tests.scripts import tables

        rows = tables.cancer().rename(columns={"target": "left"})
        rows.to_csv(clone / "churn.csv", index=False)
        self.lay(clone)
        (clone / "local").mkdir()
        shutil.copy(self.store, clone / "local" / "mlflow.db")

    def owner(self, folder: Path) -> Reader:
        """A repository made from the template, with an empty registry."""
        place = Place(prepare(EXAMPLE, folder / "repo"))
        place.person.start()
        (place.folder / "local").mkdir()
        shutil.copy(self.store, place.folder / "local" / "mlflow.db")
        return Reader(place.folder, active=False)

    def team(self, folder: Path) -> Reader:
        """A repository made from the template, which has gone on since; the environment is set up."""
        hub = folder / "github.com"
        instance.make(hub / "OWNER" / "retraining-template", folder / "own")
        instance.git(folder / "own", "config", f"url.file://{hub}/.insteadOf", "https://github.com/")
        (folder / "installed").touch()
        # make takes backslashes out of MAKEFLAGS, and the shell of a recipe takes the quotes.
        programs = str(Path(sys.executable).parent).replace(" ", "\\ ")
        recipes = f"STAMP={folder / 'installed'} BIN='{programs}'"
        return Reader(folder / "own", {"MAKEFLAGS": f" -- {recipes}"})
