"""Play a year of flights through the whole loop on this machine, as a story that a newcomer can follow."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core import wording
from core.days import midnight
from core.errors import MlopsError, UsageError
from scripts.cli import output
from stages.context import Night
from stages.repository import find_root

if TYPE_CHECKING:
    from scripts.demo.story import Story

MARKER = ".retraining-demo"


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where to play; made anew each time.")] = Path("local/demo"),
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Last night to play.")] = "2014-01-01",
) -> None:
    """Play a year of flights: train, watch, retrain, promote, refuse, revert, and stop on broken data.

    Example: mlops demo --until 2013-06-01
    """
    from core.config import Settings, load_config
    from scripts.demo.story import Story
    from scripts.demo.world import FIRST_NIGHT

    started = time.monotonic()
    # With 200 rows a night, threads cost more than they give.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = find_root(Path.cwd())
    place = prepare(root, folder.resolve())
    night = Night(Settings.load(place, {}), load_config(place, "flights"), midnight(FIRST_NIGHT), live=False)
    story = Story(night, root / "model" / "flights" / "data" / "flights_sample.parquet")
    story.play(dt.date.fromisoformat(until))
    closing(story, root, place, time.monotonic() - started)
    problems = wrong_at_the_end(story)
    if problems:
        raise MlopsError(f"The demo did not end as it must: {'; '.join(problems)}.", why="Something is broken.")


def prepare(root: Path, place: Path) -> Path:
    """An empty folder with a copy of the example model in it.

    Raises:
        UsageError: the folder holds something that no demo has put there.
    """
    if place.exists() and any(place.iterdir()) and not (place / MARKER).exists():
        raise UsageError(f"{place} is not empty, and not from a demo.", fix="Name another with --folder.")
    example = root / "model" / "flights"
    if not (example / "model.toml").exists():
        raise UsageError(f"There is no {example}: the demo plays the example model.", fix="Restore it from upstream.")
    shutil.rmtree(place, ignore_errors=True)
    copy = place / "model" / "flights"
    copy.mkdir(parents=True)
    (place / MARKER).touch()
    (place / ".gitignore").write_text("/local/\n")
    for name in ("model.toml", "pipeline.py", "README.md"):
        shutil.copy(example / name, copy / name)
    return place


def closing(story: Story, root: Path, place: Path, seconds: float) -> None:
    """The closing table, and where to look next."""
    counts, night = story.counts, story.night
    alarms = ", ".join(f"{n.removeprefix('alarm ')} {c}" for n, c in sorted(counts.items()) if n.startswith("alarm"))
    ours, never = story.scores()
    metric = wording.metric(night.config.triggers.performance.metric)
    names = ("nights", "retrains", "promotions", "refusals", "rollbacks", "stopped")
    rows: list[tuple[str, object]] = [(name, counts[name]) for name in names]
    rows[1:1] = [("nights with an alarm", alarms)]
    rows += [(f"{metric}, retrained", f"{ours:.3f}"), (f"{metric}, never retrained", f"{never:.3f}")]
    output.say("")
    output.table(f"A year in {seconds:.0f} seconds", ("", ""), rows)
    work = night.settings.work(night.name)
    for proposal in night.forge.proposals(night.name):  # as they stand now: merged
        night.forge.page(proposal, work / "pulls")
    here = [path.relative_to(root) if path.is_relative_to(root) else path for path in (work, place)]
    program = "../../.venv/bin/mlops" if place == root / "local" / "demo" else "mlops"
    output.say(
        f"report of the last candidate   {here[0]}/report.html",
        f"pull requests as pages         {here[0]}/pulls/",
        f"look at its state              cd {here[1]} && {program} status --as-of {night.as_of:%Y-%m-%d}",
    )


def wrong_at_the_end(story: Story) -> list[str]:
    """What is not as it must be after the year; empty when all is well."""
    from registry.promotion import apply
    from stages.promote import promote_declared

    night, counts = story.night, story.counts
    state = apply.observe(night.registry.client, night.config.registry_name)
    declared = night.manifest
    again = promote_declared(night)
    whole = night.as_of.date() == dt.date(2014, 1, 1)
    checks = {
        "git declares no version": declared is not None,
        "Production is not what git declares": declared is not None and state.production == (declared.version,),
        "the alias is elsewhere": declared is not None and state.alias == declared.version,
        "a second promote changed something": not again["steps"],
        "a refused version is in Production": not set(story.refused) & set(state.production),
        "nothing was ever promoted after the first model": not whole or counts["promotions"] > 1,
        "no spoiled candidate was refused": not whole or counts["refusals"] > 0,
        "nothing was rolled back": not whole or counts["rollbacks"] == 1,
        "the broken night was not stopped": not whole or counts["stopped"] > 0,
    }
    return [problem for problem, fine in checks.items() if not fine]
