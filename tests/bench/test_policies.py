"""What the bench of policies says of a replay follows from its nights by the formulas that it states."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench.outcomes import Outcome, aims, delay, drift_after, mean, of_data, recovery
from bench.policies import Found, judged, table, tasks
from bench.streams import FIRST, MODEL, PLACE, STREAMS, Stream, model_folder, ran, written
from core.config.gates import Gates
from core.config.settings import load_config
from core.config.triggers import Triggers
from core.replay_result import Alarms, NightSummary, PolicyResult
from training.pipeline_file import load_build

DAY = dt.timedelta(days=1)
TRUTH = FIRST + 2 * DAY
RESULT = PolicyResult(
    policy="default", nights=6, alarms=Alarms(performance=0, drift=0, age=2), retrains=2, promotions=1, refusals=1,
    mean=0.7, worst_week=0.6, share_under_floor=0.0, false_alarms=0, nights_to_first_alarm=None,
)  # fmt: skip
OUTCOME = Outcome(result=RESULT, auc=0.75, delay=4, recovery=0.8, of_data=0, drift_after=1)


def night(
    number: int, *fired: str, week: float | None = None, retrained: bool = False, first: bool = False
) -> NightSummary:
    """The nth night: which triggers fired on it, the metric of its week, whether it trained."""
    return NightSummary(
        date=FIRST + number * DAY, first=first, fired=fired, retrained=retrained, refused=False, promoted=None,
        failed="", stopped=False, why="", week=week,
    )  # fmt: skip


def weeks(*values: float | None) -> list[NightSummary]:
    """Nights with these metrics."""
    return [night(number, week=value) for number, value in enumerate(values)]


def by(**results: float) -> Outcome:
    """The outcome with other figures of its result."""
    return dataclasses.replace(OUTCOME, result=RESULT.model_copy(update=results))


def test_delay_is_to_the_first_later_night_on_which_labels_ring() -> None:
    """Alarms up to the night of the truth and those of drift are none; six nights, the fifth rings: three after it."""
    nights = [night(0, "performance"), night(1), night(2, "performance"), night(3, "drift"), night(4, "age")]

    assert delay(nights, TRUTH) is None
    assert 3 == delay([*nights, night(5, "performance", "age"), night(6, "performance")], TRUTH)


def test_recovery_is_the_share_of_what_weekly_wins_back() -> None:
    """After the truth never loses 0.2 and 0.3 to weekly, and the policy wins 0.1 and 0.3 of it: 0.4 of 0.5."""
    never, weekly = weeks(0.9, 0.8, 0.7, 0.5, 0.5), weeks(0.1, 0.2, 0.3, 0.7, 0.8)
    mine = weeks(0.0, 0.0, 0.0, 0.6, 0.8)

    assert 0.8 == pytest.approx(recovery(mine, never, weekly, TRUTH))
    assert 0.0 == recovery(never, never, weekly, TRUTH)
    assert 1.0 == recovery(weekly, never, weekly, TRUTH)


def test_recovery_leaves_out_nights_that_one_of_the_three_cannot_tell() -> None:
    """Of two nights after the truth the one without a week for the policy does not count: 0.1 of 0.3."""
    never, weekly = weeks(None, None, None, 0.5, 0.5), weeks(None, None, None, 0.7, 0.8)

    assert 1 / 3 == pytest.approx(recovery(weeks(None, None, None, None, 0.6), never, weekly, TRUTH))


def test_there_is_no_recovery_where_weekly_wins_nothing_or_nothing_changed() -> None:
    """Also where it loses to never: a share of that would have the wrong sign."""
    nights = weeks(0.5, 0.5, 0.5, 0.5)

    assert recovery(nights, nights, weeks(0.9, 0.9, 0.9, 0.4), TRUTH) is None
    assert recovery(nights, nights, nights, TRUTH) is None
    assert recovery(nights, nights, weeks(0.9, 0.9, 0.9, 0.9), None) is None


def test_retrains_are_of_data_when_more_than_age_fired() -> None:
    """The first training and alarms that led to nothing do not count."""
    nights = [
        night(0, retrained=True, first=True), night(1, "age", retrained=True), night(2, "drift", retrained=True),
        night(3, "performance", "age", retrained=True), night(4, "performance"),
    ]  # fmt: skip

    assert 2 == of_data(nights)


def test_drift_counts_from_the_night_after_the_truth() -> None:
    """Without a truth there is nothing to count."""
    nights = [night(number, "drift") for number in range(5)]

    assert 2 == drift_after(nights, TRUTH)
    assert drift_after(nights, None) is None


@pytest.mark.parametrize(
    ("stream", "own", "held"),
    [
        ("stationary", OUTCOME, [True]),
        ("stationary", dataclasses.replace(OUTCOME, of_data=1), [False]),
        ("irrelevant", OUTCOME, [True, True]),
        ("irrelevant", by(alarms=Alarms(performance=1, drift=0, age=0)), [False, True]),
        ("irrelevant", dataclasses.replace(OUTCOME, drift_after=0), [True, False]),
        ("abrupt", OUTCOME, [True, True, True]),
        ("abrupt", dataclasses.replace(OUTCOME, delay=15), [False, True, True]),
        ("abrupt", dataclasses.replace(OUTCOME, delay=None, recovery=None), [False, False, True]),
        ("abrupt", dataclasses.replace(OUTCOME, recovery=0.79), [True, False, True]),
        ("abrupt", by(retrains=3), [True, True, False]),
        ("flights", OUTCOME, [True, True]),
        ("flights", dataclasses.replace(OUTCOME, auc=0.74), [False, True]),
        ("flights", by(retrains=3), [True, False]),
        ("gradual", OUTCOME, []),
    ],
)
def test_aims_are_those_of_a_good_policy(stream: str, own: Outcome, held: list[bool]) -> None:
    """Weekly retrains 8 times, so a third is 2; monthly 2 times, with an AUC of 0.75."""
    found = {"default": own, "weekly": by(retrains=8), "monthly": OUTCOME}

    assert held == list(aims(stream, found).values())


def test_figures_are_means_over_seeds_and_aims_are_counted() -> None:
    """Two seeds with 2 and 4 retrains have 3; a delay that only one has is that one's; one of two holds the aim."""
    late = dataclasses.replace(by(retrains=4), delay=None, recovery=0.4, of_data=2)
    found = [
        Found("stationary", seed, {"default": own}, {"no retrain but by age": own.of_data == 0}, 1.0)
        for seed, own in enumerate((OUTCOME, late), 1)
    ]

    assert (
        "| stationary | default | 0 | 0 | 2 | 3 | 1 | 1 | 1 | 0.700 | 0.750 | 4 | 60% |" == table(found).splitlines()[2]
    )
    assert "| stationary | no retrain but by age | 1 of 2 |" == judged(found).splitlines()[2]
    assert mean([None]) is None


def test_each_stream_is_asked_under_each_seed_and_flights_once() -> None:
    """The streams of the issue: a change at once, a slow one, an input that does not matter, nothing."""
    assert {"abrupt", "gradual", "irrelevant", "stationary"} == set(STREAMS)
    assert [("flights", 1), ("abrupt", 1), ("abrupt", 2)] == list(tasks("", 2))[:3]
    assert 1 + 4 * 3 == len(list(tasks("", 3)))
    assert FIRST + 102 * DAY == STREAMS["abrupt"].truth
    assert ["abrupt", "gradual"] == [name for name, stream in STREAMS.items() if stream.concept]


def test_the_model_of_the_streams_has_the_defaults(tmp_path: Path) -> None:
    """What is measured is what the template ships: no trigger, limit or gate is its own; and its pipeline builds."""
    config = load_config(model_folder(tmp_path), MODEL)

    assert Triggers() == config.triggers
    assert Gates() == config.gates
    assert hasattr(load_build(tmp_path, MODEL)(config), "predict_proba")


@pytest.mark.skipif(not (PLACE / "river" / "ready").exists(), reason="python -m bench.policies makes river's place")
def test_streams_change_when_and_as_they_say(tmp_path: Path) -> None:
    """Fifty rows a night, from the fourth on with another input; the same again under the same seed, and no other."""
    stream = Stream(rows=50, nights=6, night=3, moved={"hyears": 100.0}, flips=0.0, perturbation=0.0)
    found = pq.read_table(written(stream, 1, tmp_path))
    years = [value > 100 for value in found["hyears"].to_pylist()]

    assert [False] * 150 + [True] * 150 == years
    assert [FIRST + n // 50 * DAY for n in range(300)] == [moment.date() for moment in found["timestamp"].to_pylist()]
    assert found == pq.read_table(written(stream, 1, tmp_path))
    assert found != pq.read_table(written(stream, 2, tmp_path))


def test_a_generator_that_fails_says_why() -> None:
    """The end of what it said on standard error is in the message."""
    with pytest.raises(RuntimeError, match="no such stream"):
        ran([sys.executable, "-c", "raise SystemExit('no such stream')"])
