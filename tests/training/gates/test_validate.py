"""Each gate is seen blocking on evidence made for it while all others pass; nothing slips through unjudged."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.config.gates import Gates
from core.config.model import ModelConfig
from core.quality_report import Finding
from monitoring.performance.reference import PromotedScore
from training.fit import Candidate, Split, fit_estimator
from training.frame import features
from training.gates.evidence import CandidateEvidence
from training.gates.latency import latency_p95
from training.gates.validate import Verdict, validate
from training.pipeline_file import load_build
from training.scoring import score

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ROWS = 1200
HOUR = dt.timedelta(hours=1)
ORIGINS = np.array(["EWR", "JFK", "LGA"] * (ROWS // 3), object)
LABELS = np.array([0, 0, 0, 1, 1, 1] * (ROWS // 6), "int8")
MEASURED = {"holdout_digest": "4" * 64, "example_equal": True, "latency_p95_ms": 5.0, "size_mb": 1.0}


@pytest.fixture(scope="session")
def fixed(config: ModelConfig) -> ModelConfig:
    """The config of flights with gates that its owner cannot change."""
    gates = Gates(
        balanced_accuracy=0.55, max_loss_to_champion=0.025, slices=("origin",), min_holdout_rows=200, min_slice_rows=100
    )
    return config.model_copy(update={"gates": gates})


def right(share: float, rows: np.ndarray[Any, Any] | None = None) -> np.ndarray[Any, Any]:
    """Scores that are right on this share of the rows, in each class and origin alike; `rows`: elsewhere all right."""
    group = (np.arange(ROWS) // 6 * 37) % 200 / 200
    correct = (group < share) | (~rows if rows is not None else False)
    return np.where(correct == (LABELS == 1), 0.8, 0.2)


def evidence(candidate: Candidate, **changes: Any) -> CandidateEvidence:
    """A challenger that is right on 72 % of 1,200 rows, against a champion that is on 70 %."""
    start = np.datetime64(candidate.fit_until.replace(tzinfo=None), "us")
    usual = CandidateEvidence(
        labels=LABELS,
        times=start + np.arange(ROWS) * np.timedelta64(12, "m"),
        challenger_scores=right(0.72),
        slices={"origin": ORIGINS},
        champion_version=1,
        champion_fit_until=candidate.fit_until - 24 * HOUR,
        champion_scores=right(0.70),
        promoted=(PromotedScore(version=1, metric="balanced_accuracy", score=0.71),),
        **MEASURED,
    )
    return dataclasses.replace(usual, **changes)


def states(verdict: Verdict) -> dict[str, str]:
    """The gates that did not pass."""
    return {gate.name: gate.state for gate in verdict.gates if gate.state != "passes"}


GATES = ["data_quality", "holdout", "balanced_accuracy", "champion", "slice_origin", "load_back", "latency", "size"]


def test_a_better_challenger_passes_every_gate(candidate: Candidate, fixed: ModelConfig) -> None:
    """With good evidence every gate passes, and is there to be seen."""
    verdict = validate(candidate, fixed, evidence(candidate))

    assert (True, GATES) == (verdict.passed, [gate.name for gate in verdict.gates])
    assert (0.72, 0.70, pytest.approx(0.02)) == (
        verdict.comparison.challenger_value,
        verdict.comparison.champion_value,
        verdict.comparison.difference,
    )
    assert ("balanced_accuracy", 0.72) == (verdict.scores[0].metric, verdict.scores[0].value)
    assert verdict.scores[0].low < 0.72 < verdict.scores[0].high
    assert (1, 5.0, 1.0, "4" * 64) == (
        verdict.champion,
        verdict.latency_p95_ms,
        verdict.size_mb,
        verdict.holdout_digest,
    )


def jfk_fails() -> np.ndarray[Any, Any]:
    """Right on 80 % everywhere but in JFK, where it is right on 55 %."""
    return np.where(ORIGINS == "JFK", right(0.55), right(0.80))


BLOCKS = [
    ("balanced_accuracy", {"challenger_scores": right(0.54), "champion_scores": right(0.54)}),
    ("champion", {"challenger_scores": right(0.66)}),
    ("slice_origin", {"challenger_scores": jfk_fails()}),
    ("load_back", {"example_equal": False}),
    ("latency", {"latency_p95_ms": 100.1}),
    ("size", {"size_mb": 100.1}),
]


@pytest.mark.parametrize(("gate", "changes"), BLOCKS)
def test_each_gate_blocks_alone(candidate: Candidate, fixed: ModelConfig, gate: str, changes: dict[str, Any]) -> None:
    """Evidence that is bad in one way is blocked by that gate and no other, and the verdict is no."""
    verdict = validate(candidate, fixed, evidence(candidate, **changes))

    assert {gate: "blocks"} == states(verdict)
    assert not verdict.passed


EDGES = [
    {"latency_p95_ms": 100.0, "size_mb": 100.0},
    {"challenger_scores": right(0.55), "champion_scores": right(0.55)},
    {"champion_version": None, "champion_scores": None, "champion_fit_until": None, "challenger_scores": right(0.55)},
]


@pytest.mark.parametrize("changes", EDGES)
def test_what_is_exactly_on_the_limit_passes(candidate: Candidate, fixed: ModelConfig, changes: dict[str, Any]) -> None:
    """Floors and ceilings belong to what is allowed; an equal challenger is surely not much worse."""
    assert {} == states(validate(candidate, fixed, evidence(candidate, **changes)))


def test_critical_findings_in_training_rows_block(candidate: Candidate, fixed: ModelConfig) -> None:
    """A candidate of rows that the suite refused is blocked, whatever its score; warnings are for the reviewer."""
    found = Finding(
        severity="critical", check="null_share", column="temp", date=None, value=1.0, limit=0.2, sentence="temp is gone"
    )
    spoiled, warned = (
        candidate.model_copy(
            update={"quality": candidate.quality.model_copy(update={"findings": (found.model_copy(update=change),)})}
        )
        for change in ({}, {"severity": "warning"})
    )
    verdict = validate(spoiled, fixed, evidence(candidate))

    assert {"data_quality": "blocks"} == states(verdict)
    assert "Training rows: 1 critical finding: temp is gone." == verdict.gates[0].sentence
    assert (1, 0) == (verdict.gates[0].value, verdict.gates[0].limit)
    fine = validate(warned, fixed, evidence(candidate))
    assert fine.passed
    assert f"Training rows: no critical finding in {warned.quality.checks} checks." == fine.gates[0].sentence
    assert (0, 0) == (fine.gates[0].value, fine.gates[0].limit)


def test_the_first_three_critical_findings_are_told(candidate: Candidate, fixed: ModelConfig) -> None:
    """A reviewer reads how many there are, and no wall of text."""
    found = tuple(
        Finding(
            severity="critical", check="null_share", column=c, date=None, value=1.0, limit=0.2, sentence=f"{c} gone"
        )
        for c in "abcd"
    )
    spoiled = candidate.model_copy(update={"quality": candidate.quality.model_copy(update={"findings": found})})
    gate = validate(spoiled, fixed, evidence(candidate)).gates[0]

    assert "Training rows: 4 critical findings: a gone; b gone; c gone." == gate.sentence
    assert (4, 0) == (gate.value, gate.limit)


METRIC_GATES = {"holdout", "balanced_accuracy", "champion", "slice_origin"}


@pytest.mark.parametrize(
    "changes",
    [
        {"champion_fit_until": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)},
        {"times": np.full(ROWS, np.datetime64("2000-01-01", "us"))},
        {"labels": np.zeros(ROWS, "int8")},
        {"labels": np.ones(ROWS, "int8")},
    ],
)
def test_without_unseen_rows_of_both_classes_nothing_passes(
    candidate: Candidate, fixed: ModelConfig, changes: dict[str, Any]
) -> None:
    """Rows that either model was fit on do not count, nor does one class: no gate on scores lets pass, none crashes."""
    verdict = validate(candidate, fixed, evidence(candidate, **changes))

    assert dict.fromkeys(METRIC_GATES, "cannot_judge") == states(verdict)
    assert (False, None, (), ()) == (verdict.passed, verdict.comparison, verdict.scores, verdict.slices)
    assert 0.71 == verdict.reference
    assert validate(candidate, fixed, evidence(candidate, promoted=(), **changes)).reference is None


@pytest.mark.parametrize(("left", "state"), [(199, "cannot_judge"), (200, "passes")])
def test_rows_that_the_champion_was_fit_on_are_dropped(
    candidate: Candidate, fixed: ModelConfig, left: int, state: str
) -> None:
    """Rows from the champion's cut on count, and it takes `min_holdout_rows` of them."""
    until = candidate.fit_until + dt.timedelta(minutes=12 * (ROWS - left))
    verdict = validate(candidate, fixed, evidence(candidate, champion_fit_until=until))
    gate = verdict.gates[GATES.index("holdout")]

    assert (state, left, 200) == (gate.state, gate.value, gate.limit)
    assert f"{left} of 1,200 rows" in gate.sentence
    assert (state == "passes") == (verdict.comparison is not None)


def test_rows_that_the_challenger_was_fit_on_are_dropped(candidate: Candidate, fixed: ModelConfig) -> None:
    """An older champion, or none, lets no row in that the challenger knows."""
    early = evidence(candidate).times - np.timedelta64(12 * 1001, "m")
    alone = {"champion_version": None, "champion_fit_until": None, "champion_scores": None}

    for changes in ({}, alone):
        gate = validate(candidate, fixed, evidence(candidate, times=early, **changes)).gates[GATES.index("holdout")]
        assert ("cannot_judge", 199) == (gate.state, gate.value)


def test_rows_of_the_fit_cannot_flatter_a_champion(candidate: Candidate, fixed: ModelConfig) -> None:
    """A champion that knows half of the rows by heart is compared on the other half only."""
    half = np.arange(ROWS) < ROWS // 2
    known = np.where(half, LABELS.astype(float), right(0.70))
    later = candidate.fit_until + dt.timedelta(minutes=12 * (ROWS // 2))
    flattered, fair = (
        validate(candidate, fixed, evidence(candidate, champion_scores=known, champion_fit_until=until))
        for until in (candidate.fit_until, later)
    )

    assert "champion" in states(flattered)
    assert ({}, ROWS // 2) == (states(fair), fair.comparison.rows)


@pytest.mark.parametrize("gone", [{"champion_scores": None}, {"champion_fit_until": None}])
def test_a_champion_that_cannot_be_scored_blocks(
    candidate: Candidate, fixed: ModelConfig, gone: dict[str, Any]
) -> None:
    """A champion without scores, or fit on nobody knows what, is not the same as no champion."""
    assert {"champion": "cannot_judge"} == states(validate(candidate, fixed, evidence(candidate, **gone)))


@pytest.mark.parametrize(("gate", "name"), [("latency", "latency_p95_ms"), ("size", "size_mb")])
def test_what_was_not_measured_blocks(candidate: Candidate, fixed: ModelConfig, gate: str, name: str) -> None:
    """NaN is no small number."""
    verdict = validate(candidate, fixed, evidence(candidate, **{name: float("nan")}))
    found = verdict.gates[GATES.index(gate)]

    assert {gate: "cannot_judge"} == states(verdict)
    assert (None, 100.0, f"Cannot judge: the {gate} was not measured.") == (found.value, found.limit, found.sentence)


def gated(fixed: ModelConfig, **gates: Any) -> ModelConfig:
    """The config with other gates."""
    return fixed.model_copy(update={"gates": fixed.gates.model_copy(update=gates)})


def test_an_undefined_metric_with_a_floor_blocks(candidate: Candidate, fixed: ModelConfig) -> None:
    """Precision of a model that never says 1 is undefined: a floor on it is not reached."""
    silent = evidence(candidate, challenger_scores=np.full(ROWS, 0.1), champion_scores=np.full(ROWS, 0.1))
    verdict = validate(candidate, gated(fixed, balanced_accuracy=0.5, precision=0.0), silent)

    assert {"precision": "cannot_judge"} == states(verdict)


def test_every_floor_of_the_config_is_a_gate(candidate: Candidate, fixed: ModelConfig) -> None:
    """Each metric may have a floor; those of the seed article (accuracy 0.85, weighted precision 0.83) block here."""
    verdict = validate(candidate, gated(fixed, accuracy=0.85, precision_weighted=0.83), evidence(candidate))

    assert {"accuracy": "blocks", "precision_weighted": "blocks"} == states(verdict)
    assert ["Accuracy is 0.720 (0.691 to 0.747) on 1,200 rows. The gate requires at least 0.850."] == [
        gate.sentence for gate in verdict.gates if gate.name == "accuracy"
    ]


def test_a_floor_looks_at_the_value_and_the_comparison_at_its_lower_bound(
    candidate: Candidate, fixed: ModelConfig
) -> None:
    """A loss within the margin that is not sure to be within it blocks; with more margin it passes."""
    slightly_worse = evidence(candidate, challenger_scores=right(0.69))
    strict, lenient = (
        validate(candidate, gated(fixed, max_loss_to_champion=margin), slightly_worse) for margin in (0.012, 0.05)
    )

    assert -0.012 < strict.comparison.difference
    assert ({"champion": "blocks"}, {}) == (states(strict), states(lenient))


def test_the_first_candidate_has_nobody_to_beat(candidate: Candidate, fixed: ModelConfig) -> None:
    """Without a champion the comparison passes and says so, and the floors still hold."""
    alone = {"champion_version": None, "champion_fit_until": None, "champion_scores": None}
    first = validate(candidate, fixed, evidence(candidate, **alone))
    weak = validate(candidate, fixed, evidence(candidate, **alone, challenger_scores=right(0.54)))

    assert (None, None, {}) == (first.champion, first.comparison, states(first))
    assert "There is no champion yet to compare with." in {gate.sentence for gate in first.gates}
    assert {"balanced_accuracy": "blocks"} == states(weak)


def test_a_slice_is_held_against_the_champion_there(candidate: Candidate, fixed: ModelConfig) -> None:
    """Of each airport the verdict has both scores, and the gate speaks of the one that lost most."""
    worse = np.where(ORIGINS == "JFK", right(0.75), right(0.70))
    verdict = validate(candidate, fixed, evidence(candidate, challenger_scores=right(0.72), champion_scores=worse))

    assert [("EWR", 0.72, 0.70), ("JFK", 0.72, 0.75), ("LGA", 0.72, 0.70)] == [
        (one.value, one.challenger, pytest.approx(one.champion)) for one in verdict.slices
    ]
    assert "JFK: 0.720 on 400 rows, -0.030 compared with the champion on this slice" in verdict.gates[4].sentence


def test_without_a_champion_a_slice_is_held_against_the_whole(candidate: Candidate, fixed: ModelConfig) -> None:
    """The first candidate may not fail an airport while it shines elsewhere."""
    alone = {"champion_version": None, "champion_fit_until": None, "champion_scores": None}
    verdict = validate(candidate, fixed, evidence(candidate, **alone, challenger_scores=jfk_fails()))

    assert {"slice_origin": "blocks"} == states(verdict)
    assert "origin = JFK: 0.550 on 400 rows, -0.167 compared with the candidate overall" in verdict.gates[4].sentence


def test_a_comparison_that_is_switched_off_says_so(candidate: Candidate, fixed: ModelConfig) -> None:
    """`compare = false` lets a worse challenger pass, and the verdict shows why."""
    worse = evidence(candidate, challenger_scores=right(0.66))
    verdict = validate(candidate, gated(fixed, compare=False), worse)

    assert ({}, None) == (states(verdict), verdict.comparison)
    assert "switched off" in next(gate.sentence for gate in verdict.gates if gate.name == "champion")


def test_small_slices_are_not_judged(candidate: Candidate, fixed: ModelConfig) -> None:
    """A category under `min_slice_rows` is left out; where all are, the gate cannot judge."""
    origins = np.where(np.arange(ROWS) < 99, "TEB", ORIGINS).astype(object)
    verdict = validate(candidate, fixed, evidence(candidate, slices={"origin": origins}))
    none = validate(candidate, gated(fixed, min_slice_rows=401), evidence(candidate))
    enough = validate(candidate, gated(fixed, min_slice_rows=400), evidence(candidate))

    assert {"EWR", "JFK", "LGA"} == {one.value for one in verdict.slices}
    assert [("EWR", 400), ("JFK", 400), ("LGA", 400)] == [(one.value, one.rows) for one in enough.slices]
    assert {"slice_origin": "cannot_judge"} == states(none)


@pytest.mark.parametrize(("before", "after"), [((), 0.72), ((0.70,), 0.71), ((0.80, 0.70), 0.74)])
def test_the_reference_is_the_mean_of_the_promoted_scores(
    candidate: Candidate, fixed: ModelConfig, before: tuple[float, ...], after: float
) -> None:
    """One vote for each promoted version and for this one, which also declares how its days vary."""
    promoted = tuple(
        PromotedScore(version=100 + number, metric="balanced_accuracy", score=score)
        for number, score in enumerate(before)
    )
    verdict = validate(candidate, fixed, evidence(candidate, promoted=promoted))
    own = verdict.promoted[-1]

    assert pytest.approx(after) == verdict.reference
    assert (*promoted, own) == verdict.promoted
    assert (candidate.version, 0.72, 10) == (own.version, pytest.approx(own.score), own.days)
    assert own.error is not None
    assert 0.01 < own.error < 0.02
    assert own.spread is not None


def test_the_newest_thirteen_promoted_scores_are_declared(candidate: Candidate, fixed: ModelConfig) -> None:
    """And this version only once, also if it is validated again after its promotion."""
    promoted = tuple(
        PromotedScore(version=number, metric="balanced_accuracy", score=0.7)
        for number in (*range(100, 113), candidate.version)
    )
    verdict = validate(candidate, fixed, evidence(candidate, promoted=promoted))

    assert [*range(101, 113), candidate.version] == [score.version for score in verdict.promoted]


def test_the_alarm_limit_after_a_promotion_is_declared(candidate: Candidate, fixed: ModelConfig) -> None:
    """The reference minus max_drop, with which the candidate's own score is compared in the pull request."""
    trigger = fixed.triggers.performance
    verdict = validate(candidate, fixed, evidence(candidate))

    assert pytest.approx(max(trigger.floor, 0.715 - trigger.max_drop)) == verdict.limit


def test_the_reference_is_a_score_of_the_metric_that_triggers(candidate: Candidate, fixed: ModelConfig) -> None:
    """Right on 80 % of 900 zeros and 60 % of 300 ones: 0.7 of balanced accuracy, not the 0.75 of accuracy."""
    labels = np.repeat([0, 1], [900, 300]).astype("int8")
    said = np.repeat([0.2, 0.8, 0.2, 0.8], [720, 180, 120, 180])
    verdict = validate(candidate, fixed, evidence(candidate, labels=labels, challenger_scores=said, promoted=()))

    assert pytest.approx(0.7) == verdict.reference


def test_bounds_are_drawn_by_the_seed_of_the_config(candidate: Candidate, fixed: ModelConfig) -> None:
    """Who judges the same candidate again gets the same verdict, to the last digit."""
    f1 = gated(fixed, f1=0.1)
    verdict, again = (validate(candidate, f1, evidence(candidate)) for _ in range(2))

    assert {"balanced_accuracy", "f1"} == {score.metric for score in verdict.scores if score.low is not None}
    assert (verdict.scores, verdict.comparison) == (again.scores, again.comparison)


def test_a_verdict_survives_its_file(candidate: Candidate, fixed: ModelConfig) -> None:
    """What validate writes is what propose reads."""
    verdict = validate(candidate, fixed, evidence(candidate))

    assert verdict == Verdict.from_json(verdict.to_json())


def flipped(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels drawn anew at random, as after a join on the wrong key."""
    return rows.assign(actual=np.random.default_rng(5).permutation(rows["actual"].to_numpy()))


def swapped(rows: pd.DataFrame) -> pd.DataFrame:
    """Every 1 a 0."""
    return rows.assign(actual=1 - rows["actual"])


@pytest.mark.parametrize(("spoil", "holdout_too"), [(flipped, False), (flipped, True), (swapped, False)])
def test_a_candidate_of_spoiled_labels_is_blocked(
    candidate: Candidate,
    config: ModelConfig,
    parts: Split,
    model: Any,
    root: Path,
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    holdout_too: bool,
) -> None:
    """Flights with labels shuffled or swapped in the fit, or shuffled everywhere, make a candidate that cannot pass.

    (Labels swapped everywhere are no matter of scores: the training suite sees them by their base rate.)
    """
    bad = dataclasses.replace(
        parts, fit=spoil(parts.fit), holdout=spoil(parts.holdout) if holdout_too else parts.holdout
    )
    spoiled = fit_estimator(load_build(root, "flights"), config, bad)
    rows = features(parts.holdout, config.data)
    seen = CandidateEvidence.of(
        bad.holdout,
        config,
        challenger_scores=score(spoiled, rows),
        champion_scores=score(model, rows),
        champion_version=1,
        champion_fit_until=parts.fit_until,
        example_equal=True,
        latency_p95_ms=5.0,
        size_mb=1.0,
    )
    good = dataclasses.replace(seen, challenger_scores=seen.champion_scores)
    stopped = states(validate(candidate, config, seen))

    assert "balanced_accuracy" in stopped
    assert holdout_too or "champion" in stopped
    assert holdout_too or {} == states(validate(candidate, config, good))


def test_evidence_of_flights_has_what_rows_tell(parts: Split, config: ModelConfig) -> None:
    """Labels, times, categories and the digest come from the holdout frame."""
    rows = parts.holdout.assign(origin=parts.holdout["origin"].where(parts.holdout["origin"] != "JFK", None))
    seen = CandidateEvidence.of(
        rows, config, challenger_scores=np.zeros(len(rows)), example_equal=True, latency_p95_ms=1.0, size_mb=1.0
    )

    assert {"EWR", "LGA", "(missing)"} == set(seen.slices["origin"])
    assert (2_348, np.datetime64("2013-02-18T00", "h")) == (len(seen.labels), seen.times.min().astype("datetime64[h]"))
    assert 64 == len(seen.holdout_digest)


def test_the_flights_model_answers_in_time(model: Any, parts: Split, config: ModelConfig) -> None:
    """The example model is well within its own latency gate."""
    assert latency_p95(model, features(parts.holdout, config.data).iloc[:20]) < config.gates.max_p95_ms


def test_slices_are_the_rows_of_each_category(candidate: Candidate) -> None:
    """By name; each row is in one of them, those without a category in one of their own."""
    words = np.array(["b", "a", "(missing)", "b", "a", "b"], object)
    found = dict(evidence(candidate, slices={"origin": words, "none": words[:0]}).rows_by_category())

    assert ["(missing)", "a", "b"] == list(found["origin"])
    assert [[2], [1, 4], [0, 3, 5]] == [rows.tolist() for rows in found["origin"].values()]
    assert {} == found["none"]
