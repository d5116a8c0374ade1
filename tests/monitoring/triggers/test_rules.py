from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from core.config.model import ModelConfig
from core.config.settings import parse_config
from monitoring.drift.report import ColumnDrift, DriftNight, DriftReport
from monitoring.performance.report import PerformanceReport
from monitoring.triggers import rules
from monitoring.triggers.evidence import Evidence, History, Reading, Request, switched_off
from monitoring.triggers.rules import TRIGGERS, read_all

DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC)
SEED = parse_config((Path(__file__).parents[2] / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")
PAST = History(
    champion=3,
    champion_trained=AS_OF - 5 * DAY,
    promoted=(),
    last_training=None,
    trainings_30_days=0,
    open_proposal=None,
)


def scored(**other: Any) -> PerformanceReport:
    """A report of the seed's settings: accuracy 0.9 on 1,312 labels, well over the floor."""
    values: dict[str, Any] = {
        "metric": "accuracy",
        "start": dt.date(2013, 2, 24),
        "end": dt.date(2013, 3, 3),
        "rows": 1400,
        "labels": 1312,
        "coverage": 1312 / 1400,
        "positives": 300,
        "value": 0.9,
        "low": 0.9,
        "high": 0.9,
        "floor": 0.85,
        "reference": None,
        "limit": 0.85,
        "days": (),
        "others": {},
    }
    return PerformanceReport(**{**values, **other})


def column(name: str, effect: float, *, drifted: bool = False, ignored: bool = False) -> ColumnDrift:
    """What was found of one column on one night."""
    return ColumnDrift(
        column=name,
        type="numeric",
        effect=effect,
        psi=0.0,
        p_value=0.001 if drifted else 0.5,
        drifted=drifted,
        ignored=ignored,
        own=None,
        null_baseline=0.0,
        null_window=0.0,
        rows=1400,
        note="",
        bars=(),
    )


def moved(*nights: list[ColumnDrift], adjusted: bool = True) -> DriftReport:
    """A report of these nights, the last one tonight."""
    found = tuple(
        DriftNight(
            end=AS_OF.date() - (len(nights) - 1 - i) * DAY,
            rows=1400 if columns else 12,
            drifted=tuple(c.column for c in columns if c.drifted),
            columns=tuple(columns),
        )
        for i, columns in enumerate(nights)
    )
    return DriftReport(nights=found, fired_nights=sum(bool(night.drifted) for night in found), adjusted=adjusted)


CALM, GUST, SLEET = column("wind", 0.02), column("wind", 0.12, drifted=True), column("precip", 0.3, drifted=True)


def evidence(
    *,
    performance: PerformanceReport | None = None,
    drift: DriftReport | None = None,
    request: Request | None = None,
    past: dict[str, Any] | None = None,
    settings: dict[str, dict[str, Any]] | None = None,
) -> Evidence:
    """What the triggers see, with the seed's settings changed in some places."""
    changed = {name: getattr(SEED.triggers, name).model_copy(update=new) for name, new in (settings or {}).items()}
    config: ModelConfig = SEED.model_copy(update={"triggers": SEED.triggers.model_copy(update=changed)})
    return Evidence(config, AS_OF, PAST.model_copy(update=past or {}), performance, drift, request)


FIRING = {
    "performance": evidence(performance=scored(value=0.8, low=0.8, high=0.8)),
    "drift": evidence(drift=moved([GUST])),
    "age": evidence(past={"champion_trained": AS_OF - 8 * DAY}),
    "manual": evidence(request=Request(reason="new airport", force=False)),
}
QUIET = {
    "performance": evidence(performance=scored()),
    "drift": evidence(drift=moved([CALM])),
    "age": evidence(),
    "manual": evidence(),
}
CANNOT = {
    "performance": evidence(performance=scored(labels=99)),
    "drift": evidence(drift=moved([])),
    "age": evidence(past={"champion_trained": None}),
}
NOTHING = evidence(past={"champion": None, "champion_trained": None})


def is_sound(reading: Reading) -> bool:
    """A sentence on one line that ends, and values only where something was judged."""
    whole = re.fullmatch(r"[A-Z0-9][^\n]*[.…!?]", reading.sentence) is not None
    return whole and (reading.state != "cannot_judge" or (reading.value, reading.limit) == (None, None))


@pytest.mark.parametrize("name", TRIGGERS)
def test_all_triggers_have_one_face(name: str) -> None:
    """Each fires, stays quiet and says that it cannot judge on data made for it; never raises; and is sound."""
    trigger = TRIGGERS[name]  # type: ignore[index]
    for state, made in (("fired", FIRING), ("quiet", QUIET), ("cannot_judge", CANNOT)):
        if name in made:
            reading = trigger(made[name])
            assert (name, state) == (reading.trigger, reading.state)
            assert is_sound(reading)
            assert reading == trigger(made[name])
            assert reading == Reading.from_json(reading.to_json())
    for other in (*FIRING.values(), *QUIET.values(), *CANNOT.values(), NOTHING):
        assert is_sound(trigger(other))


@pytest.mark.parametrize("name", ["performance", "drift", "age"])
def test_a_disabled_trigger_is_quiet_whatever_happens(name: str) -> None:
    """It is replaced by one that is switched off, and the others go on."""
    on, off = FIRING[name], evidence(settings={name: {"enabled": False}})
    off = Evidence(off.config, on.as_of, on.past, on.performance, on.drift, on.request)

    assert ["fired"] == [reading.state for reading in read_all(on) if reading.trigger == name]
    assert [("quiet", "Switched off.")] == [(r.state, r.sentence) for r in read_all(off) if r.trigger == name]
    assert list(TRIGGERS) == [reading.trigger for reading in read_all(off)]
    assert is_sound(switched_off("drift")(NOTHING))


@pytest.mark.parametrize(
    ("high", "state"), [(0.8499999, "fired"), (0.85, "quiet"), (0.8500001, "quiet")], ids=["under", "at", "over"]
)
def test_performance_fires_under_the_limit_and_not_at_it(high: float, state: str) -> None:
    """It is the upper bound that has to be under the limit: what is not sure does not fire."""
    reading = rules.performance(evidence(performance=scored(value=0.8, low=0.7, high=high)))

    assert (state, 0.8, 0.85) == (reading.state, reading.value, reading.limit)


def test_performance_says_all_that_a_reviewer_needs() -> None:
    """Value, labels, days, how sure, and where the limit comes from, with digits that show the difference."""
    sure = {"performance": {"confidence": 0.95}}
    report = scored(metric="balanced_accuracy", value=0.571, low=0.5, high=0.598, floor=0.6, limit=0.6)
    close = scored(value=0.59991, low=0.5, high=0.59995, floor=0.5, limit=0.6, reference=0.65)
    roc = scored(metric="roc_auc")
    low = scored(floor=0.85, limit=0.85, reference=0.87)

    assert (
        "Balanced accuracy is 0.571 on 1,312 labels from 24 Feb to 2 Mar 2013 (with 95% confidence, at most 0.598); "
        "limit 0.600 (the floor)." == rules.performance(evidence(performance=report, settings=sure)).sentence
    )
    assert (
        "Accuracy is 0.59991 on 1,312 labels from 24 Feb to 2 Mar 2013 (with 95% confidence, at most 0.59995); "
        "limit 0.60000 (the reference score 0.650 minus 0.050)."
        == rules.performance(evidence(performance=close, settings=sure)).sentence
    )
    assert (
        "ROC AUC is 0.900 on 1,312 labels from 24 Feb to 2 Mar 2013; limit 0.850 (the floor)."
        == rules.performance(evidence(performance=roc)).sentence
    )
    assert rules.performance(evidence(performance=low)).sentence.endswith("limit 0.850 (the floor).")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (None, "The scores of the window were not counted."),
        (scored(rows=0, labels=0, value=None), "No usable row from 24 Feb to 2 Mar 2013 was scored by version 3."),
        (
            scored(labels=0, value=None),
            "Only 0 of 1,400 scored rows from 24 Feb to 2 Mar 2013 have a label; 100 are needed.",
        ),
        (scored(labels=99), "Only 99 of 1,400 scored rows from 24 Feb to 2 Mar 2013 have a label; 100 are needed."),
        (
            scored(metric="roc_auc", positives=0, value=None, low=None, high=None),
            "ROC AUC is undefined on 1,312 labels from 24 Feb to 2 Mar 2013, 0 of them 1.",
        ),
        (
            scored(low=None, high=None),
            (
                "Accuracy has no bounds on 1,312 labels from 24 Feb to 2 Mar 2013, 300 of them 1; 10 rows of the "
                "rarer label are needed."
            ),
        ),
    ],
    ids=["no report", "no rows", "no labels", "few labels", "one class", "no bound"],
)
def test_performance_says_what_is_missing(report: PerformanceReport | None, said: str) -> None:
    """What it cannot judge it does not judge, and the sentence has the numbers."""
    reading = rules.performance(evidence(performance=report))

    assert ("cannot_judge", said) == (reading.state, reading.sentence)


def test_as_many_labels_as_needed_are_enough() -> None:
    """99 are too few, 100 are not."""
    assert "quiet" == rules.performance(evidence(performance=scored(labels=100))).state


TWO_OF_THREE = {"drift": {"nights": (2, 3)}}


@pytest.mark.parametrize(
    ("nights", "state", "value"),
    [
        ([[CALM], [CALM], [CALM]], "quiet", 0),
        ([[CALM], [CALM], [GUST]], "quiet", 1),
        ([[CALM], [GUST], [GUST]], "fired", 2),
        ([[GUST], [CALM], [GUST]], "fired", 2),
        ([[GUST], [GUST], [CALM]], "fired", 2),
        ([[GUST], [], [GUST]], "fired", 2),
        ([[GUST], [GUST], []], "cannot_judge", None),
    ],
)
def test_drift_fires_on_k_of_the_last_n_nights(
    nights: list[list[ColumnDrift]], state: str, value: float | None
) -> None:
    """Two of three nights, in any order; a night without enough rows counts as calm, but not tonight."""
    reading = rules.drift(evidence(drift=moved(*nights), settings=TWO_OF_THREE))

    assert (state, value) == (reading.state, reading.value)
    assert (None if value is None else 2) == reading.limit


@pytest.mark.parametrize(
    ("tonight", "needed", "state"),
    [
        ([GUST, column("temp", 0.01)], 2, "quiet"),
        ([GUST, SLEET], 2, "fired"),
        ([GUST, column("temp", 0.6, drifted=True, ignored=True)], 2, "quiet"),
        ([column("temp", 0.6, drifted=True, ignored=True)], 1, "quiet"),
    ],
    ids=["one", "two", "one and an ignored one", "an ignored one"],
)
def test_drift_needs_enough_columns_and_ignored_ones_never_count(
    tonight: list[ColumnDrift], needed: int, state: str
) -> None:
    """A night counts when `min_columns` columns drifted that are not ignored."""
    assert state == rules.drift(evidence(drift=moved(tonight), settings={"drift": {"min_columns": needed}})).state


def test_drift_names_the_columns_with_their_distance() -> None:
    """Those that moved most come first, each with its newest distance; the others are counted."""
    many = [column(f"c{i}", 0.1 + i / 100, drifted=True) for i in range(8)]
    for made, said in (
        (
            moved([CALM], [column("wind", 0.4, drifted=True)], [GUST, SLEET]),
            "2 of the last 3 nights (limit: 2 of 3): precip (0.300), wind (0.120).",
        ),
        (moved([CALM], [CALM], [GUST]), "Drifted on 1 of the last 3 nights (limit: 2 of 3): wind (0.120)."),
        (moved(many, adjusted=False), "c7 (0.170), c6 (0.160), c5 (0.150), c4 (0.140), c3 (0.130) and 3 more."),
        (
            moved([CALM, column("dest", 0.03)]),
            "No drift from 5 Mar to 11 Mar 2013: of 2 columns, dest changed most (0.030).",
        ),
        (moved([column("dest", 0.03, ignored=True)]), "No drift from 5 Mar to 11 Mar 2013: all columns are ignored."),
        (moved([]), "Only 12 usable rows from 5 Mar to 11 Mar 2013; 200 are needed."),
        (None, "There is no baseline of the model in service to compare with."),
    ):
        assert said in rules.drift(evidence(drift=made, settings=TWO_OF_THREE)).sentence


def test_drift_by_nulls_says_how_many_are_missing() -> None:
    """A column whose nulls drifted is named with their share, because its distance alone would look like no drift."""
    tenure = column("tenure", 0.04, drifted=True).model_copy(
        update={"null_drifted": True, "null_baseline": 0.096, "null_window": 0.0}
    )
    for tonight, needed in (([tenure], 1), ([tenure, CALM], 2)):
        reading = rules.drift(evidence(drift=moved(tonight), settings={"drift": {"min_columns": needed}}))
        assert "tenure (0.040, missing in 0.0% instead of 9.6%)" in reading.sentence


def test_drift_names_columns_that_are_too_few() -> None:
    """One column that drifted where two are needed is no drift, and is told all the same."""
    reading = rules.drift(evidence(drift=moved([GUST, CALM]), settings={"drift": {"min_columns": 2}}))

    assert "No drift from 5 Mar to 11 Mar 2013: wind (0.120), fewer than 2 columns." == reading.sentence


@pytest.mark.parametrize(("rule", "said"), [("nights", True), ("plain", False)])
def test_drift_says_when_nights_were_not_accounted_for(rule: str, said: bool) -> None:
    """Too few baseline days for our rule is told; the plain rule never claims to adjust."""
    made = evidence(drift=moved([GUST], adjusted=False), settings={"drift": {"rule": rule}})

    assert said == rules.drift(made).sentence.endswith(". P-values are not adjusted for the variation between days.")


@pytest.mark.parametrize(
    ("trained", "state", "said"),
    [
        (AS_OF - 7 * DAY, "fired", "Version 3 was trained 7.0 days ago; limit 7.0 days."),
        (AS_OF - 7 * DAY + dt.timedelta(minutes=1), "quiet", "Version 3 was trained 6.999 days ago; limit 7.000 days."),
        (AS_OF, "quiet", "Version 3 was trained 0.0 days ago; limit 7.0 days."),
        (AS_OF + DAY, "cannot_judge", "Version 3 was trained on 13 Mar 2013, after the night of this run."),
        (None, "cannot_judge", "The training date of version 3 is unknown."),
    ],
)
def test_age_fires_at_its_limit_and_not_before(trained: dt.datetime | None, state: str, said: str) -> None:
    """Seven days ago fires; a minute later does not."""
    reading = rules.age(evidence(past={"champion_trained": trained}))

    assert (state, said) == (reading.state, reading.sentence)
    days = None if state == "cannot_judge" else (AS_OF - trained) / DAY  # type: ignore[operator]
    assert (days, None if days is None else 7.0) == (reading.value, reading.limit)


def test_a_request_is_quoted_on_one_line() -> None:
    """What a person types may hold lines, or nothing; it stays one short sentence, with one end."""
    for reason, said in (
        ("new airport", "Requested by a person: new airport."),
        (" two\nlines ", "Requested by a person: two lines."),
        ("", "Requested by a person: no reason given."),
        ("Done.", "Requested by a person: Done."),
        ("Now!", "Requested by a person: Now!"),
        ("Why not?", "Requested by a person: Why not?"),
        ("and so on…", "Requested by a person: and so on…"),
        ("a " * 149 + "bb", f"Requested by a person: {'a ' * 149}bb."),
        ("a " * 150 + "b", f"Requested by a person: {'a ' * 149}a…"),
    ):
        assert said == rules.manual(evidence(request=Request(reason=reason, force=False))).sentence
    assert "No retraining was requested." == rules.manual(evidence()).sentence


def test_an_error_is_told_in_its_own_unit() -> None:
    """Four digits in all, of limits and drops too; without a metric the labels that are 1 are told of binary models."""
    values = {"metric": "neg_mean_absolute_error", "positives": None, "reference": -1012.0, "limit": -1062.0}
    fallen = scored(**values, value=-1234.5, low=-1300.0, high=-1100.0, floor=-2000.0)
    small = scored(
        **values | {"reference": None, "limit": -0.01}, value=-0.0123456, low=-0.02, high=-0.011, floor=-0.01
    )
    none = scored(**values, value=None, low=None, high=None, floor=-2000.0)

    assert (
        "Mean absolute error (negated) is -1,234 on 1,312 labels from 24 Feb to 2 Mar 2013 "
        "(with 95% confidence, at most -1,100); "
        "limit -1,062 (the reference score -1,012 minus 50.0)."
    ) == rules.performance(evidence(performance=fallen, settings={"performance": {"confidence": 0.95}})).sentence
    assert "-0.01235 on" in rules.performance(evidence(performance=small)).sentence
    assert (
        "Mean absolute error (negated) is undefined on 1,312 labels from 24 Feb to 2 Mar 2013."
        == rules.performance(evidence(performance=none)).sentence
    )
