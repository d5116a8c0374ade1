"""Say in plain words what a verdict found, so that pull request and report never tell it differently."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core import wording
from review.text.markdown import number, signed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from core.quality_report import Finding
    from monitoring.drift import ColumnDrift, DriftReport
    from monitoring.triggers import Decision, Reading
    from training.gates import Comparison, Gate, Verdict

STATES = {
    "fired": "fired",
    "quiet": "quiet",
    "passes": "passes",
    "blocks": "blocks",
    "cannot_judge": "cannot judge",
    "warns": "warns",
}
DIFFERENCES = ("champion", "slice_")  # how the gates are called that measure differences of the main metric
MOST_REASONS = 10
NO_REASON = "No reason was recorded."
label, start = wording.metric, wording.sentence_case  # one name for a thing, in records and on pages


def title(verdict: Verdict) -> str:
    """One line: what is proposed, or refused, and the score that matters."""
    candidate = verdict.candidate
    verb = "Promote" if verdict.passed else "Refused:"
    return f"{verb} {candidate.model} version {candidate.version}{_scores(verdict)}"


def _scores(verdict: Verdict) -> str:
    compared = verdict.comparison
    if compared is not None:
        metric = compared.metric
        against = f"champion {figure(compared.champion_value, metric)}"
        return f": {label(metric)} {figure(compared.challenger_value, metric)}, {against}"
    first = next((score for score in verdict.scores if score.value is not None), None)
    return f": {label(first.metric)} {figure(first.value, first.metric)}" if first else ""


def headline(verdict: Verdict) -> str:
    """The verdict in one short sentence."""
    version, gates = verdict.candidate.version, len(verdict.gates)
    if verdict.passed:
        return f"Version {version} passed all {gates} gates."
    stopped = sum(gate.state != "passes" for gate in verdict.gates)
    return f"Version {version} is refused by {stopped} of {gates} gates."


def consequence(verdict: Verdict) -> str:
    """What the verdict means for the model in service."""
    if verdict.comparison is not None:
        return comparison(verdict.comparison)
    if verdict.champion is None:
        return "No version is in Production yet, so there is nothing to compare it with."
    return f"It was not compared with version {verdict.champion}, which is in Production."


def merging_warnings(verdict: Verdict) -> tuple[str, ...]:
    """Return what a reviewer agrees to by merging: a lower reference, a version that starts under its alarm limit."""
    from monitoring.performance import reference_score

    main, reference = verdict.main_score, reference_score(verdict.promoted)
    if not verdict.passed or main is None or main.value is None or reference is None:
        return ()
    warnings, promoted = [], len(verdict.promoted)
    if reference.lowered:
        highest, value = (figure(score, main.metric) for score in (reference.highest, reference.value))
        warnings.append(
            f"Merging lowers the reference of the performance trigger to {value}, the mean of the last {promoted} "
            f"promoted versions; it was up to {highest}."
        )
    if verdict.limit is not None and main.value < verdict.limit:
        value, limit = (figure(score, main.metric) for score in (main.value, verdict.limit))
        warnings.append(
            f"This version starts under its own alarm limit: its {label(main.metric)} on the holdout is {value}, and "
            f"the performance trigger may fire under {limit}."
        )
    return tuple(warnings)


def comparison(made: Comparison) -> str:
    """Champion against challenger in one sentence."""
    metric = made.metric
    return (
        f"{start(label(metric))} is {figure(made.challenger_value, metric)} on the same {count(made.rows)} later rows "
        f"on which version {made.champion}, in Production, has {figure(made.champion_value, metric)}: a difference of "
        f"{change(made.difference, metric)}, at worst {change(made.low, metric)}, where "
        f"{change(-made.margin, metric)} is allowed."
    )


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Why this model was trained."""
    return verdict.candidate.decision.reasons[:MOST_REASONS] or (NO_REASON,)


def stopping(verdict: Verdict) -> tuple[Gate, ...]:
    """The gates that did not let the candidate pass."""
    return tuple(gate for gate in verdict.gates if gate.state != "passes")


def main(verdict: Verdict) -> str:
    """The metric that decides; empty where nothing was measured."""
    judged = verdict.candidate.decision.performance
    return verdict.main_score.metric if verdict.main_score else judged.metric if judged else ""


def caution(verdict: Verdict) -> str:
    """What a reader has to know of the metric that decides."""
    return sense(main(verdict))


def sense(metric: str) -> str:
    """What to know of a metric before its numbers; empty where it goes without saying."""
    return "Errors are negated, so more is better: the nearer to 0, the better." if wording.is_error(metric) else ""


def figure(value: float | None, metric: str) -> str:
    """A value of a metric."""
    return number(value, wording.digits(metric, value))


def change(value: float | None, metric: str) -> str:
    """A difference between values of a metric."""
    return signed(value, wording.change_digits(metric, value))


def count(rows: int) -> str:
    """A number of rows with a thin gap between thousands."""
    return f"{rows:,}".replace(",", "\u202f")


def read(one: Reading, decision: Decision) -> tuple[str, str]:
    """What a trigger measured, and its limit."""
    judged = decision.performance
    if judged and wording.is_error(judged.metric) and one.trigger == "performance":
        return figure(one.value, judged.metric), figure(one.limit, judged.metric)
    return reading(one.value), reading(one.limit)


def measured(gate: Gate, verdict: Verdict) -> tuple[str, str]:
    """What a gate measured, and its limit: of an error itself, or of a difference between errors."""
    metric = main(verdict)
    if wording.is_error(gate.name):
        return figure(gate.value, gate.name), figure(gate.limit, gate.name)
    if wording.is_error(metric) and gate.name.startswith(DIFFERENCES):
        return change(gate.value, metric), change(gate.limit, metric)
    return reading(gate.value), reading(gate.limit)


def reading(value: float | None) -> str:
    """A measured value whose unit is unknown here: whole numbers as such, shares with three digits."""
    if value is None:
        return number(value)
    if not math.isfinite(value) or (abs(value) < 1 and value):
        return number(value)
    if float(value).is_integer() or abs(value) >= 100:  # noqa: PLR2004 - three digits are enough for a reader
        return count(round(value)).replace("-", "\u2212")
    return f"{value:.3g}".replace("-", "\u2212")


def moment(when: dt.datetime | dt.date | None) -> str:
    """A day, as every date is shown."""
    return f"{when:%Y-%m-%d}" if when is not None else number(None)


def chance(p_value: float | None) -> str:
    """A p-value: three digits, or that it is under what three digits can show."""
    return number(p_value) if p_value is None or p_value >= 0.001 else "<\u202f0.001"  # noqa: PLR2004


def nights(report: DriftReport) -> str:
    """On how many of the nights looked at the trigger would have fired."""
    return f"and the limit was passed on {report.fired_nights} of the last {len(report.nights)} nights"


def drifted_first(report: DriftReport | None) -> list[ColumnDrift]:
    """Tonight's columns, drifted ones first, then by effect."""
    columns = report.nights[-1].columns if report is not None and report.nights else ()
    return sorted(columns, key=lambda column: (not column.drifted, column.ignored, -column.effect, column.column))


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Findings, the worst first."""
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])
