from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from core.quality_report import Finding, QualityReport
from monitoring.drift.report import Bar, ColumnDrift, DriftNight, DriftReport
from monitoring.performance.reference import PromotedScore
from monitoring.performance.report import DayScore, PerformanceReport
from monitoring.triggers.decision import Decision
from monitoring.triggers.evidence import Reading
from training.fit import Candidate
from training.gates.gates import Comparison, Gate, Score
from training.gates.slices import SliceScore
from training.gates.validate import Verdict

NIGHT = dt.datetime(2013, 6, 1, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def findings() -> tuple[Finding, ...]:
    """A warning on a column and one on a day that is left out."""
    sentence = "pressure is missing in 31.5 % of the rows of 2013-05-27, at most 24.1 % is usual (2013-02-11) plus 5 %."
    return (
        Finding(
            severity="warning",
            check="null_share",
            column="pressure",
            date=dt.date(2013, 5, 27),
            value=0.315,
            limit=0.291,
            sentence=sentence,
        ),
        Finding(
            severity="info",
            check="unseen_share",
            column="dest",
            date=dt.date(2013, 5, 30),
            value=0.012,
            limit=0.05,
            sentence="dest has 2 values (ANC, ABQ) in 1.2 % of the rows that the baseline did not have.",
        ),
    )


def quality(subject: Any = "window") -> QualityReport:
    """What the checks found: something on the window, nothing on the training rows."""
    found = findings() if subject == "window" else ()
    return QualityReport(subject=subject, rows=4031 if found else 11528, checks=148 if found else 61, findings=found)


def column(name: str, effect: float, *, drifted: bool = False, ignored: bool = False) -> ColumnDrift:
    """A numeric column whose window lies further right the larger the effect is."""
    centre = 9.5 + 12 * effect
    before = [math.exp(-(((i - 9.5) / 4) ** 2)) for i in range(20)]
    now = [math.exp(-(((i - centre) / 3.7) ** 2)) for i in range(20)]
    return ColumnDrift(
        column=name,
        type="numeric",
        effect=effect,
        psi=effect * 2.1,
        p_value=0.00002 if drifted else 0.4,
        drifted=drifted,
        ignored=ignored,
        own=0.04,
        null_baseline=0.004,
        null_window=0.115 if drifted else 0.004,
        rows=1391,
        note="",
        bars=tuple(
            Bar(label=f"{i * 4 - 10} to {i * 4 - 6}", baseline=b / sum(before), window=n / sum(now))
            for i, (b, n) in enumerate(zip(before, now, strict=True))
        ),
    )


def carriers() -> ColumnDrift:
    """A categorical column."""
    shares = {"9E": (0.05, 0.04), "AA": (0.1, 0.1), "B6": (0.16, 0.19), "DL": (0.14, 0.15), "EV": (0.17, 0.12)}
    return ColumnDrift(
        column="carrier",
        type="categorical",
        effect=0.061,
        psi=0.03,
        p_value=0.21,
        drifted=False,
        ignored=False,
        own=0.05,
        null_baseline=0.0,
        null_window=0.0,
        rows=1400,
        note="",
        bars=tuple(Bar(label=name, baseline=b, window=w) for name, (b, w) in shares.items()),
    )


def drift() -> DriftReport:
    """Three nights; tonight two columns drifted."""
    columns = (
        column("sched_dep_min", 0.021),
        column("temp", 0.612, ignored=True),
        column("humid", 0.182, drifted=True),
        carriers(),
        column("recent_delay", 0.114, drifted=True),
        column("distance", 0.011),
        column("wind_speed", 0.048),
        column("visib", 0.037),
    )
    names = tuple(c.column for c in columns if c.drifted)
    nights = tuple(
        DriftNight(end=(NIGHT - i * DAY).date(), rows=1400, drifted=names, columns=columns if i == 0 else ())
        for i in (2, 1, 0)
    )
    return DriftReport(nights=nights, fired_nights=2, adjusted=True)


def performance() -> PerformanceReport:
    """A score under its limit, but not surely."""
    days = tuple(
        DayScore(date=(NIGHT - i * DAY).date(), value=0.58 + 0.01 * (i % 3), labels=190) for i in range(9, 2, -1)
    )
    return PerformanceReport(
        metric="balanced_accuracy",
        start=days[0].date,
        end=days[-1].date,
        rows=1400,
        labels=1352,
        coverage=0.966,
        positives=311,
        value=0.587,
        low=0.561,
        high=0.612,
        floor=0.0,
        reference=0.655,
        limit=0.605,
        days=days,
        others={"accuracy": 0.71, "balanced_accuracy": 0.587, "roc_auc": 0.63},
    )


def decision() -> Decision:
    """Drift fired; performance nearly did."""
    readings = (
        Reading(
            trigger="performance",
            state="quiet",
            value=0.587,
            limit=0.605,
            sentence="balanced accuracy 0.587 on 1,352 labels of 7 days, surely not over 0.612; the limit is 0.605.",
        ),
        Reading(
            trigger="drift",
            state="fired",
            value=2.0,
            limit=1.0,
            sentence="humid and recent_delay drifted, on 2 of the last 3 nights (2 are needed).",
        ),
        Reading(trigger="age", state="quiet", value=21.0, limit=30.0, sentence="trained 21 days ago, 30 are allowed."),
        Reading(trigger="manual", state="quiet", value=None, limit=None, sentence="nobody asked."),
    )
    return Decision(
        model="flights",
        as_of=NIGHT,
        champion=3,
        retrain=True,
        first=False,
        reasons=("drift: humid and recent_delay drifted, on 2 of the last 3 nights (2 are needed).",),
        held_back_by=(),
        readings=readings,
        performance=performance(),
        drift=drift(),
        quality=quality(),
    )


def candidate() -> Candidate:
    """A trained version."""
    return Candidate(
        model="flights",
        registry_name="flights",
        version=4,
        run_id="3f2a" * 8,
        digest="9c1e" * 16,
        data_digest="77ab" * 16,
        training_key="k",
        commit="b5d0" * 10,
        as_of=NIGHT,
        fit_from=dt.datetime(2013, 3, 31, 10, 15, tzinfo=dt.UTC),
        fit_until=dt.datetime(2013, 5, 18, tzinfo=dt.UTC),
        data_until=dt.datetime(2013, 5, 29, 23, 59, tzinfo=dt.UTC),
        fit_rows=9221,
        holdout_rows=2307,
        quality=quality("training"),
        decision=decision(),
    )


def gates() -> tuple[Gate, ...]:
    """All gates, all passing."""
    rows: list[tuple[str, float | None, float | None, str]] = [
        ("data_quality", 0.0, 0.0, "Training rows: none in 61 checks."),
        ("holdout", 2307.0, 200.0, "2,307 of 2,307 rows are later than both fits, 561 with label 1."),
        (
            "balanced_accuracy",
            0.641,
            0.58,
            "balanced_accuracy is 0.641 (0.621 to 0.661). The gate requires at least 0.580.",
        ),
        ("precision", 0.384, 0.3, "precision is 0.384 (0.356 to 0.412). The gate requires at least 0.300."),
        (
            "champion",
            0.011,
            -0.01,
            "The difference is +0.029 and, with 95% confidence, at least +0.011. The gate requires at least -0.010.",
        ),
        (
            "slice_origin",
            -0.018,
            -0.1,
            "The weakest of 3 slices is origin = LGA: 0.611 on 694 rows. The gate requires at least -0.100.",
        ),
        ("load_back", None, None, "The model loaded from its files gives the same scores as before."),
        ("latency", 6.4, 50.0, "6.4 ms of processor time per row (95th percentile). The gate allows at most 50."),
        ("size", 0.42, 100.0, "0.42 MB on disk. The gate allows at most 100."),
    ]
    return tuple(Gate(name=n, state="passes", value=v, limit=limit, sentence=s) for n, v, limit, s in rows)


@pytest.fixture(scope="session")
def verdict() -> Verdict:
    """A candidate that beats the champion, with evidence of every kind."""
    places = [("EWR", 842, 0.652, 0.606), ("JFK", 771, 0.648, 0.601), ("LGA", 694, 0.611, 0.629)]
    return Verdict(
        candidate=candidate(),
        champion=3,
        as_of=NIGHT,
        passed=True,
        gates=gates(),
        scores=(
            Score(metric="balanced_accuracy", value=0.641, low=0.621, high=0.661),
            Score(metric="accuracy", value=0.702, low=None, high=None),
            Score(metric="precision", value=0.384, low=0.356, high=0.412),
            Score(metric="recall", value=0.538, low=None, high=None),
            Score(metric="f1", value=0.448, low=None, high=None),
            Score(metric="precision_weighted", value=0.741, low=None, high=None),
            Score(metric="roc_auc", value=0.697, low=None, high=None),
            Score(metric="average_precision", value=0.412, low=None, high=None),
        ),
        comparison=Comparison(
            metric="balanced_accuracy",
            champion=3,
            champion_value=0.612,
            challenger_value=0.641,
            difference=0.029,
            low=0.011,
            high=0.047,
            margin=0.01,
            rows=2307,
        ),
        slices=tuple(
            SliceScore(column="origin", value=v, rows=n, challenger=new, champion=old) for v, n, new, old in places
        ),
        latency_p95_ms=6.4,
        size_mb=0.42,
        holdout_digest="0d4c" * 16,
        reference=0.655,
        promoted=(
            PromotedScore(version=3, metric="balanced_accuracy", score=0.669),
            PromotedScore(version=4, metric="balanced_accuracy", score=0.641),
        ),
    )


@pytest.fixture
def make_verdict(verdict: Verdict) -> Callable[..., Verdict]:
    """That verdict with some fields changed; `candidate` and `decision` take changes of these records."""

    def make(**changes: Any) -> Verdict:
        judged = verdict.candidate.decision.model_copy(update=changes.pop("decision", {}))
        trained = verdict.candidate.model_copy(update={"decision": judged, **changes.pop("candidate", {})})
        return verdict.model_copy(update={"candidate": trained, **changes})

    return make


@pytest.fixture
def events() -> list[Any]:
    """A model's life of 90 nights: first model, retrainings, a refusal, a rollback, a failed night."""
    made = []

    def add(day: int, kind: str, version: int | None = None, **fields: Any) -> None:
        known = {"trigger": "drift", "success": True, "metrics": {}, "reasons": (), "error": None, "details": {}}
        when = NIGHT - (90 - day) * DAY
        made.append(SimpleNamespace(timestamp=when, model="flights", kind=kind, version=version, **{**known, **fields}))

    def move(day: int, kind: str, after: int, before: int) -> None:
        details = {"commit": "c" * 40, "before": str(before or "")}
        add(day, kind, after, trigger="git", reasons=(f"move flights version {after} to Production",), details=details)

    promoted = {0: 1, 31: 2, 58: 3}
    reason = "drift: humid drifted, on 2 of the last 3 nights"
    score = 0.655
    for day in range(91):
        score += 0.0022 * math.sin(day * 1.7) + 0.0035 * math.sin(day * 0.6) - 0.0011
        if day not in (40, 41, 42, 43, 44, 77):
            metrics = {"performance": score, "performance_limit": 0.605 if day > 31 else 0.595, "drift": 1.0}
            add(day, "decision", metrics=metrics if day > 8 else {})
        if day in promoted:
            add(day, "training", promoted[day], reasons=(reason,))
            add(day, "validation", promoted[day])
            move(day, "promotion", promoted[day], promoted[day] - 1)
            score += 0.035 if day else 0
        if day == 45:
            add(day, "training", 9)
            add(day, "validation", 9, success=False, reasons=("balanced accuracy is 0.401, at least 0.58 is needed.",))
        if day == 66:
            move(day, "rollback", 2, 3)
        if day == 68:
            move(day, "promotion", 3, 2)
        if day == 77:
            add(day, "failure", error="Weather is missing in all rows of 2013-05-19.", success=False)
    return made
