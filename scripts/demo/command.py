"""The command `mlops demo`: a year of flights through the whole loop on this machine."""

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
    folder: Annotated[
        Path, typer.Option("--folder", help="Folder to play in. It is deleted and created again.")
    ] = Path("local/demo"),
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Last day to play.")] = "2014-01-01",
) -> None:
    """Play a year of flights: train, monitor, retrain, promote, refuse, roll back, and stop on broken data.

    Example: mlops demo --until 2013-06-01
    """
    from core.config import Settings, load_config
    from scripts.demo.story import Story
    from scripts.demo.world import FIRST_NIGHT

    started = time.monotonic()
    # With 200 rows per day, threads cost more than they save.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = find_root(Path.cwd())
    place = prepare(root, folder.resolve())
    night = Night(Settings.load(place, {}), load_config(place, "flights"), midnight(FIRST_NIGHT), live=False)
    story = Story(night, root / "model" / "flights" / "data" / "flights_sample.parquet")
    story.play(dt.date.fromisoformat(until))
    closing(story, root, place, time.monotonic() - started)
    problems = failed_checks(story)
    if problems:
        raise MlopsError(
            f"The demo failed its final checks: {'; '.join(problems)}.", why="This is a bug; please report it."
        )


def prepare(root: Path, place: Path) -> Path:
    """Create the folder with a copy of the example model, and return it.

    Raises:
        UsageError: the folder contains files that do not come from a demo.
    """
    if place.exists() and any(place.iterdir()) and not (place / MARKER).exists():
        raise UsageError(
            f"{place} is not empty and was not created by mlops demo.", fix="Choose another folder with --folder."
        )
    example = root / "model" / "flights"
    if not (example / "model.toml").exists():
        raise UsageError(
            f"{example} is missing; the demo plays the example model.", fix="Restore it from the template."
        )
    shutil.rmtree(place, ignore_errors=True)
    copy = place / "model" / "flights"
    copy.mkdir(parents=True)
    (place / MARKER).touch()
    (place / ".gitignore").write_text("/local/\n")
    for name in ("model.toml", "pipeline.py", "README.md"):
        shutil.copy(example / name, copy / name)
    return place


def closing(story: Story, root: Path, place: Path, seconds: float) -> None:
    """Print the final table, and where to look next."""
    counts, night = story.counts, story.night
    fired = ", ".join(f"{n.removeprefix('fired ')} {c}" for n, c in sorted(counts.items()) if n.startswith("fired"))
    retrained, never = story.scores()
    metric = wording.metric(night.config.triggers.performance.metric)
    rows: list[tuple[str, object]] = [
        ("nightly runs", counts["nights"]),
        ("triggers fired", fired),
        ("trainings", counts["retrains"]),
        ("promotions", counts["promotions"]),
        ("candidates refused", counts["refusals"]),
        ("rollbacks", counts["rollbacks"]),
        ("runs stopped by broken data", counts["stopped"]),
        (f"{metric}, retrained", f"{retrained:.3f}"),
        (f"{metric}, never retrained", f"{never:.3f}"),
    ]
    output.say("")
    output.table(f"A year in {seconds:.0f} seconds", ("", ""), rows)
    work = night.settings.work(night.name)
    for proposal in night.forge.proposals(night.name):  # now merged
        night.forge.page(proposal, work / "pulls")
    shown = [path.relative_to(root) if path.is_relative_to(root) else path for path in (work, place)]
    program = "../../.venv/bin/mlops" if place == root / "local" / "demo" else "mlops"
    output.say(
        f"report of the last candidate   {shown[0]}/report.html",
        f"pull requests as pages         {shown[0]}/pulls/",
        f"state of the model             cd {shown[1]} && {program} status --as-of {night.as_of:%Y-%m-%d}",
    )


def failed_checks(story: Story) -> list[str]:
    """Return the final checks that failed; empty if all passed."""
    from registry.promotion import apply
    from stages.promote import promote_declared

    night, counts = story.night, story.counts
    state = apply.observe(night.registry.client, night.config.registry_name)
    declared = night.manifest
    second = promote_declared(night)
    full_year = night.as_of.date() == dt.date(2014, 1, 1)
    checks = {
        "git declares no version": declared is not None,
        "Production is not what git declares": declared is not None and state.production == (declared.version,),
        "the alias names another version": declared is not None and state.alias == declared.version,
        "a second promote changed something": not second["steps"],
        "a refused version is in Production": not set(story.refused) & set(state.production),
        "nothing was ever promoted after the first model": not full_year or counts["promotions"] > 1,
        "no candidate with corrupted labels was refused": not full_year or counts["refusals"] > 0,
        "nothing was rolled back": not full_year or counts["rollbacks"] == 1,
        "broken data did not stop the run": not full_year or counts["stopped"] > 0,
    }
    return [problem for problem, passed in checks.items() if not passed]
