"""The drift of columns as a person reads it: every number formatted once, for the pull request and the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from review.text.numbers import bar, chance, number

if TYPE_CHECKING:
    from monitoring.drift import ColumnDrift, DriftReport


@dataclass(frozen=True)
class ColumnView:
    """The drift of one column; `bar` is its effect as block letters, `missing` the share of nulls if that changed."""

    name: str
    state: str
    effect: str
    bar: str
    p_value: str
    psi: str
    missing: str
    record: ColumnDrift


def column_views(report: DriftReport | None) -> tuple[ColumnView, ...]:
    """Return the columns of the last night, drifted ones first, then by effect."""
    columns = report.nights[-1].columns if report is not None and report.nights else ()
    most = max([0.2, *(column.effect for column in columns if not column.ignored)])
    ordered = sorted(columns, key=lambda column: (not column.drifted, column.ignored, -column.effect, column.column))
    return tuple(
        ColumnView(
            name=column.column,
            state="ignored" if column.ignored else "drifted" if column.drifted else "no",
            effect=number(column.effect),
            bar=bar(column.effect, most),
            p_value=chance(column.p_value),
            psi=number(column.psi, 2),
            missing=_missing(column),
            record=column,
        )
        for column in ordered
    )


def _missing(column: ColumnDrift) -> str:
    if not column.null_drifted and abs(column.null_window - column.null_baseline) < 0.005:  # noqa: PLR2004 - half a percent
        return ""
    return f"missing {column.null_baseline:.1%} \u2192 {column.null_window:.1%}"


def drift_sentence(report: DriftReport) -> str:
    """Return how many columns drifted, and on how many nights the limit of the trigger was exceeded."""
    columns = report.nights[-1].columns if report.nights else ()
    unadjusted = " Not adjusted for differences between days, because the baseline has too few days."
    return (
        f"{sum(column.drifted for column in columns)} of {len(columns)} columns drifted. The limit of the trigger was "
        f"exceeded on {report.fired_nights} of the last {len(report.nights)} nights."
        f"{'' if report.adjusted else unadjusted}"
    )
