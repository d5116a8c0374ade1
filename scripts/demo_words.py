"""Find the words for the demo: headings, one line for many quiet nights, the pull request as its reviewer reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scripts import output

if TYPE_CHECKING:
    from monitoring.triggers import Decision


def chapter(title: str) -> None:
    """A heading of the story."""
    output.say("", f"[bold cyan]{title}[/]")


def quiet_nights(nights: Sequence[Decision], metric: str) -> None:
    """How many nights nothing was done on, and how the model did meanwhile."""
    first, last = nights[0].as_of, nights[-1].as_of
    scores = [night.performance.value for night in nights if night.performance and night.performance.value is not None]
    name = metric.replace("_", " ")
    told = f"{name} {min(scores):.3f} to {max(scores):.3f}" if scores else "too few labels to judge"
    held = [night.held_back_by[0] for night in nights if night.held_back_by]
    note = f"; {len(held)} with an alarm that had to wait: {held[-1]}" if held else ""
    output.say(f"{first:%d %b} to {last:%d %b}: {len(nights)} nights without retraining, {told}{note}", style="dim")


def pull_request(version: int, body: str) -> None:
    """The pull request as its reviewer reads it."""
    from rich.markdown import Markdown
    from rich.panel import Panel

    title = f"pull request for version {version}, as the reviewer reads it"
    output.console().print(Panel(Markdown(body), title=title, border_style="dim"))
