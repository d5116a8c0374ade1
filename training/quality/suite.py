"""Quality reports of Great Expectations on training rows, and on monitoring windows by their tallies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.config import ModelConfig
from core.quality_report import Finding, QualityReport
from monitoring.counting import Baseline, Window
from monitoring.tasks import task_of
from training.quality import window_summary
from training.quality.expectations import Expected, of_training, of_window

if TYPE_CHECKING:
    import pandas as pd


def check_window(window: Window, config: ModelConfig, baseline: Baseline) -> QualityReport:
    """Return the report on a window. It reads tallies, so it costs the same for any number of rows.

    A critical finding on the newest day, or about the table as a whole, stops the nightly run. On an older day it is a
    warning, and the day is marked as broken and left out of all judgments.
    """
    measured = list(window_summary.cells(window, config, baseline))
    over = [cell for cell in measured if cell.excess > 0]
    failed = _failed(measured) if any(cell.severity in window_summary.JUDGED for cell in over) else ()
    reported = [cell for cell in over if cell.severity in failed or cell.severity not in window_summary.JUDGED]
    return QualityReport(
        subject="window",
        rows=sum(day.rows for day in window.days),
        checks=len(measured),
        findings=tuple(window_summary.findings(reported, window, task_of(config))),
    )


def _failed(measured: Sequence[window_summary.Cell]) -> set[window_summary.Severity]:
    """Return the severities with a measure over its limit. Called only if needed, because the library loads slowly."""
    import pandas as pd

    table = pd.DataFrame(
        [{cell.severity: cell.excess} for cell in measured], columns=window_summary.JUDGED, dtype=float
    )
    return {expected.severity for expected, _ in _window_suite().failures(table, "BOOLEAN_ONLY")}


def check_training(rows: pd.DataFrame, config: ModelConfig, baseline: Baseline | None) -> QualityReport:
    """Return the report on training rows (a `labelled_frame`); critical findings stop the training.

    `baseline` is the baseline of the model in service, None before the first promotion.
    """
    suite = _Suite(tuple(of_training(config, baseline)))
    failed = [expected for expected, _ in suite.failures(rows, "BOOLEAN_ONLY")]
    # Figures cost as much again for each expectation, so only failed expectations are evaluated for them.
    failures = _Suite(failed).failures(rows, "SUMMARY") if failed else []
    absent = {expected.column for expected in suite.expected} - {None, *rows.columns}  # one finding names them all
    findings = tuple(_finding(*failure) for failure in failures if failure[0].column not in absent)
    return QualityReport(subject="training", rows=len(rows), checks=len(suite.expected), findings=findings)


class _Suite:
    """An expectation suite whose results are numbered in the order of `expected`."""

    def __init__(self, expectations: Sequence[Expected]) -> None:
        library = _library()
        self.expected = tuple(expectations)
        self.suite = library.ExpectationSuite(
            name="suite",
            expectations=[
                getattr(library.expectations, expected.expectation)(
                    **expected.arguments, severity=expected.severity, meta={"number": number}
                )
                for number, expected in enumerate(self.expected)
            ],
        )

    def failures(self, rows: pd.DataFrame, result_format: str) -> list[tuple[Expected, dict[str, Any]]]:
        """Return the expectations that failed, in the order of the suite, each with its result."""
        batch = _frames().get_batch(batch_parameters={"dataframe": rows})
        results = batch.validate(self.suite, result_format=result_format).results
        failed = {item.expectation_config.meta["number"]: item for item in results if not bool(item.success)}
        return [(self.expected[number], dict(failed[number].result)) for number in sorted(failed)]


def _finding(expected: Expected, result: dict[str, Any]) -> Finding:
    """Return the finding of a failed expectation."""
    share = result.get("unexpected_count", 0) / result["element_count"] if result.get("element_count") else None
    value = result.get("observed_value") if share is None else share
    value = float(value) if isinstance(value, int | float | np.number) else None
    shown = np.nan if value is None else value
    return Finding(
        severity=expected.severity,
        check=expected.check,
        column=expected.column,
        date=None,
        value=value,
        limit=expected.limit,
        sentence=expected.sentence.format(column=expected.column, value=shown, limit=expected.limit),
    )


@cache
def _library() -> Any:
    """Return Great Expectations, without the warnings of its import, about which users can do nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations
    return gx


@cache
def _frames() -> Any:
    """Return a batch definition for frames in an in-memory context, without progress bars."""
    context = _library().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


@cache
def _window_suite() -> _Suite:
    return _Suite(of_window())
