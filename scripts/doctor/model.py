"""Checks of one model: its pipeline, rows, labels, and the version in Production."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from core.days import DAY, midnight
from core.errors import MlopsError
from scripts.doctor.finding import Check, Diagnosis
from stages.context import Night
from stages.promote import promote_declared
from training import features, score

if TYPE_CHECKING:
    import pandas as pd

    from core.config import Data

ROWS, FEW = 64, 4  # synthetic rows in total, and the minimum per class
MISSING = 0.1
NO_PERFORMANCE = "The performance trigger needs the labels of the last days."
CHECK_LABELS = "Check the job that writes the labels."
LATE = 3  # days without rows, or without labels after their maturity, until it is a warning


def checks(night: Night) -> Iterator[tuple[str, Check]]:
    """Return the checks with their names. model.toml was read before, when the context was opened."""
    yield "pipeline", lambda: pipeline(night)
    yield "rows", lambda: rows(night)
    yield "labels", lambda: labels(night)
    yield "production", lambda: production(night)
    if night.config.training.cluster:
        yield "cluster", lambda: cluster(night)


def pipeline(night: Night) -> Diagnosis:
    """Check that build() gives an estimator that can be fitted, saved without pickle, and loaded again."""
    from monitoring.tasks import task_of
    from training import Split, fit_estimator, load_build
    from training.artifact import model_file

    config, moment = night.config, night.as_of
    synthetic = synthetic_rows(config.data)
    build = load_build(night.settings.root, night.name)
    estimator = fit_estimator(build, config, Split(synthetic, synthetic, moment, moment, moment))
    saved, loaded = model_file.round_trip(estimator)
    rows, task = features(synthetic, config.data), task_of(config)
    before, after = (score(model, rows, task) for model in (estimator, loaded))
    if not np.allclose(before, after, rtol=1e-9, atol=1e-9):
        return Diagnosis(
            "",
            "fail",
            "gives other scores after it was saved and loaded",
            "The model that is promoted must be the model that was validated.",
        )
    return Diagnosis(
        "", "ok", f"{type(estimator).__name__}, {len(saved) / 1e6:.1f} MB on {len(synthetic)} synthetic rows"
    )


def synthetic_rows(data: Data) -> pd.DataFrame:
    """Return synthetic rows: features with missing values, and labels of every class or over the whole range."""
    import pandas as pd

    rng, classes = np.random.default_rng(0), len(data.classes or (0, 1))
    size = max(ROWS, FEW * classes)
    numeric = {name: np.where(rng.random(size) < MISSING, np.nan, rng.normal(size=size)) for name in data.numeric}
    letters = np.array(["a", "b", "c", None], dtype=object)
    categorical = {name: rng.choice(letters, size) for name in data.categorical}
    labels = np.linspace(*data.label_range, size) if data.label_range else np.arange(size) % classes
    return pd.DataFrame({**numeric, **categorical, data.columns.label: labels})


def rows(night: Night) -> Diagnosis:
    """Check that the source can be read, has all columns, and has recent rows."""
    source, data = night.source, night.config.data
    missing = [name for name in (*data.features, *data.roles) if name not in source.columns]
    if missing and {*missing} <= {data.columns.score, data.columns.version} and night.champion is None:
        return Diagnosis(
            "",
            "warn",
            f"missing so far: {' and '.join(missing)}; all other columns exist",
            "The service that uses the model writes its scores and the model version.",
            "Nothing to do before the first version is in Production; then see docs/serving.md",
        )
    if missing:
        return Diagnosis(
            "",
            "fail",
            f"the source has no column {', '.join(missing)}",
            "The nightly run stops if a column is missing.",
            "Restore the column, or change [data] in model.toml.",
        )
    newest = source.latest()
    if newest is None:
        return Diagnosis("", "warn", "the table is empty", "Training needs rows.", "Write rows to it: docs/serving.md")
    age = (night.as_of - newest) // DAY
    says = f"all columns exist, newest row of {newest:%Y-%m-%d %H:%M} UTC"
    if data.columns.id is None:
        says += "; no id, so duplicate rows are not looked for"
    if age >= LATE:
        why = "The nightly run stops if the day before has no rows."
        return Diagnosis("", "warn", f"{says}, {age} days ago", why, "Check the job that writes the rows.")
    return Diagnosis("", "ok", says)


def labels(night: Night) -> Diagnosis:
    """Check that recent rows have labels."""
    last = last_label(night)
    if last is None:
        return Diagnosis("", "warn", f"none in the last {window(night)} days", NO_PERFORMANCE, CHECK_LABELS)
    mature = night.config.training.maturity_days
    says = f"newest label for {last:%Y-%m-%d}; labels count after {mature} days"
    if (night.today - last).days > mature + LATE:
        return Diagnosis("", "warn", says, NO_PERFORMANCE, CHECK_LABELS)
    return Diagnosis("", "ok", says)


def window(night: Night) -> int:
    """Return how many days back to look for labels: as many as a training uses."""
    return night.config.training.window_days + night.config.training.maturity_days


def last_label(night: Night) -> dt.date | None:
    """Return the newest day with a label, with or without a score."""
    import numpy as np

    from core.arrow import arrays, times
    from monitoring.tasks import outcome_columns, task_for_data

    data, days = night.config.data, set[int]()
    names = [name for name in data.roles if name != data.columns.id]
    for batch in night.source.batches(names, midnight(night.today - window(night) * DAY), night.as_of):
        labelled = ~np.isnan(outcome_columns.labels(batch, data.columns, night.as_of, task_for_data(data))[0])
        moments = arrays.view(batch.column(data.columns.time), np.int64)[labelled]
        days |= {int(moments.max())} if len(moments) else set()
    return (times.EPOCH + max(days) * times.MICROSECOND).date() if days else None


def production(night: Night) -> Diagnosis:
    """Check that the registry agrees with git, down to the digest of the model."""
    result: dict[str, Any] = promote_declared(night, verify=True)
    if result["version"] is None:
        return Diagnosis(
            "",
            "warn",
            "git declares no version yet",
            "No model is in Production.",
            "Train, propose and merge the first one.",
        )
    return Diagnosis("", "ok", f"version {result['version']}, agrees with git")


def cluster(night: Night) -> Diagnosis:
    """Check that the Dask cluster can be used. A failure is only a warning, because most nightly runs train nothing."""
    from training import computing_on

    address = night.config.training.cluster
    try:
        with computing_on(address):
            return Diagnosis("", "ok", f"{address} has workers")
    except MlopsError as err:
        return Diagnosis("", "warn", err.what, err.why, err.fix)
