"""Check what one model stands on: its pipeline, its rows and labels, and what git declares against the registry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from core.days import DAY, midnight
from core.errors import MlopsError
from scripts.doctor.finding import Check, Diagnosis
from stages.context import Night
from stages.promote import run as plan_of
from training import features, score

if TYPE_CHECKING:
    import pandas as pd

    from core.config import Data

ROWS, FEW = 64, 4  # made-up rows in all, and of each class at least
MISSING = 0.1
UNJUDGED = "Performance is judged on the labels of the last days."
LATE = 3  # days without rows, or without a label beyond the time labels take to be mature, before it is odd


def checks(night: Night) -> Iterator[tuple[str, Check]]:
    """The checks, by what they look at. That model.toml can be read was seen when the night was opened."""
    yield "pipeline", lambda: pipeline(night)
    yield "rows", lambda: rows(night)
    yield "labels", lambda: labels(night)
    yield "production", lambda: production(night)
    if night.config.training.cluster:
        yield "cluster", lambda: cluster(night)


def pipeline(night: Night) -> Diagnosis:
    """Whether build() gives an estimator that learns, and that can be kept without pickle and read back."""
    from monitoring.tasks import task_of
    from training import Split, fit_estimator, load_build
    from training.artifact import model_file

    config, moment = night.config, night.as_of
    made = made_up(config.data)
    build = load_build(night.settings.root, night.name)
    estimator = fit_estimator(build, config, Split(made, made, moment, moment, moment))
    kept, again = model_file.round_trip(estimator)
    rows, task = features(made, config.data), task_of(config)
    one, other = (score(model, rows, task) for model in (estimator, again))
    if not np.allclose(one, other, rtol=1e-9, atol=1e-9):
        return Diagnosis(
            "", "fail", "answers otherwise when it was saved and loaded", "What is promoted must be what was judged."
        )
    return Diagnosis("", "ok", f"{type(estimator).__name__}, {len(kept) / 1e6:.1f} MB on {len(made)} made-up rows")


def made_up(data: Data) -> pd.DataFrame:
    """Rows of features, some of them missing, and of labels: every class in turn, or numbers all over their range."""
    import pandas as pd

    rng, classes = np.random.default_rng(0), len(data.classes or (0, 1))
    size = max(ROWS, FEW * classes)
    numeric = {name: np.where(rng.random(size) < MISSING, np.nan, rng.normal(size=size)) for name in data.numeric}
    letters = np.array(["a", "b", "c", None], dtype=object)
    categorical = {name: rng.choice(letters, size) for name in data.categorical}
    labels = np.linspace(*data.label_range, size) if data.label_range else np.arange(size) % classes
    return pd.DataFrame({**numeric, **categorical, data.columns.label: labels})


def rows(night: Night) -> Diagnosis:
    """Whether the source can be reached, has the columns, and got rows lately."""
    source, data = night.source, night.config.data
    absent = [name for name in (*data.features, *data.roles) if name not in source.columns]
    if absent == [data.columns.score] and night.champion is None:
        return Diagnosis(
            "",
            "warn",
            f"no column {absent[0]} yet, all others are there",
            "The service that asks the model writes its scores there.",
            "Nothing until the first version is in Production; then docs/serving.md",
        )
    if absent:
        return Diagnosis(
            "",
            "fail",
            f"the source has no column {', '.join(absent)}",
            "The night stops where a column is missing.",
            "Bring it back, or change [data] in model.toml.",
        )
    newest = source.latest()
    if newest is None:
        return Diagnosis("", "warn", "no row yet", "There is nothing to train on.", "Fill it: docs/serving.md")
    age = (night.as_of - newest) // DAY
    says = f"all columns are there, newest row of {newest:%Y-%m-%d %H:%M} UTC"
    if age >= LATE:
        return Diagnosis(
            "", "warn", f"{says}, {age} days ago", "A night without rows of the day before stops.", "See to the feed."
        )
    return Diagnosis("", "ok", says)


def labels(night: Night) -> Diagnosis:
    """When the last label arrived, and for which day."""
    last = last_label(night)
    if last is None:
        return Diagnosis(
            "", "warn", f"none in the last {window(night)} days", "Performance cannot be judged.", "See to the labels."
        )
    mature = night.config.training.maturity_days
    says = f"last one for {last:%Y-%m-%d}; they count after {mature} days"
    if (night.today - last).days > mature + LATE:
        return Diagnosis("", "warn", says, UNJUDGED, "See to the labels.")
    return Diagnosis("", "ok", says)


def window(night: Night) -> int:
    """How many days back labels are looked for: as far as the training looks."""
    return night.config.training.window_days + night.config.training.maturity_days


def last_label(night: Night) -> dt.date | None:
    """The newest day with a label, of scored rows or of history."""
    import numpy as np

    from core.arrow import arrays, times
    from monitoring.tasks import outcome_columns, task_for_data

    data, days = night.config.data, set[int]()
    names = [name for name in data.roles if name != data.columns.id]
    for batch in night.source.batches(names, midnight(night.today - window(night) * DAY), night.as_of):
        known = ~np.isnan(outcome_columns.labels(batch, data.columns, night.as_of, task_for_data(data))[0])
        moments = arrays.view(batch.column(data.columns.time), np.int64)[known]
        days |= {int(moments.max())} if len(moments) else set()
    return (times.EPOCH + max(days) * times.MICROSECOND).date() if days else None


def production(night: Night) -> Diagnosis:
    """Whether the registry is as git declares, to the last byte of the model."""
    result: dict[str, Any] = plan_of(night, verify=True)
    if result["version"] is None:
        return Diagnosis(
            "", "warn", "git declares no version yet", "Nothing is served.", "Train, propose and merge the first."
        )
    return Diagnosis("", "ok", f"version {result['version']}, as git declares")


def cluster(night: Night) -> Diagnosis:
    """Whether the Dask cluster that fits the model can be used; nights on which nothing is trained do without."""
    from training import computing_on

    address = night.config.training.cluster
    try:
        with computing_on(address):
            return Diagnosis("", "ok", f"{address} has workers")
    except MlopsError as err:
        return Diagnosis("", "warn", err.what, err.why, err.fix)
