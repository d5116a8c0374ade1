"""A replay decides what the nightly commands decide: played side by side on the same flights, night by night."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitoring.triggers.decision import Decision
from scripts.demo.reviewer import Reviewer
from scripts.demo.world import World
from scripts.replay.command import prepare
from scripts.replay.source import ReplayTable
from scripts.replay.span import span
from stages.check import decide_retraining
from stages.promote import promote_declared
from stages.propose import propose_candidate
from stages.pull import count_window
from stages.replay.policies import policies
from stages.replay.replay import NightOutcome
from stages.train import train_candidate
from stages.validate import validate_candidate
from tests.place import FIRST, FLIGHTS, Place
from training import features, score
from training.gates.validate import Verdict

DAY = dt.timedelta(days=1)
LAST = FIRST + 30 * DAY
# Alarms of every kind, trainings that are held back, refused and promoted within a month; a test below sees to it.
SETTINGS = {
    "floor = 0.55 ": "floor = 0.66 ",
    "max_drop = 0.10": "max_drop = 0.30",
    "window_days = 14 ": "window_days = 5 ",
    "min_labels = 1000": "min_labels = 300",
    "confidence = 0.95\n\n[triggers.drift]": 'confidence = 0.6\n\n[triggers.drift]\nrule = "plain"',
    "min_columns = 2": "min_columns = 3",
    'ignore = ["temp", "humid", "pressure"]': "ignore = []",
    "max_days = 30": "max_days = 8",
    "cooldown_days = 21": "cooldown_days = 4",
    "max_loss_to_champion = 0.025": "max_loss_to_champion = 0.0165",
}
REVIEW_DAYS = 1
# The labels of one airline come three days later than maturity_days allows for: what is known depends on the night.
LATE = (
    "UPDATE predictions SET labelled_at = strftime('%Y-%m-%dT%H:%M:%SZ', labelled_at, '+3 days') "
    "WHERE carrier = 'UA' AND labelled_at = strftime('%Y-%m-%dT%H:%M:%SZ', timestamp, '+2 days')"
)


@dataclass
class Lived:
    """One night of the nightly commands."""

    decision: Decision
    verdict: Verdict | None = None
    promoted: int | None = None


class Nightly:
    """The nightly commands, the service and the reviewer, night after night."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.night = place.night(FIRST)
        self.person = Reviewer(self.night)
        self.world = World(FLIGHTS, place.database, self.night.config.data)
        self.open: dt.date | None = None

    def live(self, date: dt.date) -> Lived:
        """A night, the merge that is due after it, and the day that follows."""
        self.night = self.person.night = night = self.night.at(dt.datetime.combine(date, dt.time(), dt.UTC))
        self.world.labels_arrive(date, days=3)
        self.place.sql(LATE)
        lived = Lived(decide_retraining(night, count_window(night)))
        if lived.decision.retrain:
            lived.verdict = validate_candidate(night, train_candidate(night, lived.decision))
            if propose_candidate(night, lived.verdict):
                self.open = date
        if self.open and date >= self.open + REVIEW_DAYS * DAY:
            self.person.merge()
            lived.promoted = promote_declared(night)["version"]
            self.open = None
        self.serve(date)
        return lived

    def serve(self, date: dt.date) -> None:
        """The flights of the date are scored and logged; without a model they are only logged."""
        night = self.night.at(self.night.as_of)
        flights, champion = self.world.of_day(date), night.champion
        if champion is None:
            self.world._insert(flights, None, None)
            return
        model = night.registry.load(champion)
        self.world.serve(date, champion.version, score(model, features(flights, night.config.data)))


def lively(folder: Path) -> None:
    """Set the config of the model in `folder` so that much happens."""
    path = folder / "model" / "flights" / "model.toml"
    text = path.read_text()
    for old, new in SETTINGS.items():
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> tuple[Place, list[Lived]]:
    """A month of the real commands: the place that they leave behind, and what they decided."""
    place = Place.make(tmp_path_factory.mktemp("lived") / "repo", store=mlflow_store)
    lively(place.folder)
    nightly = Nightly(place)
    return place, [nightly.live(FIRST + n * DAY) for n in range((LAST - FIRST).days + 1)]


def replayed(
    place: Place, *, names: Sequence[str] = ("default",), until: dt.date = LAST
) -> tuple[list[tuple[NightOutcome, ...]], int]:
    """The same nights from a replay, and how many models were fitted for them."""
    night = place.night(FIRST)
    table = ReplayTable(night.settings, night.config, None, None)
    chosen = policies(names, table.config)
    rows, first, last = span(table, [one.config for one in chosen], None, until)
    assert FIRST == first
    replay = prepare(night, table, rows, chosen, REVIEW_DAYS)
    return list(replay.nights(first, last)), len(replay.shared)


def decided(decision: Decision | None) -> Any:
    """A decision, without the address of an open proposal, which only a forge has."""
    assert decision is not None
    held = tuple("A proposal is open" if "proposal" in said else said for said in decision.held_back_by)
    return decision.model_copy(update={"held_back_by": held})


def judged(verdict: Verdict | None) -> Any:
    """A verdict, without ids of MLflow, what is measured on the machine, and the decision, which is compared apart."""
    if verdict is None:
        return None
    keep = {"version", "training_key", "data_digest", "fit_from", "fit_until", "data_until", "quality"}
    return (
        verdict.candidate.model_dump(include=keep),
        [gate for gate in verdict.gates if gate.name not in {"latency", "size"}],
        verdict.model_dump(exclude={"candidate", "gates", "latency_p95_ms", "size_mb"}),
    )


def test_a_replay_decides_what_the_nightly_commands_decided(lived: tuple[Place, list[Lived]]) -> None:
    """Every reading, report, reason, verdict and promotion of every night is the same."""
    place, nights = lived
    again, _ = replayed(place)

    assert len(nights) == len(again)
    for real, (played,) in zip(nights, again, strict=True):
        assert decided(real.decision) == decided(played.decision)
        assert judged(real.verdict) == judged(played.verdict)
        assert real.promoted == played.promoted


def test_the_nights_compared_hold_all_that_can_happen(lived: tuple[Place, list[Lived]]) -> None:
    """The equality above says something: every trigger fires, and trainings are held back, refused and promoted."""
    _, nights = lived
    fired = {r.trigger for real in nights for r in real.decision.readings if r.state == "fired"}

    assert {"performance", "drift", "age"} == fired
    assert any(real.decision.held_back_by for real in nights)
    assert {True, False} == {real.verdict.passed for real in nights if real.verdict}
    assert sum(real.promoted is not None for real in nights) > 1


def test_policies_share_work_and_nothing_else(lived: tuple[Place, list[Lived]], tmp_path: Path) -> None:
    """Beside another policy each one does what it does alone; what both train on the same rows is fitted once."""
    place, _ = lived
    same = tmp_path / "same.toml"
    same.write_text("[gates]\nmax_size_mb = 9\n")
    until = FIRST + 15 * DAY
    alone = {name: replayed(place, names=[name], until=until) for name in ("default", "weekly")}
    beside, fits = replayed(place, names=["default", "weekly", str(same)], until=until)

    for number, (own, weekly, copied) in enumerate(beside):
        for name, played in (("default", own), ("weekly", weekly), ("default", copied)):
            (before,) = alone[name][0][number]
            assert before.decision == played.decision
            assert judged(before.verdict) == judged(played.verdict)
            assert before.promoted == played.promoted
            assert before.outcome == played.outcome
    assert fits < alone["default"][1] + alone["weekly"][1]
