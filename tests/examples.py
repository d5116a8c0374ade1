"""Two more example models on the flights, of the other tasks: which airport is this, and how humid is the air?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.config.settings import Settings, load_config
from core.days import midnight
from monitoring.prediction_log.log import PredictionLog, open_log
from registry.registry import Registry
from registry.serving import Served
from scripts.demo.command import prepare
from scripts.demo.reviewer import Reviewer
from stages.context import Night
from tests.place import EXAMPLE, FLIGHTS, Place

DAY = dt.timedelta(days=1)
FIRST = dt.date(2013, 3, 4)
DELAY = 2 * DAY  # after which labels arrive
KEYS = """
registry_name = "NAME"

[data.columns]
id = "flight_id"
time = "timestamp"
labelled_at = "labelled_at"
version = "model_version"

[training]
window_days = 30
min_rows = 1000

[triggers.drift]
window_days = 7
min_effect = 0.1
min_columns = 3
nulls = "show"

[triggers.limits]
cooldown_days = 7

[quality]
max_null_share = 0.5
"""
PIPELINE = '''"""Fit one more example."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import {estimator}
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder


def build(config):
    """Few shallow trees: fast to fit."""
    numbers = FunctionTransformer(np.nan_to_num)
    flags = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=50, sparse_output=False)
    columns = ColumnTransformer(
        [("numeric", numbers, list(config.data.numeric)), ("categorical", flags, list(config.data.categorical))]
    )
    return make_pipeline(columns, {estimator}(max_iter=30, early_stopping=False, random_state=config.training.seed))
'''


@dataclass(frozen=True)
class Example:
    """A model folder, and what its labels are: `truth` of the flights, `odd` where the world has changed."""

    name: str
    task: str
    settings: str
    estimator: str
    truth: Callable[[pd.DataFrame], pd.Series[Any]]
    odd: Callable[[pd.Series[Any]], pd.Series[Any]]

    def write(self, folder: Path) -> None:
        """The folder, as an owner would write it."""
        folder.mkdir()
        text = KEYS.replace("NAME", self.name) + self.settings
        (folder / "model.toml").write_text(f'task = "{self.task}"\n{text}')
        (folder / "pipeline.py").write_text(PIPELINE.format(estimator=self.estimator))


AIRPORTS = Example(
    "airports",
    "multiclass",
    """
[data]
source = "local/monitoring.db"
table = "predictions"
classes = ["JFK", "EWR", "LGA"]
numeric = ["distance", "sched_dep_min"]
categorical = ["carrier", "dest"]
[triggers.performance]
metric = "balanced_accuracy"
floor = 0.6
min_labels = 300
[gates]
accuracy = 0.6
f1_macro = 0.6
max_loss_to_champion = 0.03
slices = ["carrier"]
max_slice_loss = 0.5
""",
    "HistGradientBoostingClassifier",
    lambda flights: flights["origin"],
    lambda truth: truth.map({"EWR": "LGA", "LGA": "EWR", "JFK": "JFK"}),
)
HUMIDITY = Example(
    "humidity",
    "regression",
    """
[data]
source = "local/monitoring.db"
table = "predictions"
label_range = [0, 150]
numeric = ["temp", "wind_speed", "precip", "visib", "pressure", "sched_dep_min"]
categorical = ["origin"]
[triggers.performance]
metric = "neg_mean_absolute_error"
floor = -20
max_drop = 10
min_labels = 300
[gates]
r2 = 0.05
neg_root_mean_squared_error = -25
max_loss_to_champion = 2
slices = ["origin"]
max_slice_loss = 10
""",
    "HistGradientBoostingRegressor",
    lambda flights: flights["humid"],
    lambda truth: truth + 40,
)


class World:
    """Flights that a service of ours scores and logs, and whose labels arrive two days later."""

    def __init__(self, folder: Path, example: Example, store: Path) -> None:
        self.example = example
        self.place = Place(prepare(EXAMPLE, folder))
        example.write(folder / "model" / example.name)
        self.person.start()
        (folder / "local").mkdir()
        (folder / "local" / "mlflow.db").write_bytes(store.read_bytes())
        flights = pd.read_parquet(FLIGHTS)
        flights["truth"] = example.truth(flights)
        self.flights = flights[flights["truth"].notna()]

    def copy(self, folder: Path) -> World:
        """The same world elsewhere."""
        made = copy(self)
        made.place = self.place.copy(folder)
        return made

    @property
    def config(self) -> Any:
        """Of the model."""
        return load_config(self.place.folder, self.example.name)

    @property
    def settings(self) -> Settings:
        """Of the repository."""
        return Settings.load(self.place.folder, {})

    @property
    def person(self) -> Reviewer:
        """Who merges and reverts."""
        return Reviewer(Night(self.settings, self.config, midnight(FIRST), live=False))

    @property
    def log(self) -> PredictionLog:
        """Of the service."""
        return open_log(self.settings.source(self.config), self.config.data, self.place.folder)

    def of(self, begin: dt.date, end: dt.date) -> pd.DataFrame:
        """The flights of some days."""
        dates = self.flights["timestamp"].dt.date
        return self.flights[(dates >= begin) & (dates < end)]

    def history(self, until: dt.date) -> None:
        """What was collected before there was a model: labels, no scores."""
        flights = self.of(dt.date(2013, 1, 1), until)
        self.log.predictions(self.rows(flights), [None] * len(flights), 0)
        self.labels_arrive(flights)

    def rows(self, flights: pd.DataFrame) -> list[dict[str, Any]]:
        """What a service is asked: id, time and features."""
        names = ["flight_id", "timestamp", *self.config.data.features]
        asked = flights.assign(timestamp=flights["timestamp"].dt.tz_localize("UTC"))[names]
        return [{str(name): value for name, value in row.items()} for row in asked.to_dict("records")]

    def serve(self, begin: dt.date, end: dt.date, *, changed: bool = False) -> list[tuple[Any, Any]]:
        """The version in Production scores some days; what it said of each row, and what came true."""
        served, pairs = Served(Registry(self.settings.store, self.settings.artifacts), self.config), []
        for n in range((end - begin).days):
            flights = self.of(begin + n * DAY, begin + (n + 1) * DAY)
            said, version = served.score(self.rows(flights))
            self.log.predictions(self.rows(flights), said, version)
            truth = self.labels_arrive(flights, changed=changed)
            pairs += list(zip(said, truth, strict=True))
        return pairs

    def labels_arrive(self, flights: pd.DataFrame, *, changed: bool = False) -> list[Any]:
        """Labels are written two days after their flight."""
        truth = self.example.odd(flights["truth"]) if changed else flights["truth"]
        for day, part in flights.assign(truth=truth).groupby(flights["timestamp"].dt.date):
            labels = dict(zip(part["flight_id"], part["truth"].tolist(), strict=True))
            assert [] == self.log.labels(labels, midnight(day) + DELAY)
        return list(truth.tolist())

    def mlops(self, *words: str, day: dt.date) -> Any:
        """Run a command for the model, which must work; its JSON."""
        ran = self.place.mlops(*words, "--model", self.example.name, "--json", day=day)
        assert 0 == ran.code, ran.err
        return ran.data

    def night(self, day: dt.date, *asked: str) -> dict[str, Any]:
        """Pull and check; where that asks for it train and validate; what each said, by command."""
        said = {"pull": self.mlops("pull", day=day), "check": self.mlops("check", *asked, day=day)}
        if said["check"]["retrain"]:
            said |= {name: self.mlops(name, day=day) for name in ("train", "validate")}
        return said

    def merge(self, day: dt.date) -> str:
        """Propose, merge, promote; the merge."""
        self.mlops("propose", day=day)
        merge = self.person.merge()
        self.mlops("promote", day=day)
        return merge

    @property
    def in_production(self) -> int | None:
        """The version in Production."""
        champion = Registry(self.settings.store, self.settings.artifacts).champion(self.example.name)
        return champion and champion.version
