"""Rules of the triggers: each returns fired, quiet or cannot judge, with a sentence for the reviewer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from core.days import DAY
from core.wording import change, digits, distinct, figure, metric, sentence_case, span
from monitoring.drift import ColumnDrift, DriftNight
from monitoring.performance import PerformanceReport
from monitoring.triggers.evidence import Evidence, Name, Reading, Request, Trigger, cannot_judge, switched_off

EVEN = 0.5  # confidence at which the value itself is compared


def performance(evidence: Evidence) -> Reading:
    """Fires when the upper confidence bound of the score on late labels is under the limit, in any of three looks."""
    config, report = evidence.config.triggers.performance, evidence.performance
    if report is None:
        return cannot_judge("performance", "The scores of the window were not counted.")
    days = span(report.start, report.end)
    if not report.rows:
        return cannot_judge("performance", f"No usable row from {days} was scored by version {evidence.past.champion}.")
    if report.labels < config.min_labels:
        labelled = f"Only {report.labels:,} of {report.rows:,} scored rows from {days} have a label"
        return cannot_judge("performance", f"{labelled}; {config.min_labels:,} are needed.")
    if report.value is None or report.high is None:
        return cannot_judge("performance", _missing(report, days, config.min_positives))
    fired = report.high < report.limit
    values = report.value, report.high, report.limit
    value, high, limit = distinct(*values, digits=min(digits(report.metric, value) for value in values))
    confidence = report.confidence or config.confidence
    bound = "" if confidence == EVEN else f" (with {100 * confidence:.3g}% confidence, at most {high})"
    return Reading(
        trigger="performance",
        state="fired" if fired else "quiet",
        value=report.value,
        limit=report.limit,
        sentence=f"{sentence_case(metric(report.metric))} is {value} on {report.labels:,} labels from {days}{bound}; "
        f"limit {limit} ({_origin(report)}).{_unadjusted(report)}",
    )


def _missing(report: PerformanceReport, days: str, min_positives: int) -> str:
    """Return why a score has no bounds."""
    positives = "" if report.positives is None else f", {report.positives:,} of them 1"
    name, labels = sentence_case(metric(report.metric)), f"{report.labels:,} labels from {days}{positives}"
    if report.value is None:
        return f"{name} is undefined on {labels}."
    return f"{name} has no bounds on {labels}; {min_positives:,} rows of the rarer label are needed."


def _unadjusted(report: PerformanceReport) -> str:
    """Return the warning that bounds take rows as independent; empty if they account for days."""
    if report.decisive is None or report.decisive.adjusted:
        return ""
    return " Not adjusted for days: there are too few to tell how days differ."


def _origin(report: PerformanceReport) -> str:
    """Return where a limit comes from."""
    if report.reference is None or report.limit == report.floor:
        return "the floor"
    drop = report.reference - report.limit
    return f"the reference score {figure(report.metric, report.reference)} minus {change(report.metric, drop)[1:]}"


def drift(evidence: Evidence) -> Reading:
    """Fires when enough columns drifted on k of the last n nights. Columns in `ignore` never count."""
    config, report = evidence.config.triggers.drift, evidence.drift
    needed, considered = config.nights
    if report is None or not report.nights:
        return cannot_judge("drift", "There is no baseline of the model in service to compare with.")
    night = report.nights[-1]
    days = span(night.end - config.window_days * DAY, night.end)
    if not night.columns:
        return cannot_judge("drift", f"Only {night.rows:,} usable rows from {days}; {config.min_rows:,} are needed.")
    nights = [drifted for past in report.nights if len(drifted := drifting(past)) >= config.min_columns]
    newest = {column.column: column for drifted in nights for column in drifted}
    fired = len(nights) >= needed
    count = f"on {len(nights)} of the last {len(report.nights)} nights (limit: {needed} of {considered})"
    adjusted = report.adjusted or config.rule == "plain"
    note = "" if adjusted else " P-values are not adjusted for the variation between days."
    if nights:
        sentence = f"Drifted {count}: {names(newest.values())}.{note}"
    else:
        sentence = f"No drift from {days}: {_without_drift(night, config.min_columns)}.{note}"
    return Reading(
        trigger="drift", state="fired" if fired else "quiet", value=len(nights), limit=needed, sentence=sentence
    )


def drifting(night: DriftNight) -> list[ColumnDrift]:
    """Return the columns that count as drifted on a night."""
    return [column for column in night.columns if column.drifted and not column.ignored]


def _without_drift(night: DriftNight, min_columns: int) -> str:
    if drifted := drifting(night):
        return f"{names(drifted)}, fewer than {min_columns} columns"
    columns = [column for column in night.columns if not column.ignored]
    if not columns:
        return "all columns are ignored"
    largest = max(columns, key=lambda column: column.effect)
    return f"of {len(columns)} columns, {largest.column} changed most ({largest.effect:.3f})"


def age(evidence: Evidence) -> Reading:
    """Fires when the model in service is at least `max_days` old."""
    trained, most = evidence.past.champion_trained, evidence.config.triggers.age.max_days
    if trained is None:
        return cannot_judge("age", f"The training date of version {evidence.past.champion} is unknown.")
    days = (evidence.as_of - trained) / DAY
    if days < 0:
        when = f"{trained:%-d %b %Y}, after the night of this run"
        return cannot_judge("age", f"Version {evidence.past.champion} was trained on {when}.")
    value, limit = distinct(days, most, digits=1)
    return Reading(
        trigger="age",
        state="fired" if days >= most else "quiet",
        value=days,
        limit=most,
        sentence=f"Version {evidence.past.champion} was trained {value} days ago; limit {limit} days.",
    )


def manual(evidence: Evidence) -> Reading:
    """Fires when a person requests a retraining."""
    request = evidence.request
    return Reading(
        trigger="manual",
        state="quiet" if request is None else "fired",
        value=None,
        limit=None,
        sentence="No retraining was requested." if request is None else f"Requested by a person: {_one_line(request)}",
    )


def _one_line(request: Request) -> str:
    reason = textwrap.shorten(request.reason, 300, placeholder="…") or "no reason given"
    return reason if reason.endswith((".", "…", "!", "?")) else f"{reason}."


def read_all(evidence: Evidence) -> tuple[Reading, ...]:
    """Return the reading of each trigger, in the order of `TRIGGERS`."""
    readings = []
    for name, trigger in TRIGGERS.items():
        settings = getattr(evidence.config.triggers, name, None)
        readings.append((trigger if settings is None or settings.enabled else switched_off(name))(evidence))
    return tuple(readings)


TRIGGERS: Mapping[Name, Trigger] = {"performance": performance, "drift": drift, "age": age, "manual": manual}
MOST_NAMES = 5


def names(columns: Iterable[ColumnDrift]) -> str:
    """Return the columns that changed most, with their effects, and with the share of nulls if that is what drifted."""
    ordered = sorted(columns, key=lambda column: (-column.effect, column.column))
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(f"{column.column} ({_change(column)})" for column in ordered[:MOST_NAMES]) + more


def _change(column: ColumnDrift) -> str:
    nulls = f", missing in {column.null_window:.1%} instead of {column.null_baseline:.1%}"
    return f"{column.effect:.3f}{nulls if column.null_drifted else ''}"
