from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.model import ModelConfig
from core.config.settings import parse_config
from core.errors import RecordError
from core.quality_report import Finding, QualityReport
from monitoring.axes.axis import Axis, NumericAxis
from monitoring.counting.column_tally import ColumnTally
from monitoring.counting.counts import Counts
from monitoring.counting.holdout import holdout_of
from monitoring.counting.tally import Baseline, DayTally
from monitoring.counting.window import Window
from monitoring.performance.estimate import estimate_report
from monitoring.performance.reference import PromotedScore
from monitoring.tasks.binary import BINARY
from monitoring.triggers.decision import Decision, decide
from monitoring.triggers.evidence import History, Request

DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC)
TODAY = AS_OF.date()
SEED = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")
AXES: dict[str, Axis] = {
    "age": NumericAxis(form="affine", origin=0.0, scale=1.0, cuts=tuple(map(float, range(10))), low=0.0, high=10.0)
}
CELLS = AXES["age"].size
FORCED, ASKED = Request(reason="new airport", force=True), Request(reason="new airport", force=False)


def day(date: dt.date, right: int = 90, wrong: int = 10, ages: tuple[int, ...] = (10,) * 10) -> DayTally:
    """A day with so many labels predicted right and wrong, and so many rows in each bin of the age."""
    scores = np.zeros((1000, 3), np.int64)
    scores[200, 0], scores[800, 0] = right, wrong
    counts = np.zeros(CELLS, np.int64)
    counts[: len(ages)] = ages
    return DayTally(
        date=date,
        rows=sum(ages),
        duplicates=0,
        columns={"age": ColumnTally(counts=Counts(counts), outside=0, types=("double",))},
        scores=Counts(scores),
        unscored=0,
        bad_labels=0,
    )


def window(*days: DayTally, version: int | None = 3, quality: QualityReport | None = None) -> Window:
    """What the night sees: these days, or ten ordinary ones."""
    return Window(
        model="seed",
        version=version,
        as_of=AS_OF,
        start=TODAY - 10 * DAY,
        end=TODAY,
        days=days or tuple(day(TODAY - ago * DAY) for ago in range(1, 11)),
        missing=(),
        future_rows=0,
        quality=quality,
    )


def report(*findings: Finding) -> QualityReport:
    """What the suite found."""
    return QualityReport(subject="window", rows=1000, checks=20, findings=findings)


def finding(date: dt.date, *, critical: bool) -> Finding:
    """A day that is broken."""
    return Finding(
        broken=True,
        severity="critical" if critical else "warning",
        check="null_share",
        column="age",
        date=date,
        value=1.0,
        limit=0.2,
        sentence="age is null",
    )


BASELINE = Baseline(axes=AXES, days=tuple(day(TODAY - ago * DAY) for ago in range(20, 50)))
BAD = window(*(day(TODAY - ago * DAY, right=80, wrong=20) for ago in range(1, 11)))
PAST = History(
    champion=3,
    champion_trained=AS_OF - 5 * DAY,
    promoted=(PromotedScore(version=3, metric="accuracy", score=0.9),),
    last_training=AS_OF - 5 * DAY,
    trainings_30_days=1,
    open_proposal=None,
)
URL = "https://forge.example/pull/7"


def decided(
    seen: Window | None = None, request: Request | None = None, config: ModelConfig = SEED, **past: Any
) -> Decision:
    """The decision of a night, whose past is changed in some places."""
    return decide(config, seen or window(), BASELINE, PAST.model_copy(update=past), request)


def limited(**limits: Any) -> ModelConfig:
    """The seed with other limits."""
    return SEED.model_copy(
        update={"triggers": SEED.triggers.model_copy(update={"limits": SEED.triggers.limits.model_copy(update=limits)})}
    )


def fired(decision: Decision) -> list[str]:
    """The triggers that fired."""
    return [reading.trigger for reading in decision.readings if reading.state == "fired"]


def test_a_quiet_night_says_why_nothing_happens() -> None:
    """No trigger fires: no training, nothing held back, one sentence with the state of each."""
    decision = decided()

    assert (False, False, 3, ()) == (decision.retrain, decision.first, decision.champion, decision.held_back_by)
    assert ("No trigger fired: performance is quiet, drift is quiet, age is quiet.",) == decision.reasons
    told = ["performance", "drift", "age", "manual", "damage", "score", "target", "estimate"]
    assert told == [reading.trigger for reading in decision.readings]
    assert decision.performance is not None
    assert decision.drift is not None


def test_the_mean_of_promoted_scores_is_what_a_fall_is_judged_against() -> None:
    """An accuracy of 0.9 is over the floor of 0.85, and too far under a reference of 0.96."""
    performance = SEED.triggers.performance.model_copy(update={"max_drop": 0.05})
    config = SEED.model_copy(update={"triggers": SEED.triggers.model_copy(update={"performance": performance})})

    assert [] == fired(decided(config=config))
    assert ["performance"] == fired(
        decision := decided(config=config, promoted=(PromotedScore(version=3, metric="accuracy", score=0.96),))
    )
    assert decision.performance is not None
    assert (0.96, pytest.approx(0.91)) == (decision.performance.reference, decision.performance.limit)


def test_what_needs_no_labels_is_judged_beside_the_triggers() -> None:
    """The estimate is made with what the holdout says that scores are worth, on the days that are not broken."""
    holdout = holdout_of([TODAY - 60 * DAY] * 50, [0] * 25 + [1] * 25, np.linspace(0.1, 0.9, 50), BINARY)
    broken = TODAY - 4 * DAY
    seen = window(quality=report(finding(broken, critical=False)))
    decision = decide(SEED, seen, BASELINE.model_copy(update={"scores": holdout}), PAST, None)

    assert holdout.calibration is not None
    assert estimate_report(seen, SEED, holdout.calibration, {broken}) == decision.estimate
    assert estimate_report(seen, SEED, holdout.calibration, ()) != decision.estimate
    states = {reading.trigger: reading.state for reading in decision.readings}
    assert ("quiet", "warns") == (states["estimate"], states["score"])
    assert seen.quality == decision.quality


def test_each_trigger_alone_leads_to_a_training() -> None:
    """The reason of a training is the sentence of the trigger that fired."""
    moved = window(*(day(TODAY - ago * DAY, ages=(0, 0, 20, 20, 20, 20, 20)) for ago in range(1, 11)))
    for name, decision in {
        "performance": decided(BAD),
        "drift": decided(moved),
        "age": decided(champion_trained=AS_OF - 8 * DAY),
        "manual": decided(request=ASKED),
    }.items():
        assert [name] == fired(decision)
        assert decision.retrain
        assert decision.reasons == tuple(r.sentence for r in decision.readings if r.trigger == name)


def test_the_rules_of_the_seed_article_have_its_numbers() -> None:
    """Accuracy under 0.85 on seven days with 100 labels or more; plain KS at p < 0.05 a column; seven days of age."""
    mature = [TODAY - ago * DAY for ago in range(3, 10)]  # labels are two days late

    def accuracy(right: int, wrong: int) -> str:
        seen = window(
            *(day(date, *counts) for date, counts in zip(mature, [(right, wrong), *[(0, 0)] * 6], strict=True))
        )
        return decided(seen).readings[0].state

    assert ["fired", "quiet", "quiet"] == [accuracy(84, 16), accuracy(85, 15), accuracy(86, 14)]
    assert ["cannot_judge", "fired"] == [accuracy(50, 49), accuracy(50, 50)]

    def drift(shift: int) -> str:
        days = (day(TODAY - ago * DAY, ages=(10 - shift, *[10] * 8, 10 + shift)) for ago in range(1, 8))
        return decided(window(*days)).readings[1].state

    # 700 rows against 3,000: D = shift / 100, p = 0.11 at 0.05, 0.03 at 0.06.
    assert ["quiet", "quiet", "fired"] == [drift(0), drift(5), drift(6)]
    assert ["quiet", "fired"] == [
        decided(champion_trained=AS_OF - 7 * DAY + early).readings[2].state for early in (DAY / 24, 0 * DAY)
    ]


def test_broken_days_are_left_out_of_all_readings() -> None:
    """A day that the suite calls broken neither fires performance nor drift."""
    odd = TODAY - 4 * DAY
    days = [day(TODAY - ago * DAY) for ago in range(1, 11) if ago != 4]
    spoilt = day(odd, right=0, wrong=5000, ages=(5000,))

    assert ["performance", "drift"] == fired(decided(window(*days, spoilt)))
    assert [] == fired(decided(window(*days, spoilt, quality=report(finding(odd, critical=False)))))


def test_the_first_training_needs_no_trigger() -> None:
    """Without a champion there is nothing to judge: the first training is due, and says so."""
    decision = decide(
        SEED, window(version=None), None, PAST.model_copy(update={"champion": None, "last_training": None}), None
    )

    assert (True, True, None) == (decision.retrain, decision.first, decision.champion)
    assert ("No version is in Production yet.",) == decision.reasons
    assert ["manual"] == [reading.trigger for reading in decision.readings]
    assert (None, None) == (decision.performance, decision.drift)


def test_a_first_candidate_that_was_refused_is_not_trained_again_every_night() -> None:
    """Pause, budget and open proposal hold the first training back as any other."""
    for past, said in (
        ({"last_training": AS_OF - DAY}, "The last training was 1.0 days ago; the pause is 3.0 days."),
        ({"open_proposal": URL}, f"A proposal is open: {URL}."),
    ):
        decision = decide(SEED, window(version=None), None, PAST.model_copy(update={"champion": None, **past}), None)
        assert not decision.retrain
        assert (said,) == decision.held_back_by
        assert ("The first training is due but was postponed.", "No version is in Production yet.") == decision.reasons


@pytest.mark.parametrize(
    ("past", "limits", "said"),
    [
        ({"last_training": AS_OF - 3 * DAY}, {}, ()),
        (
            {"last_training": AS_OF - 3 * DAY + DAY / 24},
            {},
            ("The last training was 2.96 days ago; the pause is 3.00 days.",),
        ),
        ({"last_training": AS_OF}, {"cooldown_days": 0}, ()),
        ({"last_training": None}, {}, ()),
        ({"trainings_30_days": 7}, {}, ()),
        ({"trainings_30_days": 8}, {}, ("8 trainings in the last 30 days; limit 8.",)),
        ({"open_proposal": URL}, {}, (f"A proposal is open: {URL}.",)),
        (
            {"open_proposal": URL, "trainings_30_days": 2, "last_training": AS_OF - DAY},
            {"max_per_30_days": 2},
            (
                f"A proposal is open: {URL}.",
                "The last training was 1.0 days ago; the pause is 3.0 days.",
                "2 trainings in the last 30 days; limit 2.",
            ),
        ),
    ],
)
def test_pause_budget_and_open_proposal_hold_back(
    past: dict[str, Any], limits: dict[str, Any], said: tuple[str, ...]
) -> None:
    """A trigger that fires is held back by each of them, at its exact limit, with a sentence each."""
    decision = decided(BAD, config=limited(**limits), **past)

    assert ["performance"] == fired(decision)
    assert (said, not said) == (decision.held_back_by, decision.retrain)
    assert bool(said) == decision.reasons[0].startswith("Retraining is due (performance fired) but was postponed.")
    assert decision.readings[0].sentence == decision.reasons[-1]


def refused(ago: float, times: int = 1, first: float | None = None, known: float = 8) -> dict[str, Any]:
    """A past with refused trainings: the last one so many days ago, fitted on rows up to `known` days ago."""
    return {
        "last_training": AS_OF - ago * DAY,
        "attempts": times,
        "first_attempt": AS_OF - (ago if first is None else first) * DAY,
        "last_fit_until": AS_OF - known * DAY,
    }


@pytest.mark.parametrize(
    ("past", "limits", "again"),
    [
        (refused(7), {}, True),
        (refused(6.9), {}, False),  # each has a week more to learn from
        (refused(7, times=2, first=14), {}, True),
        (refused(7, times=3, first=21, known=15), {}, False),  # twice is enough
        (refused(7, times=3, first=21, known=15), {"again_times": 3}, True),
        (refused(7, times=3, first=21, known=14), {"again_times": 3}, False),  # it knew a week of the change
        (refused(7), {"again_times": 0}, False),
        (refused(2, known=3), {"again_days": 2}, True),
        (refused(7, known=13.9), {}, True),  # tonight's rows for fitting end 6.9 days ago: after the alarm of 7
        (refused(7, known=14), {}, False),
        (refused(14, known=22), {}, None),  # the pause is over
        ({"last_training": AS_OF - 7 * DAY}, {}, False),  # the champion itself
        (refused(7) | {"first_attempt": None}, {}, False),
        (refused(7) | {"last_fit_until": None}, {}, False),
        (refused(7) | {"last_training": None}, {}, None),
    ],
)
def test_an_alarm_that_training_could_not_answer_trains_again(
    past: dict[str, Any], limits: dict[str, Any], again: bool | None
) -> None:
    """Within a pause of 14 days, as labels of the change arrive: at exact limits, and the reasons say why.

    None: there is no pause, so nothing to train again in.
    """
    decision = decided(BAD, config=limited(cooldown_days=14, **limits), **past)

    assert (again is not False) == decision.retrain
    assert bool(again) == any("Retrained before the end of the pause of 14 days" in text for text in decision.reasons)
    assert (again is not False) == (() == decision.held_back_by)


def test_only_performance_shortens_the_pause() -> None:
    """Age and drift wait, and budget and open proposals hold as ever."""
    config = limited(cooldown_days=14, max_per_30_days=2)

    assert ["age"] == fired(old := decided(config=config, champion_trained=AS_OF - 9 * DAY, **refused(7)))
    assert not old.retrain
    spent = decided(BAD, config=config, **refused(7), trainings_30_days=2)
    assert ("2 trainings in the last 30 days; limit 2.",) == spent.held_back_by
    assert ("Retraining is due (performance fired) but was postponed.", spent.readings[0].sentence) == spent.reasons
    assert not decided(BAD, config=config, **refused(7), open_proposal=URL).retrain


def test_training_again_says_why() -> None:
    """What the last training knew, since when the alarm is, and how often this happened."""
    decision = decided(BAD, config=limited(cooldown_days=14), **refused(7))

    assert (
        "Retrained before the end of the pause of 14 days (1 of at most 2 times): the last training was fitted on "
        "rows before 4 Mar 2013, and the change was noticed on 5 Mar." == decision.reasons[-1]
    )
    asked = decided(BAD, ASKED, config=limited(cooldown_days=14), **refused(7))
    assert tuple(reading.sentence for reading in asked.readings if reading.state == "fired") == asked.reasons


def test_all_that_is_held_back_is_named() -> None:
    """Two triggers fire and a proposal waits: both are due, and both say why."""
    decision = decided(BAD, champion_trained=AS_OF - 8 * DAY, open_proposal=URL)

    assert "Retraining is due (performance, age fired) but was postponed." == decision.reasons[0]
    assert tuple(reading.sentence for reading in decision.readings if reading.state == "fired") == decision.reasons[1:]


def test_nothing_is_held_back_on_a_quiet_night() -> None:
    """What would hold a training back is no news where none is due."""
    assert () == decided(open_proposal=URL, trainings_30_days=99).held_back_by


def test_a_person_overrides_pause_and_budget_and_with_force_an_open_proposal() -> None:
    """A request alone respects a proposal that waits for a person; with force it does not."""
    busy: dict[str, Any] = {"last_training": AS_OF - DAY / 24, "trainings_30_days": 99}

    assert decided(request=ASKED, **busy).retrain
    assert (f"A proposal is open: {URL}.",) == decided(request=ASKED, open_proposal=URL, **busy).held_back_by
    assert decided(request=FORCED, open_proposal=URL, **busy).retrain


@pytest.mark.parametrize("request_", [None, ASKED, FORCED], ids=["trigger", "asked", "forced"])
def test_broken_data_is_overridden_by_nothing(request_: Request | None) -> None:
    """While the newest day is broken nothing is trained, whoever asks."""
    seen = BAD.model_copy(update={"quality": report(finding(TODAY - DAY, critical=True))})
    decision = decided(seen, request_)

    assert not decision.retrain
    assert ("The monitoring data is broken.",) == decision.held_back_by


def test_disabled_triggers_are_not_even_counted() -> None:
    """A trigger that is switched off reads as quiet, and makes no report."""
    off = {
        name: getattr(SEED.triggers, name).model_copy(update={"enabled": False})
        for name in ("performance", "drift", "age")
    }
    config = SEED.model_copy(update={"triggers": SEED.triggers.model_copy(update=off)})
    decision = decided(BAD, config=config, champion_trained=AS_OF - 999 * DAY)

    assert (False, None, None) == (decision.retrain, decision.performance, decision.drift)
    off_too = [reading for reading in decision.readings if reading.trigger != "manual"]
    assert ["Switched off."] * 7 == [reading.sentence for reading in off_too]
    assert decision.estimate is None


def test_without_a_baseline_drift_cannot_judge() -> None:
    """The other triggers go on."""
    decision = decide(SEED, BAD, None, PAST, None)

    assert ["fired", "cannot_judge", "quiet", "quiet"] == [reading.state for reading in decision.readings[:4]]


def test_an_empty_window_cannot_be_judged() -> None:
    """No rows: performance and drift say so, age goes on, nothing raises."""
    seen = window().model_copy(update={"days": ()})
    decision = decided(seen)

    assert ["cannot_judge", "cannot_judge", "quiet", "quiet"] == [reading.state for reading in decision.readings[:4]]
    assert ("No trigger fired: performance cannot judge, drift cannot judge, age is quiet.",) == decision.reasons


def test_a_window_of_another_version_is_refused() -> None:
    """After a promotion between counting and judging, the scores are those of the model that was replaced."""
    with pytest.raises(RecordError) as caught:
        decided(window(version=2))

    assert (
        "The window was counted for version 2, but version 3 is in Production.\n"
        "A promotion or a rollback took place after the rows were counted.\n"
        "Run mlops pull, then mlops check."
    ) == str(caught.value)


def test_the_decision_is_a_record() -> None:
    """It survives being written and read, whatever it holds."""
    for decision in (decided(), decided(BAD, ASKED, open_proposal=URL), decided(window(quality=report()))):
        assert decision == Decision.from_json(decision.to_json())
