"""Replay past nights under one or several trigger policies, to see what they would have done before one is chosen."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.days import DAY
from core.errors import DataError
from scripts.cli import options, output
from scripts.replay.output import lines, show
from scripts.replay.span import bounds, day, span
from stages.context import Night

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.replay.source import ReplayTable
    from stages.replay import Policy, PolicyHistory, Replay, ReplayRows

First = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First night. Default: the first with rows.")]
Last = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last night. Default: the day of the last row.")]
Nights = Annotated[int | None, typer.Option("--last", min=1, help="Only so many nights, up to --to or today.")]
Source = Annotated[str | None, typer.Option(help="Path or URL of the rows. Default: the model's monitoring source.")]
Target = Annotated[str | None, typer.Option(help="Their column of labels. Default: that of model.toml, else target.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        "-p",
        help="default, main (the default branch's), never, weekly, monthly, seed, or a TOML file of triggers "
        "and gates. Repeat to compare.",
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
    nights: Nights = None,
    as_of: options.AsOf = None,
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
    from stages.replay import summed

    started = time.perf_counter()
    # As in the demo: on the rows of one day, threads cost more than they give.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    night, since = Night.open(model, as_of), day(truth, "--truth")
    begin, end = bounds(day(first, "--from"), day(last, "--to"), nights, night.today)
    played, begin, end = ready(
        night, policy or ["default"], (source, target), (begin, end, nights is not None), review_days
    )
    tales = play(played, begin, end)
    result = summed(tales, since)
    took = time.perf_counter() - started
    output.show(result, (), as_json=json, out=out)
    if not json:
        show(result, tales, since)
        output.say(*lines(tales, fits=len(played.fits), fitting=played.fits.seconds, took=took))
    if picture is not None:
        draw(picture, night.name, tales, since, json=json)


def ready(
    night: Night,
    names: list[str],
    where: tuple[str | None, str | None],
    nights: tuple[dt.date | None, dt.date | None, bool],
    review_days: int,
) -> tuple[Replay, dt.date, dt.date]:
    """The replay of the policies of these names, its first and its last night.

    Args:
        night: gives model and settings.
        names: of the policies.
        where: source and target, None for the model's own.
        nights: first and last, None for what the rows give, and whether to begin later where rows are too few.
        review_days: how long a proposal waits.
    """
    from scripts.replay.source import ReplayTable
    from stages.replay import policies

    main = night.forge.file(f"model/{night.name}/model.toml") if "main" in names else None
    chosen = policies(names, night.config, main)  # a wrong name is told before anything is read
    table = ReplayTable(night.settings, night.config, *where)
    rows, first, last = span(table, [one.config for one in chosen], *nights)
    return prepare(night, table, rows, policies(names, table.config, main), review_days), first, last


def prepare(night: Night, table: ReplayTable, rows: ReplayRows, chosen: Sequence[Policy], review_days: int) -> Replay:
    """The replay, with what it shares between policies."""
    from stages.replay import Replay

    return Replay(night.settings, table.config, chosen, rows, table.found, review_days=review_days)


def play(replay: Replay, first: dt.date, last: dt.date) -> list[PolicyHistory]:
    """Play all nights.

    Raises:
        DataError: under no policy a model came into service.
    """
    from stages.replay import PolicyHistory

    tales = [PolicyHistory(run.policy.name, replay.config) for run in replay.runs]
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


def draw(picture: Path, name: str, tales: Sequence[PolicyHistory], truth: dt.date | None, *, json: bool) -> None:
    """Write the page with the picture."""
    from core.records import write_atomically
    from review.pages import render_replay

    write_atomically(picture, render_replay(name, tales, truth))
    if not json:
        output.say(f"the picture is in {output.clean(picture)}")
