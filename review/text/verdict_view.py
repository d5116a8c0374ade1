"""A verdict as a person reads it: every number formatted once, for the pull request, the issue and the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from core import wording
from review.text import scales
from review.text.drift_view import ColumnView, column_views, drift_sentence
from review.text.merging import merging_warnings
from review.text.numbers import change, count, figure, moment, number, reading
from review.text.states import GateState, Severity, TriggerState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.quality_report import Finding, QualityReport
    from monitoring.triggers import Reading
    from training import Candidate
    from training.gates import Comparison, Gate, Score, SliceScore, Verdict

DIFFERENCES = ("champion", "slice_")  # gates whose names begin so measure differences of the main metric
MOST_REASONS = 10
NO_REASON = "No reason was recorded."


@dataclass(frozen=True)
class ReadingView:
    """A trigger: its name, its state, its sentence, what it measured, and its limit."""

    trigger: str
    state: TriggerState
    sentence: str
    value: str
    limit: str
    record: Reading


@dataclass(frozen=True)
class GateView:
    """A gate: its name, its state, its sentence, what it measured, and its limit."""

    name: str
    state: GateState
    sentence: str
    value: str
    limit: str


@dataclass(frozen=True)
class ScoreView:
    """A score of the challenger with its interval, which is empty if it was not needed; `row` is for the picture."""

    metric: str
    value: str
    interval: str
    row: scales.Row


@dataclass(frozen=True)
class ComparisonView:
    """Champion and challenger in the main metric; `allowed` is the lowest difference that passes."""

    metric: str
    champion: int
    champion_value: str
    challenger_value: str
    difference: str
    low: str
    high: str
    allowed: str
    rows: str
    record: Comparison


@dataclass(frozen=True)
class SliceView:
    """Champion and challenger on one slice; `lost` says whether the challenger is lower."""

    name: str
    rows: str
    champion: str
    challenger: str
    difference: str
    lost: bool
    row: scales.Row


@dataclass(frozen=True)
class FindingView:
    """A finding of the data checks."""

    check: str
    column: str
    severity: Severity
    sentence: str
    date: str
    value: str
    limit: str


@dataclass(frozen=True)
class QualityView:
    """A report of the data checks, the worst finding first."""

    rows_of: str
    checks: str
    rows: str
    findings: tuple[FindingView, ...]


class VerdictView:
    """All texts and tables about one verdict.

    Args:
        verdict: what was measured, and whether every gate let it pass.
    """

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.candidate: Candidate = verdict.candidate
        self.decision = verdict.candidate.decision
        self.passed = verdict.passed
        self.state = GateState.PASSES if verdict.passed else GateState.BLOCKS
        self.version = verdict.candidate.version
        self.as_of = moment(verdict.as_of)
        self.metric = main_metric(verdict)

    @property
    def title(self) -> str:
        """Return one line: what is proposed or refused, and the score that matters."""
        verb = "Promote" if self.passed else "Refused:"
        head = f"{verb} {self.candidate.model} version {self.version}"
        if self.comparison is not None:
            compared = self.comparison
            return f"{head}: {compared.metric} {compared.challenger_value}, champion {compared.champion_value}"
        first = next((score for score in self.scores if score.row.value is not None), None)
        return f"{head}: {first.metric} {first.value}" if first else head

    @property
    def headline(self) -> str:
        """Return the verdict in one short sentence."""
        gates = len(self.gates)
        if self.passed:
            return f"Version {self.version} passed all {gates} gates."
        return f"Version {self.version} was refused by {len(self.stopping)} of {gates} gates."

    @property
    def consequence(self) -> str:
        """Return what the verdict means for the model in service."""
        compared = self.comparison
        if compared is not None:
            return (
                f"{wording.sentence_case(compared.metric)} is {compared.challenger_value}; version "
                f"{compared.champion}, in Production, has {compared.champion_value} on the same {compared.rows} later "
                f"rows. The difference is {compared.difference} (interval {compared.low} to {compared.high}); the gate "
                f"requires a lower end of at least {compared.allowed}."
            )
        if self.verdict.champion is None:
            return "No version is in Production yet, so there is nothing to compare it with."
        return f"It was not compared with version {self.verdict.champion}, which is in Production."

    @property
    def merging_warnings(self) -> tuple[str, ...]:
        """Return what a reviewer agrees to by merging."""
        return merging_warnings(self.verdict) if self.passed else ()

    @property
    def caution(self) -> str:
        """Return what a reader has to know of the main metric; empty if nothing."""
        return caution(self.metric)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why this model was trained."""
        return self.decision.reasons[:MOST_REASONS] or (NO_REASON,)

    @property
    def other_reasons(self) -> tuple[str, ...]:
        """Return the reasons that are not the sentence of a trigger."""
        sentences = {record.sentence for record in self.decision.readings}
        return tuple(reason for reason in self.reasons if reason not in sentences)

    @cached_property
    def readings(self) -> tuple[ReadingView, ...]:
        """Return every trigger, those that fired first."""
        ordered = sorted(self.decision.readings, key=lambda record: record.state != "fired")
        return tuple(self._reading(record) for record in ordered)

    def _reading(self, record: Reading) -> ReadingView:
        judged = self.decision.performance
        is_error = judged is not None and wording.is_error(judged.metric) and record.trigger == "performance"
        metric = judged.metric if judged and is_error else ""
        value, limit = (
            figure(metric, number) if metric else reading(number) for number in (record.value, record.limit)
        )
        return ReadingView(record.trigger, TriggerState(record.state), record.sentence, value, limit, record)

    @cached_property
    def gates(self) -> tuple[GateView, ...]:
        """Return every gate, in the order in which they were asked."""
        return tuple(self._gate(gate) for gate in self.verdict.gates)

    def _gate(self, gate: Gate) -> GateView:
        values = (gate.value, gate.limit)
        if wording.is_error(gate.name):
            value, limit = (figure(gate.name, number) for number in values)
        elif wording.is_error(self.metric) and gate.name.startswith(DIFFERENCES):
            value, limit = (change(self.metric, number) for number in values)
        else:
            value, limit = (reading(number) for number in values)
        return GateView(wording.metric(gate.name), GateState(gate.state), gate.sentence, value, limit)

    @property
    def passing(self) -> tuple[GateView, ...]:
        """Return the gates that let the candidate pass."""
        return tuple(gate for gate in self.gates if gate.state == GateState.PASSES)

    @property
    def stopping(self) -> tuple[GateView, ...]:
        """Return the gates that block or cannot judge."""
        return tuple(gate for gate in self.gates if gate.state != GateState.PASSES)

    @cached_property
    def comparison(self) -> ComparisonView | None:
        """Return champion and challenger in the main metric; None if they were not compared."""
        record = self.verdict.comparison
        if record is None:
            return None
        metric = record.metric
        return ComparisonView(
            metric=wording.metric(metric),
            champion=record.champion,
            champion_value=figure(metric, record.champion_value),
            challenger_value=figure(metric, record.challenger_value),
            difference=change(metric, record.difference),
            low=change(metric, record.low),
            high=change(metric, record.high),
            allowed=change(metric, -record.margin),
            rows=count(record.rows),
            record=record,
        )

    @cached_property
    def scores(self) -> tuple[ScoreView, ...]:
        """Return every score of the challenger, the main one first."""
        floors = {gate.name: gate.limit for gate in self.verdict.gates}
        return tuple(self._score(score, floors.get(score.metric)) for score in self.verdict.scores)

    def _score(self, score: Score, floor: float | None) -> ScoreView:
        compared = self.verdict.comparison
        champion = compared.champion_value if compared is not None and compared.metric == score.metric else None
        metric = score.metric
        bounded = score.low is not None and score.high is not None
        interval = f"{figure(metric, score.low)} to {figure(metric, score.high)}" if bounded else ""
        row = scales.Row(metric, metric, score.value, score.low, score.high, champion, floor)
        return ScoreView(wording.metric(metric), figure(metric, score.value), interval, row)

    @property
    def scores_by_unit(self) -> list[list[ScoreView]]:
        """Return the scores that can share an axis: errors have a unit, all others have none."""
        groups: dict[bool, list[ScoreView]] = {}
        for score in self.scores:
            groups.setdefault(score.row.is_error, []).append(score)
        return list(groups.values())

    @property
    def single_scores(self) -> tuple[ScoreView, ...]:
        """Return the scores with an interval, without the one that the comparison shows."""
        compared = self.verdict.comparison.metric if self.verdict.comparison else None
        return tuple(score for score in self.scores if score.row.low is not None and score.row.metric != compared)

    @property
    def other_scores(self) -> tuple[ScoreView, ...]:
        """Return the scores without an interval."""
        return tuple(score for score in self.scores if score.row.low is None)

    @cached_property
    def slices(self) -> tuple[SliceView, ...]:
        """Return the scores of each slice, those that lost most first."""
        return tuple(self._slice(score) for score in sorted(self.verdict.slices, key=lambda score: _gain(score) or 0.0))

    def _slice(self, score: SliceScore) -> SliceView:
        name, gain = f"{score.column} = {score.value}", _gain(score)
        row = scales.Row(name, self.metric, score.challenger, None, None, champion=score.champion)
        champion, challenger = (figure(self.metric, value) for value in (score.champion, score.challenger))
        lost = gain is not None and gain < 0
        return SliceView(name, count(score.rows), champion, challenger, change(self.metric, gain), lost, row)

    @cached_property
    def quality(self) -> tuple[QualityView, ...]:
        """Return what the data checks found, in the training rows and in the monitoring window."""
        reports = (self.candidate.quality, self.decision.quality)
        return tuple(_quality(report) for report in reports if report is not None)

    @property
    def findings(self) -> tuple[FindingView, ...]:
        """Return the findings of all reports."""
        return tuple(finding for report in self.quality for finding in report.findings)

    @cached_property
    def columns(self) -> tuple[ColumnView, ...]:
        """Return the columns, drifted ones first, then by effect."""
        return column_views(self.decision.drift)

    @property
    def drifted(self) -> str:
        """Return how many columns drifted, and on how many nights the trigger's limit was exceeded."""
        return drift_sentence(self.decision.drift) if self.decision.drift else ""

    @property
    def latency(self) -> str:
        """Return the 95th percentile of the latency."""
        return f"{number(self.verdict.latency_p95_ms, 1)} ms"

    @property
    def size(self) -> str:
        """Return the size of the model's files."""
        return f"{number(self.verdict.size_mb, 2)} MB"

    @property
    def fit_rows(self) -> str:
        """Return the number of rows that the model was fitted on."""
        return count(self.candidate.fit_rows)

    @property
    def holdout_rows(self) -> str:
        """Return the number of rows that the model was judged on."""
        return count(self.candidate.holdout_rows)

    @property
    def origin(self) -> tuple[tuple[str, str], ...]:
        """Return the rows and measurements behind the verdict, by name."""
        candidate = self.candidate
        start, end, last = (
            f"{when:%Y-%m-%d %H:%M}" for when in (candidate.fit_from, candidate.fit_until, candidate.data_until)
        )
        return (
            ("fitted on", f"{self.fit_rows} rows from {start} to {end} UTC"),
            ("judged on", f"{self.holdout_rows} later rows up to {last} UTC"),
            ("latency, p95", self.latency),
            ("size", self.size),
        )

    @property
    def digests(self) -> tuple[tuple[str, str], ...]:
        """Return what identifies the model and its data, by name."""
        candidate = self.candidate
        return (
            ("model digest", candidate.digest),
            ("data digest", candidate.data_digest),
            ("holdout digest", self.verdict.holdout_digest),
            ("git commit", candidate.commit or number(None)),
        )


def main_metric(verdict: Verdict) -> str:
    """Return the metric that decides; empty if nothing was measured."""
    measured = verdict.main_score or verdict.candidate.decision.performance
    return measured.metric if measured else ""


def caution(metric: str) -> str:
    """Return what to know of a metric before its numbers; empty if it goes without saying."""
    return "Errors are negated: higher is better, and 0 is perfect." if wording.is_error(metric) else ""


def _gain(score: SliceScore) -> float | None:
    return None if score.challenger is None or score.champion is None else score.challenger - score.champion


def _quality(report: QualityReport) -> QualityView:
    rows_of = "Training rows" if report.subject == "training" else "Monitoring window"
    return QualityView(rows_of, count(report.checks), count(report.rows), tuple(_findings(report.findings)))


def _findings(findings: Iterable[Finding]) -> Iterable[FindingView]:
    order = list(Severity)
    for finding in sorted(findings, key=lambda finding: order.index(Severity(finding.severity))):
        yield FindingView(
            check=wording.metric(finding.check),
            column=finding.column or "",
            severity=Severity(finding.severity),
            sentence=finding.sentence,
            date=moment(finding.date),
            value=reading(finding.value),
            limit=reading(finding.limit),
        )
