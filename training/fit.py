"""The split of labelled rows by time, and the estimator fitted on the earlier part."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import ModelConfig
from core.errors import ConfigError, DataError
from core.quality_report import QualityReport
from core.records import Record
from monitoring.counting import Holdout, holdout_of
from monitoring.tasks import task_of
from monitoring.triggers import Decision
from training.digest import order
from training.frame import features
from training.pipeline_file import Build
from training.scoring import ERROR_TEXT, score, to_estimator_labels, to_table_values

if TYPE_CHECKING:
    import pandas as pd


class Candidate(Record):
    """A model that was trained and registered, and is not validated yet. Times are UTC.

    It was fitted on rows from `fit_from` on and before `fit_until`; the holdout runs from `fit_until` to `data_until`,
    the time of its last row.
    """

    model: str
    registry_name: str
    version: int
    run_id: str
    digest: str
    data_digest: str
    training_key: str
    commit: str
    as_of: dt.datetime
    fit_from: dt.datetime
    fit_until: dt.datetime
    data_until: dt.datetime
    fit_rows: int
    holdout_rows: int
    quality: QualityReport
    decision: Decision
    records_digest: str | None = None


@dataclass(frozen=True)
class Split:
    """Labelled rows, split at one instant: every row of `fit` is before `fit_until`, no row of `holdout` is."""

    fit: pd.DataFrame
    holdout: pd.DataFrame
    fit_from: dt.datetime
    fit_until: dt.datetime
    data_until: dt.datetime


def split_rows(rows: pd.DataFrame, config: ModelConfig) -> Split:
    """Return the rows, the last `training.holdout` of them by time as the holdout.

    The split is at the midnight (UTC) nearest to that share, so rows of one instant are never in both parts. If all
    rows are of one day, it is at the nearest instant.

    Raises:
        DataError: no labelled rows, too few, all of one instant, or a part has only one label.
    """
    time, label = config.data.columns.time, config.data.columns.label
    least, days = config.training.min_rows, config.training.window_days
    if len(rows) < least:
        raise DataError(
            f"{config.name} has {len(rows):,} labelled rows in {days} days; at least {least:,} are required.",
            why="Labels have not arrived yet, or the feed of labels stopped.",
            fix="Wait for labels, take more days with training.window_days, or lower training.min_rows.",
        )
    # Without an id, all columns decide the order of rows of one instant: it must not depend on the source.
    positions = order(
        rows, [time, *([config.data.columns.id] if config.data.columns.id else [*config.data.features, label])]
    )
    ordered = rows if (np.diff(positions) > 0).all() else rows.iloc[positions]
    times = ordered[time]
    cuts = times.dt.floor("D") if times.iloc[0].date() < times.iloc[-1].date() else times
    starts = np.flatnonzero(cuts.ne(cuts.shift()).to_numpy())[1:]
    if not len(starts):
        raise DataError(
            f"All {len(rows):,} labelled rows of {config.name} have the time {times.iloc[0]}.",
            why="The time column may hold the time of an import.",
            fix="Set data.columns.time in model.toml to the column with the time of the prediction.",
        )
    first = int(starts[np.abs(len(rows) - starts - config.training.holdout * len(rows)).argmin()])
    parts = {"fit": ordered.iloc[:first], "holdout": ordered.iloc[first:]}
    for name, part in parts.items():
        if part[label].nunique() < 2:  # noqa: PLR2004 - one label teaches nothing, and judges nothing
            only = to_table_values(part[label].iloc[:1], config.data)[0]
            raise DataError(
                f"The {len(part):,} {name} rows of {config.name} have only the label {only}.",
                why="Labels of one class arrive later than the others, or were not collected.",
                fix="Take more days with training.window_days, or wait for the labels with training.maturity_days.",
            )
    return Split(
        **parts,
        fit_from=times.iloc[0].to_pydatetime(),
        fit_until=cuts.iloc[first].to_pydatetime(),
        data_until=times.iloc[-1].to_pydatetime(),
    )


def fit_estimator(build: Build, config: ModelConfig, parts: Split) -> Any:
    """Return the estimator of `build`, fitted on the fit part. A `random_state` that is None gets the config's seed.

    Raises:
        ConfigError: the estimator could not be fitted.
    """
    estimator = build(config)
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    unseeded = [name for name, value in parameters.items() if name.endswith("random_state") and value is None]
    if unseeded:
        estimator.set_params(**dict.fromkeys(unseeded, config.training.seed))
    try:
        labels = to_estimator_labels(parts.fit[config.data.columns.label], config.data)
        return estimator.fit(features(parts.fit, config.data), labels)
    except Exception as err:
        raise ConfigError(
            f"The estimator of model/{config.name}/pipeline.py could not be fitted ({type(err).__name__}).",
            why="It may not accept missing values, text, or a column with one value.",
            fix=f"Fix build() in that file. {ERROR_TEXT}",
        ) from err


def holdout_scores(estimator: Any, config: ModelConfig, parts: Split) -> Holdout:
    """Return the scores of the holdout by day and label, and how far they can be trusted as probabilities."""
    columns, rows, task = config.data.columns, parts.holdout, task_of(config)
    scores = score(estimator, features(rows, config.data), task)
    return holdout_of(rows[columns.time].dt.date.tolist(), rows[columns.label].to_numpy(), scores, task)


def training_key(config: ModelConfig, data_digest: str, pipeline_digest: str) -> str:
    """Return the SHA-256 that identifies a training: its rows, features, section [training], seed and pipeline.

    Gates and triggers are not in it: they judge a training and do not change it. Nor is the cluster that fits it.
    """
    parts: dict[str, Any] = {
        "model": config.name,
        "training": config.training.what,
        "columns": config.data.columns.model_dump(mode="json"),
        "features": [config.data.numeric, config.data.categorical],
        "rows": data_digest,
        "pipeline": pipeline_digest,
    }
    outcome = {"classes": config.data.classes, "label_range": config.data.label_range}
    parts |= {name: value for name, value in outcome.items() if value is not None}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
