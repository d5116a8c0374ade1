"""Schema of `model/NAME/model.toml`, the only place for thresholds; every number has bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from core.config.gates import Gates, Quality
from core.config.metrics import METRICS, Task, is_share
from core.config.names import Name
from core.config.triggers import Days, Triggers
from core.records import Record


class Columns(Record):
    """Names of columns in the monitoring table. `id`, `labelled_at` and `version` are optional.

    Without `id`, duplicate rows are not looked for, and no prediction log can be written.
    """

    id: Name | None = None
    time: Name = "timestamp"
    score: Name = "prediction"
    label: Name = "actual"
    labelled_at: Name | None = None
    version: Name | None = None


# A class name may contain any printable character.
Class = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=128)]
Number = Annotated[float, Field(ge=-1e9, le=1e9)]


class Data(Record):
    """Where the monitoring rows are (one per prediction), and which of their columns are features.

    A multiclass model predicts one of `classes`; numeric classes are written as text. Labels of a regression are in
    `label_range`, in the unit of the label.
    """

    source: str
    table: Name | None = None
    timezone: Literal["UTC"] | None = None
    columns: Columns = Columns()
    numeric: tuple[Name, ...] = ()
    categorical: tuple[Name, ...] = ()
    classes: Annotated[tuple[Class, ...], Field(min_length=2, max_length=100)] | None = None
    label_range: tuple[Number, Number] | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Return all features, numeric first: the order in which the model receives them."""
        return (*self.numeric, *self.categorical)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the columns that are not features: id, time, score, label, and the configured optional ones."""
        return tuple(name for name in self.columns.model_dump().values() if name)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*self.features, *self.roles]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            msg = f"each column has one role, but these have several: {', '.join(repeated)}"
            raise ValueError(msg)
        if not self.features:
            msg = "name at least one column in numeric or categorical"
            raise ValueError(msg)
        if self.classes and len({*self.classes}) < len(self.classes):
            msg = "data.classes contains a class twice"
            raise ValueError(msg)
        if self.label_range and self.label_range[0] >= self.label_range[1]:
            msg = f"data.label_range is [smallest, largest], found {list(self.label_range)}"
            raise ValueError(msg)
        return self


class Training(Record):
    """Which rows a training uses: `window_days` up to `maturity_days` ago; the last share `holdout` is held out."""

    window_days: Days = 60
    holdout: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2
    split: Literal["time"] = "time"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    maturity_days: Annotated[int, Field(ge=0, le=365)] = 2
    min_rows: Annotated[int, Field(ge=50, le=10**9)] = 1000
    threshold: Annotated[float, Field(gt=0, lt=1, multiple_of=0.001)] = 0.5
    cluster: Annotated[str, Field(pattern=r"^(tcp|tls)://[\w.:\[\]-]+$")] | None = None

    @property
    def what(self) -> dict[str, Any]:
        """Return the settings that change the result of a training: all except where it is computed."""
        return self.model_dump(mode="json", exclude={"cluster"})


class ModelConfig(Record):
    """All of `model.toml`. `name` is the name of the folder; the file does not contain it."""

    name: str
    task: Task
    registry_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
    data: Data
    training: Training = Training()
    triggers: Triggers = Triggers()
    quality: Quality = Quality()
    gates: Gates = Gates()

    @model_validator(mode="after")
    def _fits_task(self) -> Self:
        for task, key in (("multiclass", "classes"), ("regression", "label_range")):
            given = getattr(self.data, key) is not None
            if given != (self.task == task):
                msg = f"data.{key} is only for task = {task!r}" if given else f"task = {task!r} needs data.{key}"
                raise ValueError(msg)
        if self.task != "binary" and self.training.threshold != Training().threshold:
            msg = "training.threshold is a limit on probabilities: it is only for task = 'binary'"
            raise ValueError(msg)
        metrics, main = METRICS[self.task], self.triggers.performance.metric
        for key, metric in (("triggers.performance.metric", main), *(("gates", floor) for floor in self.gates.floors)):
            if metric not in metrics:
                msg = f"{key}: {metric} is not a metric of task = {self.task!r}; use one of {', '.join(metrics)}"
                raise ValueError(msg)
        losses = max(self.gates.max_loss_to_champion, self.gates.max_slice_loss)
        if is_share(main) and losses > 1:
            msg = f"{main} is between 0 and 1: a loss of {losses:g} is impossible"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        for key, names in (
            ("triggers.drift.ignore", self.triggers.drift.ignore),
            ("triggers.drift.seasonal_columns", self.triggers.drift.seasonal_columns),
            ("gates.slices", self.gates.slices),
        ):
            unknown = sorted(set(names) - set(self.data.features))
            if unknown:
                msg = f"{key} contains columns that are not features: {', '.join(unknown)}"
                raise ValueError(msg)
        return self
