"""Output of all commands: to a terminal, to the log of a workflow, or as JSON for a program."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.redaction import redact
from scripts.cli import github_runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from core.errors import MlopsError
    from core.records import Record


def clean(text: object) -> str:
    """Return a text that may come from data without control characters, which steer a terminal, and without markup."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in str(text)))


def console(*, stderr: bool = False) -> Console:
    """Return the console to print on. It is wide and without colors if the output is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 160
    # A value such as :x: is not an emoji.
    return Console(file=stream, soft_wrap=not stream.isatty(), highlight=False, emoji=False, width=width)


def say(*lines: str, style: str | None = None) -> None:
    """Print lines. They may contain console markup; pass text from data through `clean` first."""
    out = console()
    for line in lines:
        out.print(line, style=style)


def error(err: MlopsError) -> None:
    """Print an expected error on standard error: what happened, the likely cause, what to do next."""
    out = console(stderr=True)
    for line in error_lines(err):
        out.print(line)
    if github_runner.active():
        github_runner.annotate(err)
        summarize(["⛔ Error", *error_lines(err)])


def error_lines(err: MlopsError) -> list[str]:
    """Return the three parts of an error, and what is in Production if the registry was asked, a line each."""
    parts = (
        ("[bold red]  error[/]", err.what),
        ("[dim]because[/]", err.why),
        ("[dim]     do[/]", err.fix),
        ("[dim]    now[/]", err.production),
    )
    return [f"{label} {clean(redact(text))}" for label, text in parts if text]


def show(
    record: Record | dict[str, Any],
    lines: Iterable[str],
    *,
    as_json: bool,
    out: Path | None = None,
    summary: str | None = None,
) -> None:
    """Print a result, as JSON or as lines of text. With `out`, also write it to that file as JSON.

    In a workflow run the lines after the first are folded, and `summary` (or the lines) is added to the page of the
    run.
    """
    text = json.dumps(record, ensure_ascii=False) + "\n" if isinstance(record, dict) else record.to_json()
    text = redact(text)  # the job that reads the file may not know the secret
    if out is not None:
        from core.records import write_atomically

        write_atomically(out, text)
    shown = list(lines)
    if as_json:
        sys.stdout.write(escaped(text))
    elif github_runner.active() and len(shown) > 1:
        with github_runner.group(unmarked(shown[0])):
            say(*shown[1:])
    else:
        say(*shown)
    if summary:
        github_runner.summary(summary)
    elif summary is None and github_runner.active() and shown:
        summarize(shown)


def escaped(text: str) -> str:
    """Return the same JSON with control characters, which steer a terminal, written as JSON escapes."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def unmarked(line: str) -> str:
    """Return a line as it is displayed, without console markup."""
    from rich.text import Text

    return Text.from_markup(line, emoji=False).plain


def summarize(lines: Sequence[str]) -> None:
    """Add lines to the summary of the workflow run: the first as a heading, the others as a list."""
    from review.text import markdown

    head, *rest = [markdown.plain(redact(unmarked(line)), 1000) for line in lines]
    github_runner.summary("\n".join([f"### {head}", "", *(f"- {line}" for line in rest)]))


def warn(text: str) -> None:
    """Print a warning; in a workflow run also as an annotation."""
    text = redact(text)
    note(f"[yellow]warning[/] {clean(text)}")
    if github_runner.active():
        github_runner.warn(text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; every cell is cleaned."""
    from rich import box
    from rich.table import Table

    grid = Table(title=clean(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    grid.show_header = any(columns)
    for name in columns:
        grid.add_column(clean(name))
    for row in rows:
        grid.add_row(*("" if cell is None else clean(cell) for cell in row))
    console().print(grid)


def note(text: str) -> None:
    """Print a line on standard error that is not part of the result, such as the progress of a long step."""
    console(stderr=True).print(f"[dim]{text}[/]")


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[str], None]]:
    """Show a progress bar over `total` steps on a terminal, nothing elsewhere. Yields a function to call after each."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(label, total=total)

        def step(text: str) -> None:
            bar.update(task, advance=1, description=clean(text))

        yield step


class _Reporter(logging.Handler):
    """A handler that prints log messages of stages: warnings with `warn`, others with `note`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            note(clean(record.getMessage()))


def report_logging() -> None:
    """Print the log messages of stages through this module. A second call changes nothing."""
    log = logging.getLogger("mlops")
    if not any(isinstance(handler, _Reporter) for handler in log.handlers):
        log.addHandler(_Reporter())
        log.setLevel(logging.INFO)
        log.propagate = False


report_logging()
