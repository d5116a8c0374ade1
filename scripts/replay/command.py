"""The command `mlops replay`: past nights under one or several trigger policies."""

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

First = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="First night. Default: the first with enough rows before it."),
]
Last = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last night. Default: the day of the last row.")]
Nights = Annotated[int | None, typer.Option("--last", min=1, help="Only this many nights, up to --to or yesterday.")]
Source = Annotated[str | None, typer.Option(help="Path or URL of the rows. Default: the model's monitoring source.")]
Target = Annotated[str | None, typer.Option(help="Column of labels. Default: the one of model.toml, else target.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        "-p",
        help="default, main (of the default branch), never, weekly, monthly, seed, or a TOML file with triggers "
        "and gates. Repeat to compare.",
    ),
]
Review = Annotated[int, typer.Option(min=0, max=365, help="Days until a proposal is merged.")]
Truth = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Day on which a known change began: count false alarms, and nights to the first alarm.",
    ),
]
Picture = Annotated[Path | None, typer.Option(help="Write the metric over time to this HTML file.")]


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
    """Play every night of a period as the nightly job would have run, under one or several policies.

    Example: mlops replay --model flights --policy default --policy weekly --picture replay.html
    """
    from stages.replay import summarize

    started = time.perf_counter()
    # As in the demo: on the rows of one day, threads cost more than they save.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    night, since = Night.open(model, as_of), day(truth, "--truth")
    begin, end = bounds(day(first, "--from"), day(last, "--to"), nights, night.today)
    prepared, begin, end = prepare_replay(
        night, policy or ["default"], (source, target), (begin, end, nights is not None), review_days
    )
    histories = play(prepared, begin, end)
    result = summarize(histories, since)
    took = time.perf_counter() - started
    output.show(result, (), as_json=json, out=out)
    if not json:
        show(result, histories, since)
        output.say(*lines(histories, fits=len(prepared.shared), fitting=prepared.shared.seconds, took=took))
    if picture is not None:
        draw(picture, night.name, histories, since, json=json)


def prepare_replay(
    night: Night,
    names: list[str],
    where: tuple[str | None, str | None],
    nights: tuple[dt.date | None, dt.date | None, bool],
    review_days: int,
) -> tuple[Replay, dt.date, dt.date]:
    """Return the replay of the policies of these names, its first and its last night.

    Args:
        night: the model and the settings.
        names: of the policies.
        where: source and target, None for the model's own.
        nights: first and last (None: as the rows allow), and whether to begin later if there are too few rows.
        review_days: how long a proposal waits.
    """
    from scripts.replay.source import ReplayTable
    from stages.replay import policies

    main_toml = night.forge.file(f"model/{night.name}/model.toml") if "main" in names else None
    chosen = policies(names, night.config, main_toml)  # before the rows are read, so that a wrong name fails early
    table = ReplayTable(night.settings, night.config, *where)
    rows, first, last = span(table, [policy.config for policy in chosen], *nights)
    chosen = policies(names, table.config, main_toml)
    return prepare(night, table, rows, chosen, review_days), first, last


def prepare(night: Night, table: ReplayTable, rows: ReplayRows, chosen: Sequence[Policy], review_days: int) -> Replay:
    """Return the replay of policies on rows of a table."""
    from stages.replay import Replay

    return Replay(night.settings, table.config, chosen, rows, table.columns, review_days=review_days)


def play(replay: Replay, first: dt.date, last: dt.date) -> list[PolicyHistory]:
    """Play all nights, and return the history of each policy.

    Raises:
        DataError: no model came into service under any policy.
    """
    from stages.replay import PolicyHistory

    histories = [PolicyHistory(run.policy.name, replay.config) for run in replay.runs]
    with output.progress((last - first).days + 1, "nights") as step:
        for number, night in enumerate(replay.nights(first, last)):
            for history, outcome in zip(histories, night, strict=True):
                history.add(outcome)
            step(f"night of {first + number * DAY}")
    if all(history.began == len(history.nights) for history in histories):
        causes = [night.why for night in histories[0].nights if night.failed or night.refused]
        raise DataError(
            f"No model came into service on the nights from {first} to {last}.",
            why=causes[-1] if causes else "A proposal was open to the end.",
            fix="Choose more nights with --from and --to, or check training.min_rows and the gates in model.toml.",
        )
    return histories


def draw(picture: Path, name: str, histories: Sequence[PolicyHistory], truth: dt.date | None, *, json: bool) -> None:
    """Write the page with the picture."""
    from core.records import write_atomically
    from review.pages import render_replay

    write_atomically(picture, render_replay(name, histories, truth))
    if not json:
        output.say(f"the picture is in {output.clean(picture)}")
