"""Find the words for the demo: headings, one line for many quiet nights, the pull request as its reviewer reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitoring import phrases
from scripts import output

if TYPE_CHECKING:
    from model.validation import Verdict
    from monitoring.triggers import Decision
    from review.forge import Proposal


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
        ours, theirs = (phrases.figure(metric, one) for one in (compared.challenger_value, compared.champion_value))
        difference, low = (phrases.change(metric, one) for one in (compared.difference, compared.low))
        scores = f"{phrases.metric(metric)} {ours}, version {compared.champion} has {theirs}"
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
        lowest, highest = (phrases.figure(metric, end) for end in (min(scores), max(scores)))
        told = f"{phrases.metric(metric)} {lowest} to {highest}"
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
