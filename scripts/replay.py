"""Replay past nights under one or several trigger policies, to see what they would have done before one is chosen."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import DataError, UsageError
from scripts import options, output
from scripts.night import DAY, Night, midnight
from scripts.replay_words import lines, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.config import ModelConfig
    from model.policies import Policy
    from model.replay import Replay
    from model.replay_result import Tale
    from model.replay_rows import Rows
    from scripts.replay_source import Table

First = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First night. Default: the first with rows.")]
Last = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last night. Default: the day of the last row.")]
Source = Annotated[str | None, typer.Option(help="Path or URL of the rows. Default: the model's monitoring source.")]
Target = Annotated[str | None, typer.Option(help="Their column of labels. Default: that of model.toml, else target.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        "-p",
        help="default, never, weekly, monthly, seed, or a TOML file with [triggers] and [gates]. Repeat to compare.",
    ),
]
Review = Annotated[int, typer.Option(min=0, max=365, help="How many days a proposal waits for its merge.")]
Truth = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="The day a known change began: count false alarms, and nights to the first."),
]
Picture = Annotated[Path | None, typer.Option(help="Draw the metric over time into this HTML file.")]


def replay(  # noqa: PLR0913, PLR0917 - an argument an option
    model: options.Model = None,
    first: First = None,
    last: Last = None,
    source: Source = None,
    target: Target = None,
    policy: Policies = None,
    review_days: Review = 1,
    truth: Truth = None,
    json: options.Json = False,
    out: options.Out = None,
    picture: Picture = None,
) -> None:
    """Play every night of a span as the nightly job would have seen it, under one policy or several.

    Example: mlops replay --model flights --policy default --policy weekly --picture replay.html
    """
    from model.policies import policies
    from model.replay_result import summed
    from scripts.replay_source import Table

    started = time.perf_counter()
    # As in the demo: on the rows of one day, threads cost more than they give.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    asked = [day(text, option) for text, option in ((first, "--from"), (last, "--to"), (truth, "--truth"))]
    night = Night.open(model, None)
    chosen = policies(policy or ["default"], night.config)  # a wrong name is told before anything is read
    table = Table(night.settings, night.config, source, target)
    rows, begin, end = span(table, [one.config for one in chosen], asked[0], asked[1])
    played = prepare(night, table, rows, policies([*(policy or ["default"])], table.config), review_days)
    tales = play(played, begin, end)
    result = summed(tales, asked[2])
    took = time.perf_counter() - started
    output.show(result, (), as_json=json, out=out)
    if not json:
        show(result, tales, asked[2])
        output.say(*lines(tales, fits=len(played.fits), fitting=played.fits.seconds, took=took))
    if picture is not None:
        draw(picture, night.name, tales, asked[2], json=json)


def day(text: str | None, option: str) -> dt.date | None:
    """The date given for an option.

    Raises:
        UsageError: not an ISO date.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as err:
        raise UsageError(f"{option} {text!r} is not an ISO date.", fix="Write it like 2013-06-01.") from err


def span(
    table: Table, configs: Sequence[ModelConfig], first: dt.date | None, last: dt.date | None
) -> tuple[Rows, dt.date, dt.date]:
    """The rows that the nights look at, and the first and the last night.

    Raises:
        UsageError: the first is after the last.
        DataError: there are no rows on these days.
    """
    from monitoring.window import days_needed

    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}.", fix="Exchange them.")
    training = table.config.training
    lead = (training.window_days + training.maturity_days) * DAY
    look = max(days_needed(config) for config in configs) * DAY
    rows = table.rows(first - max(lead, look) if first else None, last)
    begin, end = first or rows.first + lead, last or rows.last
    if begin > end or not rows.pieces(midnight(begin - DAY), midnight(end + DAY)):
        raise DataError(
            f"{table.shown} has no rows for the nights from {begin} to {end}: its rows there are of {rows.first} to "
            f"{rows.last}.",
            why=f"The first model takes {lead.days} days: training.window_days and training.maturity_days.",
            fix="Choose other nights with --from and --to, or another source with --source.",
        )
    return rows, begin, end


def prepare(night: Night, table: Table, rows: Rows, chosen: Sequence[Policy], review_days: int) -> Replay:
    """The replay, with what it shares between policies."""
    from model import quality, training
    from model.replay import Replay
    from model.replay_counts import Counts
    from model.replay_fits import Fits

    root = night.settings.root
    build, digest = training.load_build(root, night.name), training.pipeline_digest(root, night.name)
    fits = Fits(table.config, rows, build, digest, quality.check_training)
    counts = Counts(rows, table.found, quality.check_window)
    return Replay(table.config, chosen, fits, counts, review_days=review_days)


def play(replay: Replay, first: dt.date, last: dt.date) -> list[Tale]:
    """Play all nights.

    Raises:
        DataError: under no policy a model came into service.
    """
    from model.replay_result import Tale

    tales = [Tale(life.policy.name, replay.config) for life in replay.lives]
    with output.progress((last - first).days + 1, "nights") as step:
        for number, night in enumerate(replay.nights(first, last)):
            for tale, played in zip(tales, night, strict=True):
                tale.add(played)
            step(f"night of {first + number * DAY}")
    if all(tale.began == len(tale.nights) for tale in tales):
        told = [one.why for one in tales[0].nights if one.failed or one.refused]
        raise DataError(
            f"No model came into service on the nights from {first} to {last}.",
            why=told[-1] if told else "A proposal was open to the end.",
            fix="Choose more nights with --from and --to; look at training.min_rows and the gates in model.toml.",
        )
    return tales


def draw(picture: Path, name: str, tales: Sequence[Tale], truth: dt.date | None, *, json: bool) -> None:
    """Write the page with the picture."""
    from core.records import write_atomically
    from review.replay_page import render

    write_atomically(picture, render(name, tales, truth))
    if not json:
        output.say(f"the picture is in {output.clean(picture)}")
