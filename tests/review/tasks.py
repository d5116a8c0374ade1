"""Verdicts of models of other tasks than binary, with the sentences that triggers and gates write."""

from __future__ import annotations

import datetime as dt
from typing import Any

from core.config.model import ModelConfig
from monitoring.counting.holdout import Holdout
from monitoring.drift.report import ColumnDrift
from monitoring.performance.report import PerformanceReport
from monitoring.triggers import early_warnings, rules
from monitoring.triggers.decision import Decision
from monitoring.triggers.evidence import Evidence, History
from training.gates import gates
from training.gates.gates import Comparison, Gate, Score
from training.gates.slices import SliceScore, slice_gates
from training.gates.validate import Verdict

MAE = "neg_mean_absolute_error"


def config(task: str, metric: str, data: dict[str, Any], performance: dict[str, Any], judged: Any) -> ModelConfig:
    """A config that asks for this metric, with these keys in its tables."""
    return ModelConfig.model_validate(
        {
            "name": "flights",
            "task": task,
            "registry_name": "flights",
            "data": {"source": "local/m.db", "numeric": ("humid",), "categorical": ("origin",), **data},
            "triggers": {"performance": {"metric": metric, **performance}},
            "gates": {"slices": ("origin",), "min_slice_rows": 20, **judged},
        }
    )


def regression(verdict: Verdict, unit: float = 1.0) -> Verdict:
    """The verdict of a model that says a number: all errors are multiples of `unit`, 102.4 of it the champion's."""
    performance = {"floor": -130.0 * unit, "max_drop": 5.0 * unit}
    wanted = {MAE: -120.0 * unit, "r2": 0.5, "max_loss_to_champion": 0.5 * unit, "max_slice_loss": 20.0 * unit}
    asked = config("regression", MAE, {"label_range": (-1e9, 1e9)}, performance, wanted)
    scores = (
        Score(metric=MAE, value=-101.6 * unit, low=-105.25 * unit, high=-98.0 * unit),
        Score(metric="r2", value=0.834, low=0.81, high=0.851),
        Score(metric="neg_root_mean_squared_error", value=-131.07 * unit, low=None, high=None),
    )
    made = Comparison(
        metric=MAE, champion=3, champion_value=-102.4 * unit, challenger_value=-101.6 * unit, difference=0.8 * unit,
        low=-0.1 * unit, high=1.7 * unit, margin=0.5 * unit, rows=2307,
    )  # fmt: skip
    places = (("EWR", 842, -99.0 * unit, -101.0 * unit), ("LGA", 694, -108.0 * unit, -104.5 * unit))
    report = judged(MAE, (-104.4 * unit, -107.0 * unit, -101.9 * unit), -130.0 * unit, -101.0 * unit, -106.0 * unit)
    return _verdict(verdict, asked, scores, made, places, report)


def multiclass(verdict: Verdict, airports: tuple[str, ...] = ("EWR", "LGA")) -> Verdict:
    """The verdict of a model that names a class; `airports` are text from the rows, as classes are."""
    wanted = {"f1_macro": 0.5, "max_loss_to_champion": 0.01}
    asked = config("multiclass", "f1_macro", {"classes": ("early", "late", "on time")}, {"floor": 0.45}, wanted)
    scores = (
        Score(metric="f1_macro", value=0.571, low=0.552, high=0.59),
        Score(metric="accuracy", value=0.702, low=None, high=None),
        Score(metric="precision_macro", value=0.588, low=None, high=None),
    )
    made = Comparison(
        metric="f1_macro", champion=3, champion_value=0.56, challenger_value=0.571, difference=0.011, low=-0.004,
        high=0.026, margin=0.01, rows=2307,
    )  # fmt: skip
    places = tuple((name, 400, 0.57, 0.55) for name in airports)
    return _verdict(verdict, asked, scores, made, places, judged("f1_macro", (0.51, 0.49, 0.53), 0.45, 0.56, 0.51))


def judged(
    metric: str, value: tuple[float, float, float], floor: float, reference: float, limit: float
) -> PerformanceReport:
    """What labels said of the model in service; of what is not binary, none are called positive."""
    return PerformanceReport(
        metric=metric, start=dt.date(2013, 5, 23), end=dt.date(2013, 5, 30), rows=1400, labels=1352, coverage=0.966,
        positives=None, value=value[0], low=value[1], high=value[2], floor=floor, reference=reference, limit=limit,
        days=(), others={metric: value[0]},
    )  # fmt: skip


def _verdict(
    verdict: Verdict,
    asked: ModelConfig,
    scores: tuple[Score, ...],
    made: Comparison,
    places: tuple[tuple[str, int, float, float], ...],
    report: PerformanceReport,
) -> Verdict:
    found = tuple(
        SliceScore(
            column="origin",
            value=v,
            rows=n,
            challenger=new,
            champion=old,
            difference=new - old,
            high=new - old + asked.gates.max_slice_loss / 2,
            confidence=0.99,
            harmed=new - old < -asked.gates.max_slice_loss,
        )
        for v, n, new, old in places
    )
    judged: tuple[Gate, ...] = (
        *gates.floors(scores, made.rows, asked),
        gates.champion(made, made.champion, asked),
        *slice_gates(found, asked),
    )
    files = tuple(gate for gate in verdict.gates if gate.name in {"data_quality", "load_back", "latency", "size"})
    decision = _decision(verdict.candidate.decision, asked, report)
    return verdict.model_copy(
        update={
            "candidate": verdict.candidate.model_copy(update={"decision": decision}),
            "passed": all(gate.state == "passes" for gate in judged),
            "gates": (*judged, *files),
            "scores": scores,
            "comparison": made,
            "slices": found,
            "reference": report.reference,
            "promoted": (),
            "limit": None,
        }
    )


def _decision(decision: Decision, asked: ModelConfig, report: PerformanceReport) -> Decision:
    """The decision of a night on which the target drifted."""
    assert decision.drift is not None
    target: ColumnDrift = decision.drift.nights[-1].columns[2].model_copy(update={"column": "target"})
    drift = decision.drift.model_copy(update={"target": target})
    past = History(
        champion=3, champion_trained=decision.as_of - dt.timedelta(days=21), promoted=(),
        last_training=None, trainings_30_days=0, open_proposal=None,
    )  # fmt: skip
    evidence = Evidence(
        config=asked, as_of=decision.as_of, past=past, performance=report, drift=drift, request=None,
        holdout=Holdout(days=(), calibration=None),
    )  # fmt: skip
    read = (*rules.read_all(evidence), *early_warnings.watch_all(evidence))
    return decision.model_copy(update={"readings": read, "performance": report, "drift": drift})
