"""Hold the options that all commands share, so that they read and behave alike; only here the clock is read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError

Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", envvar="MLOPS_MODEL", help="Folder name below model/. Not needed where there is one."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="ISO",
        envvar="MLOPS_AS_OF",
        help="Act as on this UTC date or time, e.g. 2013-06-01. Default: now.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the result as JSON to this file.")]
From = Annotated[Path | None, typer.Option("--from", help="Read the record of the stage before from this file.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 4 when a gate blocks, for use in scripts.")]


YEARS = range(1970, 9000)  # with room on either side for the windows of a night


def instant(text: str | None) -> tuple[dt.datetime, bool]:
    """The instant a command acts at, in UTC, and whether that is now.

    Raises:
        UsageError: not an ISO date or time.
    """
    if text is None:
        return dt.datetime.now(dt.UTC).replace(microsecond=0), True
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as err:
        raise UsageError(
            f"--as-of {text!r} is not an ISO date or time.",
            fix="Write it like 2013-06-01 or 2013-06-01T02:00:00+00:00.",
        ) from err
    if moment.year not in YEARS:
        raise UsageError(f"--as-of {text!r} lies outside of the years {YEARS[0]} to {YEARS[-1]}.")
    return moment, False
