"""Each gate alone: what it says, with which value and limit, exactly at its limit, and of what it cannot judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.gates import Gates
from core.config.model import ModelConfig
from core.config.settings import parse_config
from training.gates import gates
from training.gates.evidence import CandidateEvidence
from training.gates.gates import Comparison, Gate, Score
from training.gates.slices import SliceScore, slice_gates

SEED = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")


def configured(**settings: Any) -> ModelConfig:
    """A config with these gates."""
    return SEED.model_copy(update={"gates": Gates(**settings)})


ON_SLICE, OVERALL = "the champion on this slice", "the candidate overall"


def gate(name: str, state: str, value: float | None, limit: float | None, sentence: str) -> Gate:
    """What a gate should say."""
    return Gate(name=name, state=state, value=value, limit=limit, sentence=sentence)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (
            Score(metric="roc_auc", value=0.7, low=0.68, high=0.72),
            ("passes", 0.7, "ROC AUC is 0.700 (0.680 to 0.720) on 1,200 rows. The gate requires at least 0.700."),
        ),
        (
            Score(metric="roc_auc", value=0.6999, low=None, high=None),
            ("blocks", 0.6999, "ROC AUC is 0.700 on 1,200 rows. The gate requires at least 0.700."),
        ),
        (
            Score(metric="roc_auc", value=0.71, low=0.69, high=None),
            ("passes", 0.71, "ROC AUC is 0.710 on 1,200 rows. The gate requires at least 0.700."),
        ),
        (
            Score(metric="roc_auc", value=None, low=None, high=None),
            ("cannot_judge", None, "Cannot judge: ROC AUC is undefined on the holdout."),
        ),
        (
            Score(metric="f1", value=0.9, low=0.9, high=0.9),
            ("cannot_judge", None, "Cannot judge: ROC AUC is undefined on the holdout."),
        ),
    ],
    ids=["at the floor", "under it", "one bound", "undefined", "another metric"],
)
def test_a_floor_says_value_and_floor(score: Score, expected: tuple[str, float | None, str]) -> None:
    """The value alone decides; its bounds are told where there are both."""
    state, value, sentence = expected

    assert [gate("roc_auc", state, value, 0.7, sentence)] == list(gates.floors((score,), 1200, configured(roc_auc=0.7)))


def compared(low: float) -> Comparison:
    """A challenger that is one point better, and surely not under `low`."""
    return Comparison(
        metric="balanced_accuracy",
        champion=3,
        champion_value=0.7,
        challenger_value=0.71,
        difference=0.01,
        low=low,
        high=0.04,
        margin=0.025,
        rows=1200,
    )


@pytest.mark.parametrize(("low", "state"), [(-0.025, "passes"), (-0.02501, "blocks"), (0.0, "passes")])
def test_the_comparison_says_both_values_and_what_is_sure(low: float, state: str) -> None:
    """The lower bound of the difference may be at the margin, and not under it."""
    sentence = (
        "Balanced accuracy is 0.710, version 3 has 0.700. The difference is +0.010 and, with 95% confidence, "
        f"at least {low:+.3f}. The gate requires at least -0.025."
    )

    found = gates.champion(compared(low), 3, configured(max_loss_to_champion=0.025))
    assert gate("champion", state, low, -0.025, sentence) == found


def test_the_comparison_says_why_there_is_none() -> None:
    """Switched off, or without a champion, there is no limit; what cannot be compared has one, and blocks."""
    off = "The comparison with the champion is switched off (gates.compare)."
    first = "There is no champion yet to compare with."
    nothing = "Cannot judge: there are no rows on which to compare with version 3."

    assert gate("champion", "passes", None, None, off) == gates.champion(None, 3, configured(compare=False))
    assert gate("champion", "passes", None, None, first) == gates.champion(None, None, configured())
    assert gate("champion", "cannot_judge", None, -0.02, nothing) == gates.champion(None, 3, configured())


def at(value: str, difference: float | None, high: float = 0.0, column: str = "origin", **changes: Any) -> SliceScore:
    """The scores of a category of 400 rows, whose champion has 0.75."""
    challenger = None if difference is None else 0.75 + difference
    fields = {"challenger": challenger, "champion": 0.75, "difference": difference, "high": high, "confidence": 0.975}
    return SliceScore(column=column, value=value, rows=400, **(fields | changes))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (
            [at("EWR", 0.0), at("JFK", -0.25, 0.01)],
            (
                "passes",
                -0.25,
                (
                    f"The weakest of 2 slices is origin = JFK: 0.500 on 400 rows, -0.250 compared with {ON_SLICE} "
                    "and, with 97.5% confidence, at most +0.010. "
                ),
            ),
        ),
        (
            [at("EWR", -0.3, 0.01), at("JFK", -0.25, -0.01, harmed=True), at("AA", -0.5, -0.4, "carrier", harmed=True)],
            (
                "blocks",
                -0.25,
                (
                    f"The weakest of 2 slices is origin = JFK: 0.500 on 400 rows, -0.250 compared with {ON_SLICE} "
                    "and, with 97.5% confidence, at most -0.010. "
                ),
            ),
        ),
        (
            [at("EWR", 0.0), at("LGA", -0.25, -0.01, champion=None, harmed=True)],
            (
                "blocks",
                -0.25,
                (
                    f"The weakest of 2 slices is origin = LGA: 0.500 on 400 rows, -0.250 compared with {OVERALL} "
                    "and, with 97.5% confidence, at most -0.010. "
                ),
            ),
        ),
    ],
    ids=["a loss that chance explains", "harm", "without a champion there"],
)
def test_a_slice_gate_says_which_category_lost_most(scores: list[SliceScore], expected: tuple[str, float, str]) -> None:
    """It blocks if a category is harmed, and speaks of that one; a larger loss that chance explains does not block."""
    state, value, sentence = expected
    sentence += "The gate blocks under -0.125 if this bound is under 0."
    result = list(slice_gates(tuple(scores), configured(slices=("origin",), max_slice_loss=0.125)))

    assert [gate("slice_origin", state, value, -0.125, sentence)] == result


def test_slices_with_few_positives_are_named_and_do_not_block() -> None:
    """A slice that cannot be judged is not a slice that is fine; the gate says so and judges the others."""
    few = [at(name, None, missing="few_positives") for name in ("ABE", "CHO", "EYW", "HDN")]
    (passed,) = slice_gates((at("EWR", 0.0), *few), configured(slices=("origin",)))
    (blocked,) = slice_gates(tuple(few), configured(slices=("origin",), min_slice_rows=400))

    assert "passes" == passed.state
    assert passed.sentence.endswith("Cannot judge ABE, CHO, EYW and 1 more: under 10 rows of the rarer label.")
    why = "Cannot judge: no origin has 400 rows with both labels, 10 of them with the rarer one."
    assert ("cannot_judge", why) == (blocked.state, blocked.sentence)


@pytest.mark.parametrize("scores", [(), (at("EWR", None, missing="undefined"),)])
def test_a_slice_that_cannot_be_judged_does_not_hide_the_next(scores: tuple[SliceScore, ...]) -> None:
    """Each column has its own gate, also after one whose categories are too small or undefined."""
    config = configured(slices=("origin", "carrier"), min_slice_rows=401)
    first, second = slice_gates((*scores, at("AA", -0.2, -0.1, "carrier", harmed=True)), config)

    why = "Cannot judge: no origin has 401 rows with both labels."
    assert gate("slice_origin", "cannot_judge", None, -0.1, why) == first
    assert ("slice_carrier", "blocks") == (second.name, second.state)


TASKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "binary": ({}, "accuracy", ", {} with label 1"),
    "multiclass": ({"classes": ("a", "b", "c", "d")}, "accuracy", ", of {} of 4 classes"),
    "regression": ({"label_range": (0.0, 9.0)}, "r2", ", with {} different labels"),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_holdout_needs_several_labels(task: str) -> None:
    """It says how many classes or labels there are; by one of them nothing is judged."""
    data, metric, words = TASKS[task]
    config = ModelConfig.model_validate(
        {
            "name": "m",
            "task": task,
            "registry_name": "m",
            "data": {"source": "rows.db", "numeric": ("x",), **data},
            "triggers": {"performance": {"metric": metric}},
            "gates": {"min_holdout_rows": 20},
        }
    )

    def holdout(labels: list[int]) -> Gate:
        rows = np.array(labels)
        seen = CandidateEvidence(
            labels=rows,
            times=rows,
            challenger_scores=rows,
            holdout_digest="",
            example_equal=True,
            latency_p95_ms=1.0,
            size_mb=1.0,
        )
        return gates.holdout(seen, seen, config)

    said = "20 of 20 rows are later than both fits"
    binary = task == "binary"
    both = "both" if binary else "several"
    few = f"{said}{words.format(20 if binary else 1)}. The gate requires 20 rows with {both} labels."
    assert gate("holdout", "cannot_judge", 20, 20, few) == holdout([1] * 20)
    some = [0] * 17 + [1] * 3 if binary else [0] * 18 + [1, 2]
    assert gate("holdout", "passes", 20, 20, f"{said}{words.format(3)}.") == holdout(some)


def test_the_files_are_judged_by_what_they_do() -> None:
    """Equal, fast and small enough at the exact limits; otherwise with the number that is too large."""
    empty = np.zeros(0)
    measured = {"labels": empty, "times": empty, "challenger_scores": empty, "holdout_digest": ""}
    good = CandidateEvidence(**measured, example_equal=True, latency_p95_ms=20.0, size_mb=1.5)
    bad = CandidateEvidence(**measured, example_equal=False, latency_p95_ms=20.4, size_mb=float("nan"))
    config = configured(max_p95_ms=20, max_size_mb=1.5)

    assert [
        gate("load_back", "passes", None, None, "The model loaded from its files gives the same scores as before."),
        gate(
            "latency",
            "passes",
            20.0,
            20,
            "20 ms of processor time per row (95th percentile). The gate allows at most 20.",
        ),
        gate("size", "passes", 1.5, 1.5, "1.5 MB on disk. The gate allows at most 1.5."),
    ] == list(gates.files(good, config))
    assert [
        gate(
            "load_back",
            "blocks",
            None,
            None,
            "The model loaded from its files does not give the same scores as before.",
        ),
        gate(
            "latency",
            "blocks",
            20.4,
            20,
            "20.4 ms of processor time per row (95th percentile). The gate allows at most 20.",
        ),
        gate("size", "cannot_judge", None, 1.5, "Cannot judge: the size was not measured."),
    ] == list(gates.files(bad, config))
