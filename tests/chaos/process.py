"""Run a command in a real process of its own, forked from one that has imported everything already."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.chaos.edges import Hold, Point
from tests.github.double import TOKEN, Double

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.warm"])
LONGEST = 120.0


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (-9: killed), what it printed, and the instants that were counted."""

    code: int
    out: str = ""
    err: str = ""
    points: tuple[Point, ...] = field(default=(), repr=False)


@dataclass
class Running:
    """A command that was started."""

    process: BaseProcess
    report: Path

    def end(self) -> Ended:
        """Wait for its end."""
        self.process.join(LONGEST)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"the command did not end within {LONGEST:.0f} seconds")
        if self.process.exitcode:
            return Ended(self.process.exitcode)
        told = json.loads(self.report.read_text())
        return Ended(told["code"], told["out"], told["err"], tuple(Point(**point) for point in told["points"]))


def start(
    folder: Path,
    *words: str,
    day: dt.date | None,
    kill: Point | None = None,
    hold: Hold | None = None,
    env: dict[str, str] | None = None,
) -> Running:
    """Start `mlops WORDS` in a place; at `kill` it dies, or waits on `hold`."""
    report = folder.parent / f"report-{time.monotonic_ns()}.json"
    process = CONTEXT.Process(target=_command, args=(folder, words, day, (kill, hold), env or {}, report))
    process.start()
    return Running(process, report)


def mlops(
    folder: Path, *words: str, day: dt.date | None, kill: Point | None = None, env: dict[str, str] | None = None
) -> Ended:
    """Run `mlops WORDS` in a place to its end."""
    return start(folder, *words, day=day, kill=kill, env=env).end()


def hub(double: Double) -> dict[str, str]:
    """The environment of a workflow's job at a double of GitHub."""
    told = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": double.name, "GITHUB_API_URL": double.url}
    return {**told, "GITHUB_TOKEN": TOKEN}


def call(function: Any, *args: Any) -> None:
    """Run a function of a module in a process of its own; it must work."""
    process = CONTEXT.Process(target=_apart, args=(function, args))
    process.start()
    process.join(LONGEST)
    assert process.exitcode == 0, f"{function.__name__} ended with {process.exitcode}"


def _apart(function: Any, args: tuple[Any, ...]) -> None:
    import warnings

    warnings.simplefilter("ignore")
    function(*args)


def held(folder: Path, *words: str, day: dt.date, at: Point) -> tuple[Running, Hold]:
    """A command that was started and waits at a point."""
    hold = Hold(CONTEXT.Event(), CONTEXT.Event())
    running = start(folder, *words, day=day, kill=at, hold=hold)
    assert hold.reached.wait(LONGEST), f"{words} did not come to {at}"
    return running, hold


def _command(
    folder: Path,
    words: tuple[str, ...],
    day: dt.date | None,
    stop: tuple[Point | None, Hold | None],
    env: dict[str, str],
    report: Path,
) -> None:
    from tests.chaos.edges import watch
    from tests.place import Place

    tempfile.tempdir = str(folder.parent / "tmp")
    Path(tempfile.tempdir).mkdir(exist_ok=True)
    from review.github import api

    # By its agent the double of GitHub knows whom to kill. Tries follow each other at once, and none waits for long.
    defaults = {"agent": f"test pid/{os.getpid()}", "pause": float}
    (api.Api.__init__.__kwdefaults__ or {}).update(defaults)
    api.TIMEOUT = 3
    seen = watch(folder, *stop)
    ran = Place(folder).mlops(*words, day=day, env=env)
    seen.moment("its end")
    seen.active = False
    points = [vars(point) for point in seen.points]
    report.write_text(json.dumps({"code": ran.code, "out": ran.out, "err": ran.err, "points": points}))
