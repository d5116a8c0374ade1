"""Let every trigger answer in the same way: fired, quiet, or cannot judge, with a sentence that a reviewer can read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.days import DAY
from core.wording import change_digits, digits, distinct, figure, metric, sentence_case, span
from monitoring.drift import ColumnDrift, DriftNight
from monitoring.performance import PerformanceReport
from monitoring.triggers.evidence import Evidence, Name, Reading, Request, Trigger, cannot_judge, switched_off

if TYPE_CHECKING:
    from monitoring.drift import ColumnDrift

SURE = 0.5  # confidence at which the value itself is compared


def performance(evidence: Evidence) -> Reading:
    """Fires when even the upper bound of the score on late labels is under the limit, on any of three windows."""
    config, report = evidence.config.triggers.performance, evidence.performance
    if report is None:
        return cannot_judge("performance", "The scores of the window were not counted.")
    days = span(report.start, report.end)
    if not report.rows:
        return cannot_judge("performance", f"No usable row of {days} was scored by version {evidence.past.champion}.")
    if report.labels < config.min_labels:
        found = f"Only {report.labels:,} of {report.rows:,} scored rows of {days} have a label"
        return cannot_judge("performance", f"{found}; {config.min_labels:,} are needed.")
    if report.value is None or report.high is None:
        return cannot_judge("performance", _missing(report, days, config.min_positives))
    fired = report.high < report.limit
    judged = report.value, report.high, report.limit
    value, high, limit = distinct(*judged, digits=min(digits(report.metric, one) for one in judged))
    confidence = report.confidence or config.confidence
    bound = "" if confidence == SURE else f", with {100 * confidence:.3g}% confidence at most {high}"
    return Reading(
        trigger="performance",
        state="fired" if fired else "quiet",
        value=report.value,
        limit=report.limit,
        sentence=f"{sentence_case(metric(report.metric))} {value} on {report.labels:,} labels of {days}{bound}; "
        f"limit {limit} ({_origin(report)}).{_unadjusted(report)}",
    )


def _missing(report: PerformanceReport, days: str, min_positives: int) -> str:
    """Return why a score has no bounds."""
    ones = "" if report.positives is None else f", {report.positives:,} of them 1"
    labels = f"On {report.labels:,} labels of {days}{ones}, {metric(report.metric)}"
    if report.value is None:
        return f"{labels} is undefined."
    return f"{labels} has no bounds: at least {min_positives:,} rows of the rarer label are needed."


def _unadjusted(report: PerformanceReport) -> str:
    """Return the warning that bounds take rows as independent; empty if they account for days."""
    if report.decisive is None or report.decisive.adjusted:
        return ""
    return " Not adjusted for days: there are too few to tell how days differ."


def _origin(report: PerformanceReport) -> str:
    """Where a limit comes from."""
    if report.reference is None or report.limit == report.floor:
        return "the floor"
    drop = report.reference - report.limit
    text = f"{drop:,.{change_digits(report.metric, drop)}f}"
    return f"the reference score {figure(report.metric, report.reference)} minus {text}"


def drift(evidence: Evidence) -> Reading:
    """Fires when enough columns drifted on k of the last n nights; columns in `ignore` never count."""
    config, report = evidence.config.triggers.drift, evidence.drift
    needed, looked = config.nights
    if report is None or not report.nights:
        return cannot_judge("drift", "There is no baseline of the model in service to compare with.")
    tonight = report.nights[-1]
    days = span(tonight.end - config.window_days * DAY, tonight.end)
    if not tonight.columns:
        return cannot_judge("drift", f"Only {tonight.rows:,} usable rows in {days}; {config.min_rows:,} needed.")
    moved = [found for night in report.nights if len(found := drifting(night)) >= config.min_columns]
    newest = {column.column: column for found in moved for column in found}
    fired = len(moved) >= needed
    count = f"on {len(moved)} of the last {len(report.nights)} nights (limit: {needed} of {looked})"
    unsure = "" if report.adjusted or config.rule == "plain" else " P-values are not adjusted for nights."
    if moved:
        sentence = f"Drifted {count}: {names(newest.values())}.{unsure}"
    else:
        sentence = f"No drift in {days}: {_calm(tonight, config.min_columns)}.{unsure}"
    return Reading(
        trigger="drift", state="fired" if fired else "quiet", value=len(moved), limit=needed, sentence=sentence
    )


def drifting(night: DriftNight) -> list[ColumnDrift]:
    """The columns that count as drifted on a night."""
    return [column for column in night.columns if column.drifted and not column.ignored]


def _calm(night: DriftNight, min_columns: int) -> str:
    if found := drifting(night):
        return f"{names(found)}, fewer than {min_columns} columns"
    judged = [column for column in night.columns if not column.ignored]
    if not judged:
        return "all columns are ignored"
    farthest = max(judged, key=lambda column: column.effect)
    return f"of {len(judged)} columns {farthest.column} moved most ({farthest.effect:.3f})"


def age(evidence: Evidence) -> Reading:
    """Fires when the model in service was trained `max_days` before this night, or earlier."""
    trained, most = evidence.past.champion_trained, evidence.config.triggers.age.max_days
    if trained is None:
        return cannot_judge("age", f"When version {evidence.past.champion} was trained is not known.")
    days = (evidence.as_of - trained) / DAY
    if days < 0:
        return cannot_judge(
            "age", f"Version {evidence.past.champion} was trained on {trained:%-d %b %Y}, after this night."
        )
    value, limit = distinct(days, most, digits=1)
    return Reading(
        trigger="age",
        state="fired" if days >= most else "quiet",
        value=days,
        limit=most,
        sentence=f"Version {evidence.past.champion} was trained {value} days ago; limit {limit} days.",
    )


def manual(evidence: Evidence) -> Reading:
    """Fires when a person asks."""
    asked = evidence.request
    return Reading(
        trigger="manual",
        state="quiet" if asked is None else "fired",
        value=None,
        limit=None,
        sentence="Nobody asked for a retraining." if asked is None else f"Asked for by a person: {_one_line(asked)}",
    )


def _one_line(request: Request) -> str:
    words = textwrap.shorten(request.reason, 300, placeholder="…") or "no reason given"
    return words if words.endswith((".", "…", "!", "?")) else f"{words}."


def read_all(evidence: Evidence) -> tuple[Reading, ...]:
    """What each trigger says, in the order of `TRIGGERS`."""
    read = []
    for name, trigger in TRIGGERS.items():
        settings = getattr(evidence.config.triggers, name, None)
        read.append((trigger if settings is None or settings.enabled else switched_off(name))(evidence))
    return tuple(read)


TRIGGERS: Mapping[Name, Trigger] = {"performance": performance, "drift": drift, "age": age, "manual": manual}
MOST_NAMES = 5


def names(columns: Iterable[ColumnDrift]) -> str:
    """The columns that moved most, with how far."""
    ordered = sorted(columns, key=lambda column: (-column.effect, column.column))
    more = f" and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return ", ".join(f"{column.column} ({column.effect:.3f})" for column in ordered[:MOST_NAMES]) + more
