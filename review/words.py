"""Say in plain words what a verdict found, so that pull request and report never tell it differently."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Self

from monitoring import phrases
from monitoring.phrases import digits, is_error
from review.markdown import number, signed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from model.validation import Comparison, Gate, Verdict
    from monitoring.drift import ColumnDrift, DriftReport
    from monitoring.triggers import Decision, Reading
    from monitoring.window import Finding

STATES = {
    "fired": "fired",
    "quiet": "quiet",
    "passes": "passes",
    "blocks": "blocks",
    "cannot_judge": "cannot judge",
    "warns": "warns",
}
MOST_REASONS = 10
NO_REASON = "No reason was recorded."
label, start = phrases.metric, phrases.sentence_case  # one name for a thing, in records and on pages


class Compared(NamedTuple):
    """Champion against challenger for a reader: both values, their difference with its interval, what is allowed."""

    challenger: str
    champion: str
    difference: str
    low: str
    high: str
    allowed: str

    @classmethod
    def of(cls, made: Comparison) -> Self:
        """The texts of a comparison."""
        values = figures(made.metric, made.challenger_value, made.champion_value)
        return cls(*values, *changes(made.metric, made.difference, made.low, made.high, -made.margin))


def title(verdict: Verdict) -> str:
    """One line: what is proposed, or refused, and the score that matters."""
    candidate = verdict.candidate
    verb = "Promote" if verdict.passed else "Refused:"
    return f"{verb} {candidate.model} version {candidate.version}{_scores(verdict)}"


def _scores(verdict: Verdict) -> str:
    compared = verdict.comparison
    if compared is not None:
        shown = Compared.of(compared)
        return f": {label(compared.metric)} {shown.challenger}, champion {shown.champion}"
    main = next((score for score in verdict.scores if score.value is not None), None)
    return f": {label(main.metric)} {figures(main.metric, main.value)[0]}" if main else ""


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


def comparison(made: Comparison) -> str:
    """Champion against challenger in one sentence."""
    shown = Compared.of(made)
    return (
        f"{start(label(made.metric))} is {shown.challenger} on the same {count(made.rows)} later rows on which version "
        f"{made.champion}, in Production, has {shown.champion}: a difference of {shown.difference}, at worst "
        f"{shown.low}, where {shown.allowed} is allowed."
    )


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Why this model was trained."""
    return verdict.candidate.decision.reasons[:MOST_REASONS] or (NO_REASON,)


def stopping(verdict: Verdict) -> tuple[Gate, ...]:
    """The gates that did not let the candidate pass."""
    return tuple(gate for gate in verdict.gates if gate.state != "passes")


def caution(verdict: Verdict) -> str:
    """What a reader has to know of the metric that decides."""
    judged = verdict.candidate.decision.performance
    metric = verdict.scores[0].metric if verdict.scores else judged.metric if judged else ""
    return sense(metric)


def sense(metric: str) -> str:
    """What to know of a metric before its numbers; empty where it goes without saying."""
    return "Errors are negated, so more is better: the nearer to 0, the better." if is_error(metric) else ""


def figures(metric: str, *values: float | None) -> list[str]:
    """Values of a metric that stand together, and get as many digits."""
    return [number(value, digits(metric, *values)) for value in values]


def changes(metric: str, *values: float | None) -> list[str]:
    """As `figures`, of differences: with their signs."""
    return [signed(value, digits(metric, *values)) for value in values]


def count(rows: int) -> str:
    """A number of rows with a thin gap between thousands."""
    return f"{rows:,}".replace(",", "\u202f")


def measured(metric: str | None, *values: float | None) -> list[str]:
    """What a gate or a trigger measured, and its limit; `metric` where these are values or differences of one."""
    return figures(metric, *values) if metric and is_error(metric) else [reading(value) for value in values]


def judged_in(reading: Reading, decision: Decision) -> str | None:
    """The metric that a trigger measured; None where it measured something else."""
    judged = decision.performance
    return judged.metric if judged and reading.trigger in {"performance", "estimate"} else None


def metric_of(gate: Gate, verdict: Verdict) -> str | None:
    """The metric that a gate measures values or differences of; None where it measures something else."""
    known = [score.metric for score in verdict.scores]
    if gate.name == "champion" or gate.name.startswith("slice_"):
        return known[0] if known else None
    return gate.name if gate.name in known else None


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
