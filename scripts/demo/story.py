"""Tell the demo: what happens on which night, in the words of the commands themselves."""

from __future__ import annotations

import datetime as dt
import gc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scripts.check
import scripts.promote
import scripts.propose
import scripts.train
import scripts.validate
from core import wording
from core.days import DAY, midnight
from core.errors import DataError
from scripts.cli import output
from scripts.demo.reviewer import Reviewer
from scripts.demo.world import FIRST_NIGHT, LAST_NIGHT, World
from stages import check, promote, propose, pull, train, validate
from stages.context import Night
from training import features, score

if TYPE_CHECKING:
    from monitoring.triggers import Decision, Request
    from review.forge import Proposal
    from training.gates import Verdict

SPOILED = dt.date(2013, 9, 17)
REVERTED = dt.date(2013, 9, 20)


class Story:
    """The year: a world that goes on, the commands that run every night, and a person who merges and reverts.

    Args:
        night: the model; its clock is moved on night by night.
        flights: the file with the flights of the year.
    """

    def __init__(self, night: Night, flights: Path) -> None:
        self.night = night
        self.person = Reviewer(night)
        self.counts: Counter[str] = Counter()
        self.merges: list[str] = []
        self.calm: list[Decision] = []
        self.models: dict[int, Any] = {}
        self.refused: list[int] = []
        self.person.start()
        database = night.settings.root / night.settings.source(night.config)
        database.parent.mkdir(exist_ok=True)
        self.world = World(flights, database, night.config.data)
        self.world.history(FIRST_NIGHT)

    def play(self, last: dt.date) -> None:
        """Go through the nights, from the first model to the last night."""
        chapter("The first model, from January and February")
        self.one_night()
        gc.freeze()  # what the libraries loaded stays; to look through it again and again costs a tenth of the time
        chapter("Nights go by; quiet ones are summed up")
        days = [FIRST_NIGHT + n * DAY for n in range(1, (min(last, LAST_NIGHT) - FIRST_NIGHT).days + 1)]
        with output.progress(len(days), "nights") as step:
            for day in days:
                self.morning(day)
                self.one_night()
                if day == SPOILED:
                    self.spoiled_labels()
                if day == REVERTED:
                    self.revert_and_back()
                step(f"night of {day}")
        self.tell_calm()

    def morning(self, day: dt.date) -> None:
        """Yesterday's flights are scored by the model in service and logged; older ones get their labels."""
        self.night = self.person.night = self.night.at(midnight(day))
        champion = self.night.champion
        if champion is None:
            raise AssertionError("a promoted model is never taken away")
        flights = self.world.of_day(day - DAY)
        self.world.serve(day - DAY, champion.version, self.score(champion.version, flights))
        self.world.labels_arrive(day, days=1)

    def score(self, version: int, flights: Any) -> Any:
        """What a version says about flights; loaded once, as a service would."""
        if version not in self.models:
            known = self.night.registry.versions(self.night.config.registry_name)
            self.models[version] = self.night.registry.load(known[version])
        return score(self.models[version], features(flights, self.night.config.data))

    def one_night(self, night: Night | None = None, request: Request | None = None) -> None:
        """What the workflow runs every night: pull, check and, where a trigger fired, train, validate, propose."""
        night = night or self.night
        self.counts["nights"] += request is None
        try:
            with night.stage("pull"):
                window = pull.run(night)
                pull.stop_if_broken(night, window)
        except DataError as err:
            self.stopped(err)
            return
        with night.stage("check"):
            decision = check.run(night, window, request)
        self.counts.update(f"alarm {r.trigger}" for r in decision.readings if r.state == "fired")
        if decision.retrain:
            self.tell_calm()
            # The first retrainings are shown command by command, the later ones in three lines.
            self.retrain(night, decision, whole=request is not None or len(self.merges) < 2)  # noqa: PLR2004
        else:
            self.calm.append(decision)

    def retrain(self, night: Night, decision: Decision, *, whole: bool) -> None:
        """Train, validate, and propose; the person merges what passed, and the merge promotes."""
        self.counts["retrains"] += 1
        command("check", scripts.check.lines(decision), whole=whole)
        with night.stage("train"):
            candidate = train.run(night, decision)
        command("train", scripts.train.lines(candidate), whole=whole)
        with night.stage("validate"):
            verdict = validate.run(night, candidate)
        command("validate", scripts.validate.lines(verdict), whole=whole)
        with night.stage("propose"):
            proposal = propose.run(night, verdict)
        if not whole:
            retraining(verdict, proposal)
        if proposal is None:
            self.counts["refusals"] += 1
            self.refused.append(candidate.version)
            return
        command("propose", scripts.propose.lines(night, proposal), whole=whole)
        if len(self.merges) == 1:
            pull_request(verdict.candidate.version, proposal.body)
        self.merges.append(self.person.merge())
        if whole:
            output.say("[bold]The reviewer merges it, and the workflow promotes.[/]")
        self.promote("promotions", whole=whole)

    def promote(self, kind: str, *, whole: bool = True) -> None:
        """Run mlops promote for the merged state."""
        with self.night.stage("promote"):
            result = promote.run(self.night)
        self.counts[kind] += 1
        command("promote", scripts.promote.lines(result), whole=whole)

    def spoiled_labels(self) -> None:
        """Somebody rebuilds the labels wrongly and asks for a retraining."""
        from monitoring.triggers import Request

        self.tell_calm()
        chapter("A candidate trained on spoiled labels")
        training = self.night.config.training
        before = self.night.watermark - round(training.window_days * training.holdout) * DAY
        copy = self.night.settings.local / "spoiled.db"
        self.world.spoil(copy, before)
        night = self.night.at(self.night.as_of, monitoring_url=str(copy))
        output.say("The old labels were rebuilt with a wrong join, and somebody asks for a retraining by hand.")
        self.one_night(night, Request(reason="labels rebuilt", force=True))
        self.promote("unchanged")

    def revert_and_back(self) -> None:
        """A person reverts the last promotion at 3 a.m., and reverts the revert in the morning."""
        self.tell_calm()
        chapter("git revert of the promotion, and back")
        output.say(f"[bold]$ git revert --mainline 1 {self.merges[-1][:10]}[/]")
        undone = self.person.revert(self.merges[-1])
        self.promote("rollbacks")
        output.say(f"[bold]$ git revert {undone[:10]}[/]")
        self.person.revert(undone)
        self.promote("re-promotions")

    def stopped(self, err: DataError) -> None:
        """The night ends because the data is broken."""
        self.tell_calm()
        chapter(f"The night of {self.night.as_of:%Y-%m-%d}: broken data")
        output.say("[bold]$ mlops pull[/]", *output.told(err), f"exit code {err.exit_code}; Production is as it was.")
        self.counts["stopped"] += 1

    def scores(self) -> tuple[float, float]:
        """The trigger's metric over all flights: as served, and had the first model stayed."""
        from monitoring.tasks import task_of

        config = self.night.config
        metric, task = config.triggers.performance.metric, task_of(config)
        flights, served = self.world.outcome()
        labels = flights["target"].astype(int).to_numpy()
        both = served.to_numpy(), self.score(1, flights)
        ours, never = (float(task.evaluate(metric, task.counted(labels, said))) for said in both)
        return ours, never

    def tell_calm(self) -> None:
        """One line for the quiet nights since the last event."""
        if self.calm:
            quiet_nights(self.calm, self.night.config.triggers.performance.metric)
        self.calm.clear()


def chapter(title: str) -> None:
    """A heading of the story."""
    output.say("", f"[bold cyan]{title}[/]")


def command(name: str, lines: Sequence[str], *, whole: bool) -> None:
    """A command as it was typed, and what it said; nothing where the story is told in short."""
    if whole:
        output.say(f"[bold]$ mlops {name}[/]", *lines)


def retraining(verdict: Verdict, proposal: Proposal | None) -> None:
    """A retraining in three lines: why, how the candidate did, and what became of it."""
    candidate, compared = verdict.candidate, verdict.comparison
    output.say(f"[bold]{verdict.as_of:%d %b}[/] {output.clean(' '.join(candidate.decision.reasons))}")
    if compared:
        metric = compared.metric
        ours, theirs = (wording.figure(metric, one) for one in (compared.challenger_value, compared.champion_value))
        difference, low = (wording.change(metric, one) for one in (compared.difference, compared.low))
        scores = f"{wording.metric(metric)} {ours}, version {compared.champion} has {theirs}"
        judged = f"{scores} ({difference}, surely over {low}) on {compared.rows:,} later rows"
        output.say(f"       version {candidate.version}: {judged}")
    if proposal:
        output.say(f"       [green]passed[/], pull request {proposal.number}, merged, in Production")
    else:
        refused = [f"{gate.name}: {gate.sentence}" for gate in verdict.gates if gate.state != "passes"]
        output.say(f"       [red]refused[/] by {output.clean(' '.join(refused))}")


def quiet_nights(nights: Sequence[Decision], metric: str) -> None:
    """How many nights nothing was done on, and how the model did meanwhile."""
    first, last = nights[0].as_of, nights[-1].as_of
    judged = [r.value for night in nights for r in night.readings if r.trigger == "performance"]
    scores = [value for value in judged if value is not None]
    told = "too few labels to judge"
    if scores:
        lowest, highest = (wording.figure(metric, end) for end in (min(scores), max(scores)))
        told = f"{wording.metric(metric)} {lowest} to {highest}"
    held = [night.held_back_by[0] for night in nights if night.held_back_by]
    note = f"; {len(held)} with an alarm that had to wait: {held[-1]}" if held else ""
    span = f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"
    output.say(f"{span}: {len(nights)} quiet, {told}{note}", style="dim")


def pull_request(version: int, body: str) -> None:
    """The pull request as its reviewer reads it."""
    from rich.markdown import Markdown
    from rich.panel import Panel

    title = f"pull request for version {version}, as the reviewer reads it"
    output.console().print(Panel(Markdown(body), title=title, border_style="dim"))
