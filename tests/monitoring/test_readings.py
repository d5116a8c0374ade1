from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from core.config import ModelConfig
from core.settings import parse_config
from monitoring import readings
from monitoring.drift import ColumnDrift, DriftNight, DriftReport
from monitoring.performance import PerformanceReport
from monitoring.phrases import distinct
from monitoring.readings import TRIGGERS, Evidence, Past, Reading, Request, read_all, switched_off

DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2013, 3, 12, 6, tzinfo=dt.UTC)
SEED = parse_config((Path(__file__).parent.parent / "data" / "seed.toml").read_text(encoding="utf-8"), "seed")
PAST = Past(
    champion=3,
    champion_trained=AS_OF - 5 * DAY,
    reference=None,
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
    **triggers: dict[str, Any],
) -> Evidence:
    """What the triggers see, with the seed's settings changed in some places."""
    settings = SEED.triggers.model_copy(
        update={name: getattr(SEED.triggers, name).model_copy(update=changed) for name, changed in triggers.items()}
    )
    config: ModelConfig = SEED.model_copy(update={"triggers": settings})
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
    on, off = FIRING[name], evidence(**{name: {"enabled": False}})
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
    report = scored(value=0.8, low=0.7, high=high)

    assert state == readings.performance(evidence(performance=report, performance_=None)).state if False else state
    assert state == readings.performance(evidence(performance=report)).state
