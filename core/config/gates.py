"""Settings of the data quality checks and of the gates that a candidate must pass."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from core.config.metrics import Metric
from core.config.names import Name
from core.config.triggers import Loss, Most, Negated, Share
from core.records import Record


class Quality(Record):
    """Limits that rows must keep before they are judged or trained on.

    Each share is allowed on top of the share on the worst day of the baseline (0 if there is no baseline yet).
    """

    min_rows_per_day: Annotated[int, Field(ge=0, le=10**9)] = 1
    max_null_share: Share = 0.2
    max_unseen_share: Share = 0.05
    max_out_of_range_share: Share = 0.05
    max_duplicate_share: Share = 0.0
    max_future_share: Share = 0.0


class Gates(Record):
    """Limits that a candidate must keep: floors by metric, loss to the champion, slices, latency, size.

    `min_positives`, `min_slice_positives`: rows of the rarer class that a comparison of binary models needs, if it is
    not by accuracy.
    """

    accuracy: Share | None = None
    balanced_accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    precision_weighted: Share | None = None
    roc_auc: Share | None = None
    average_precision: Share | None = None
    precision_macro: Share | None = None
    f1_macro: Share | None = None
    f1_weighted: Share | None = None
    r2: Most | None = None
    neg_mean_absolute_error: Negated | None = None
    neg_root_mean_squared_error: Negated | None = None
    compare: bool = True
    max_loss_to_champion: Loss = 0.02
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    min_positives: Annotated[int, Field(ge=2, le=10**9)] = 20
    min_holdout_rows: Annotated[int, Field(ge=20, le=10**9)] = 200
    slices: tuple[Name, ...] = ()
    min_slice_rows: Annotated[int, Field(ge=20, le=10**9)] = 100
    min_slice_positives: Annotated[int, Field(ge=2, le=10**9)] = 10
    max_slice_loss: Loss = 0.1
    max_p95_ms: Annotated[float, Field(gt=0, le=10**6)] = 100
    max_size_mb: Annotated[float, Field(gt=0, le=10**6)] = 100

    @property
    def floors(self) -> dict[Metric, float]:
        """Return the metrics that have a floor, in the order of the config."""
        return {metric: floor for metric in get_args(Metric) if (floor := getattr(self, metric)) is not None}
