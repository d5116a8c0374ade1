"""The costly calculations of a run. They depend on their arguments only, so a replay can share their results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from core.config import DriftTrigger, ModelConfig
    from core.quality_report import QualityReport
    from monitoring.counting import Baseline, Window
    from monitoring.drift import DriftReport
    from training import TrainingSet


class Calculations:
    """What takes most of the time of a run."""

    def check_window(self, window: Window, config: ModelConfig, baseline: Baseline) -> QualityReport:
        """Return what the expectation suite reports of a window."""
        from training.quality import check_window

        return check_window(window, config, baseline)

    def drift_report(
        self, baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
    ) -> DriftReport:
        """Return the comparison of a window with a baseline, without the days to leave out."""
        from monitoring.drift import drift_report

        return drift_report(baseline, window, config, leave_out)

    def training_set(
        self,
        batches: Iterable[pa.RecordBatch],
        config: ModelConfig,
        as_of: dt.datetime,
        pipeline_digest: str,
        baseline: Baseline | None,
    ) -> TrainingSet:
        """Return the checked and split rows of a training; `baseline` is the champion's.

        Raises:
            DataError: there are too few rows, or the expectation suite refuses them.
        """
        from training import build_training_set
        from training.quality import check_training

        check = partial(check_training, config=config, baseline=baseline)
        return build_training_set(batches, config, as_of, pipeline_digest, check)

    def fit(self, root: Path, config: ModelConfig, training_set: TrainingSet) -> Any:
        """Return the estimator of the model's pipeline.py, fitted on a training set.

        Raises:
            OutsideError: the cluster that should fit the model does not answer.
        """
        from training import computing_on, fit_estimator, load_build

        with computing_on(config.training.cluster):
            return fit_estimator(load_build(root, config.name), config, training_set.parts)

    def latency_p95(self, estimator: Any, rows: pd.DataFrame) -> float:
        """Return the 95th percentile of the time that scoring one row takes, in milliseconds."""
        from training.gates import latency_p95

        return latency_p95(estimator, rows)
