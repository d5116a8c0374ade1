"""The story of the demo: what happens on which day, in the output of the commands."""

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
from stages.check import decide_retraining
from stages.context import Night
from stages.promote import promote_declared
from stages.propose import propose_candidate
from stages.pull import pulled
from stages.train import train_candidate
from stages.validate import validate_candidate
from training import features, score

if TYPE_CHECKING:
    from monitoring.triggers import Decision, Request
    from review.forge import Proposal
    from training.gates import Verdict

CORRUPTED = dt.date(2013, 9, 17)
REVERTED = dt.date(2013, 9, 20)


class Story:
    """A year of flights, with the nightly commands, and a reviewer who merges and reverts.

    Args:
        night: the model on the first day; the story moves its clock.
        flights: the file with the flights of the year.
    """

    def __init__(self, night: Night, flights: Path) -> None:
        self.night = night
        self.reviewer = Reviewer(night)
        self.counts: Counter[str] = Counter()
        self.merges: list[str] = []
        self.quiet: list[Decision] = []
        self.models: dict[int, Any] = {}
        self.refused: list[int] = []
        self.reviewer.start()
        database = night.settings.root / night.settings.source(night.config)
        database.parent.mkdir(exist_ok=True)
        self.world = World(flights, database, night.config.data)
        self.world.history(FIRST_NIGHT)

    def play(self, last: dt.date) -> None:
        """Play all days, from the first model to `last`."""
        chapter("The first model, from January and February")
        self.nightly_run()
        gc.freeze()  # else the garbage collector searches the loaded libraries again and again, a tenth of the time
        chapter("The nightly runs of a year (quiet runs are summed up)")
        days = [FIRST_NIGHT + n * DAY for n in range(1, (min(last, LAST_NIGHT) - FIRST_NIGHT).days + 1)]
        with output.progress(len(days), "nightly runs") as step:
            for day in days:
                self.serve(day)
                self.nightly_run()
                if day == CORRUPTED:
                    self.corrupted_labels()
                if day == REVERTED:
                    self.revert_and_back()
                step(f"run of {day}")
        self.print_quiet()

    def serve(self, day: dt.date) -> None:
        """Score the flights of the day before with the version in Production, and write the labels that are due."""
        self.night = self.reviewer.night = self.night.at(midnight(day))
        champion = self.night.champion
        if champion is None:
            raise AssertionError("no version is in Production")
        flights = self.world.of_day(day - DAY)
        self.world.serve(day - DAY, champion.version, self.score(champion.version, flights))
        self.world.labels_arrive(day, days=1)

    def score(self, version: int, flights: Any) -> Any:
        """Return the scores of a version; it is loaded once, as in a service."""
        if version not in self.models:
            versions = self.night.registry.versions(self.night.config.registry_name)
            self.models[version] = self.night.registry.load(versions[version])
        return score(self.models[version], features(flights, self.night.config.data))

    def nightly_run(self, night: Night | None = None, request: Request | None = None) -> None:
        """Run what the workflow runs: pull, check and, if a trigger fires, train, validate and propose."""
        night = night or self.night
        self.counts["nights"] += request is None
        try:
            with pulled(night) as window:
                pass
        except DataError as err:
            self.stopped(err)
            return
        with night.stage("check"):
            decision = decide_retraining(night, window, request)
        self.counts.update(f"fired {r.trigger}" for r in decision.readings if r.state == "fired")
        if decision.retrain:
            self.print_quiet()
            # The first two trainings are shown command by command, the later ones in three lines.
            self.retrain(night, decision, detailed=request is not None or len(self.merges) < 2)  # noqa: PLR2004
        else:
            self.quiet.append(decision)

    def retrain(self, night: Night, decision: Decision, *, detailed: bool) -> None:
        """Train, validate and propose. The reviewer merges a candidate that passed, and the merge promotes it."""
        self.counts["retrains"] += 1
        command("check", scripts.check.lines(decision), detailed=detailed)
        with night.stage("train"):
            candidate = train_candidate(night, decision)
        command("train", scripts.train.lines(candidate), detailed=detailed)
        with night.stage("validate"):
            verdict = validate_candidate(night, candidate)
        command("validate", scripts.validate.lines(verdict), detailed=detailed)
        with night.stage("propose"):
            proposal = propose_candidate(night, verdict)
        if not detailed:
            short_retraining(verdict, proposal)
        if proposal is None:
            self.counts["refusals"] += 1
            self.refused.append(candidate.version)
            return
        command("propose", scripts.propose.lines(night, proposal), detailed=detailed)
        if len(self.merges) == 1:
            pull_request(verdict.candidate.version, proposal.body)
        self.merges.append(self.reviewer.merge())
        if detailed:
            output.say("[bold]The reviewer merges the pull request, and the workflow promotes the version.[/]")
        self.promote("promotions", detailed=detailed)

    def promote(self, kind: str, *, detailed: bool = True) -> None:
        """Run mlops promote, and print its result."""
        with self.night.stage("promote"):
            result = promote_declared(self.night)
        self.counts[kind] += 1
        command("promote", scripts.promote.lines(result), detailed=detailed)

    def corrupted_labels(self) -> None:
        """Request a retraining on a copy of the table with corrupted labels."""
        from monitoring.triggers import Request

        self.print_quiet()
        chapter("A candidate trained on corrupted labels")
        training = self.night.config.training
        before = self.night.watermark - round(training.window_days * training.holdout) * DAY
        copy = self.night.settings.local / "corrupted.db"
        self.world.corrupt_labels(copy, before)
        night = self.night.at(self.night.as_of, monitoring_url=str(copy))
        output.say("A wrong join corrupted the older labels, and a colleague requests a retraining by hand.")
        self.nightly_run(night, Request(reason="labels rebuilt", force=True))
        self.promote("unchanged")

    def revert_and_back(self) -> None:
        """Revert the last promotion, and then revert the revert."""
        self.print_quiet()
        chapter("Roll back with git revert, and forward again")
        output.say(f"[bold]$ git revert --mainline 1 {self.merges[-1][:10]}[/]")
        revert = self.reviewer.revert(self.merges[-1])
        self.promote("rollbacks")
        output.say(f"[bold]$ git revert {revert[:10]}[/]")
        self.reviewer.revert(revert)
        self.promote("re-promotions")

    def stopped(self, err: DataError) -> None:
        """Print the error of a run that broken data stopped."""
        self.print_quiet()
        chapter(f"The nightly run of {self.night.as_of:%Y-%m-%d}: broken data")
        output.say("[bold]$ mlops pull[/]", *output.error_lines(err), f"exit code {err.exit_code}")
        self.counts["stopped"] += 1

    def scores(self) -> tuple[float, float]:
        """Return the metric over all flights: as served, and of the first model for the whole year."""
        from monitoring.tasks import task_of

        config = self.night.config
        metric, task = config.triggers.performance.metric, task_of(config)
        flights, served = self.world.outcome()
        labels = flights["target"].astype(int).to_numpy()
        both = served.to_numpy(), self.score(1, flights)
        retrained, never = (float(task.evaluate(metric, task.counted(labels, scores))) for scores in both)
        return retrained, never

    def print_quiet(self) -> None:
        """Print one line for the quiet runs since the last event."""
        if self.quiet:
            quiet_runs(self.quiet, self.night.config.triggers.performance.metric)
        self.quiet.clear()


def chapter(title: str) -> None:
    """Print a heading."""
    output.say("", f"[bold cyan]{title}[/]")


def command(name: str, lines: Sequence[str], *, detailed: bool) -> None:
    """Print a command and its output, if the story is in detail."""
    if detailed:
        output.say(f"[bold]$ mlops {name}[/]", *lines)


def short_retraining(verdict: Verdict, proposal: Proposal | None) -> None:
    """Print a retraining in three lines: the reason, the comparison, and the result."""
    candidate, compared = verdict.candidate, verdict.comparison
    output.say(f"[bold]{verdict.as_of:%d %b}[/] {output.clean(' '.join(candidate.decision.reasons))}")
    if compared:
        metric = compared.metric
        values = compared.challenger_value, compared.champion_value
        challenger, champion = (wording.figure(metric, value) for value in values)
        difference, low = (wording.change(metric, value) for value in (compared.difference, compared.low))
        scores = f"{wording.metric(metric)} {challenger}, version {compared.champion} has {champion}"
        certain = f"{difference}; with 95% confidence at least {low}"
        output.say(f"       version {candidate.version}: {scores} ({certain}) on {compared.rows:,} later rows")
    if proposal:
        output.say(f"       [green]passed[/], pull request {proposal.number} merged, now in Production")
    else:
        blocking = [f"{gate.name}: {gate.sentence}" for gate in verdict.gates if gate.state != "passes"]
        output.say(f"       [red]refused[/] by {output.clean(' '.join(blocking))}")


def quiet_runs(decisions: Sequence[Decision], metric: str) -> None:
    """Print how many runs started no training, and the scores of the model on those days."""
    first, last = decisions[0].as_of, decisions[-1].as_of
    values = [r.value for decision in decisions for r in decision.readings if r.trigger == "performance"]
    scores = [value for value in values if value is not None]
    summary = "too few labels for a score"
    if scores:
        lowest, highest = (wording.figure(metric, end) for end in (min(scores), max(scores)))
        summary = f"{wording.metric(metric)} {lowest} to {highest}"
    waiting = [decision.held_back_by[0] for decision in decisions if decision.held_back_by]
    note = f"; on {len(waiting)} a trigger fired but had to wait: {waiting[-1]}" if waiting else ""
    runs = "1 run without training" if len(decisions) == 1 else f"{len(decisions)} runs without training"
    span = f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"
    output.say(f"{span}: {runs}, {summary}{note}", style="dim")


def pull_request(version: int, body: str) -> None:
    """Print the pull request as its reviewer reads it."""
    from rich.markdown import Markdown
    from rich.panel import Panel

    title = f"pull request for version {version}, as the reviewer reads it"
    output.console().print(Panel(Markdown(body), title=title, border_style="dim"))
