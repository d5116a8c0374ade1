"""Say what `model/NAME/model.toml` may hold: the one place where thresholds stand, every number with its bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from core.policy import AgeTrigger, Days, DriftTrigger, Limits, Metric, Name, PerformanceTrigger, Share, Triggers
from core.records import Record

__all__ = [
    "AgeTrigger",
    "Columns",
    "Data",
    "DriftTrigger",
    "Gates",
    "Limits",
    "Metric",
    "ModelConfig",
    "PerformanceTrigger",
    "Quality",
    "Training",
    "Triggers",
]


class Columns(Record):
    """Which column of the monitoring table means what. `labelled_at` and `version` may be left out."""

    id: Name = "id"
    time: Name = "timestamp"
    score: Name = "prediction"
    label: Name = "actual"
    labelled_at: Name | None = None
    version: Name | None = None


class Data(Record):
    """Where monitoring rows live (one a prediction), and which of their columns are features."""

    source: str
    table: Name | None = None
    timezone: Literal["UTC"] | None = None
    columns: Columns = Columns()
    numeric: tuple[Name, ...] = ()
    categorical: tuple[Name, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """All features, numeric first: the order in which the model receives them."""
        return (*self.numeric, *self.categorical)

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are no features: id, time, score, label, and the optional ones that are configured."""
        return tuple(name for name in self.columns.model_dump().values() if name)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*self.features, *self.roles]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            msg = f"each column has one role, but these have several: {', '.join(twice)}"
            raise ValueError(msg)
        if not self.features:
            msg = "name at least one column in numeric or categorical"
            raise ValueError(msg)
        return self


class Training(Record):
    """Which rows a training takes: `window_days` up to `maturity_days` before the night, the last `holdout` apart."""

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
        """All of it that makes a training another one: everything but where it is computed."""
        return self.model_dump(mode="json", exclude={"cluster"})


class Quality(Record):
    """What rows must look like before anything is judged or trained on them.

    Each share is what is allowed on top of the worst day of the baseline (of nothing, where there is no baseline yet).
    """

    min_rows_per_day: Annotated[int, Field(ge=0, le=10**9)] = 1
    max_null_share: Share = 0.2
    max_unseen_share: Share = 0.05
    max_out_of_range_share: Share = 0.05
    max_duplicate_share: Share = 0.0
    max_future_share: Share = 0.0


class Gates(Record):
    """What a candidate must reach: floors by metric, the loss to the champion, slices, latency, size."""

    accuracy: Share | None = None
    balanced_accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    precision_weighted: Share | None = None
    roc_auc: Share | None = None
    average_precision: Share | None = None
    compare: bool = True
    max_loss_to_champion: Share = 0.01
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    min_holdout_rows: Annotated[int, Field(ge=20, le=10**9)] = 200
    slices: tuple[Name, ...] = ()
    min_slice_rows: Annotated[int, Field(ge=20, le=10**9)] = 100
    max_slice_loss: Share = 0.1
    max_p95_ms: Annotated[float, Field(gt=0, le=10**6)] = 100
    max_size_mb: Annotated[float, Field(gt=0, le=10**6)] = 100

    @property
    def floors(self) -> dict[Metric, float]:
        """The metrics that have a floor, in the order of the config."""
        return {metric: floor for metric in get_args(Metric) if (floor := getattr(self, metric)) is not None}


class ModelConfig(Record):
    """All of `model.toml`. `name` is the folder; it is not written in the file."""

    name: str
    task: Literal["binary"]
    registry_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
    data: Data
    training: Training = Training()
    triggers: Triggers = Triggers()
    quality: Quality = Quality()
    gates: Gates = Gates()

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        for where, names in (
            ("triggers.drift.ignore", self.triggers.drift.ignore),
            ("triggers.drift.seasonal_columns", self.triggers.drift.seasonal_columns),
            ("gates.slices", self.gates.slices),
        ):
            unknown = sorted(set(names) - set(self.data.features))
            if unknown:
                msg = f"{where} names columns that are no features: {', '.join(unknown)}"
                raise ValueError(msg)
        return self
