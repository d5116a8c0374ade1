"""Decide in one place how a reader sees our output: a person at a terminal, a log of a workflow, or a program."""

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
    """Text that may come from data, without control characters (a terminal obeys them) and without console markup."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in str(text)))


def console(*, stderr: bool = False) -> Console:
    """The console to print on; wide and without colours where nobody sits at a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 160
    # A value such as :x: is no picture.
    return Console(file=stream, soft_wrap=not stream.isatty(), highlight=False, emoji=False, width=width)


def say(*lines: str, style: str | None = None) -> None:
    """Print lines for a person. They may hold console markup; wrap what comes from data in `clean`."""
    out = console()
    for line in lines:
        out.print(line, style=style)


def error(err: MlopsError) -> None:
    """Print a foreseen error on standard error: what happened, the likely cause, what to do next."""
    out = console(stderr=True)
    for line in told(err):
        out.print(line)
    if github_runner.active():
        github_runner.annotate(err)
        summarise(["⛔ Error", *told(err)])


def told(err: MlopsError) -> list[str]:
    """The three parts of an error, a line each."""
    parts = (("[bold red]  error[/]", err.what), ("[dim]because[/]", err.why), ("[dim]     do[/]", err.fix))
    return [f"{label} {clean(redact(text))}" for label, text in parts if text]


def show(
    record: Record | dict[str, Any],
    lines: Iterable[str],
    *,
    as_json: bool,
    out: Path | None = None,
    summary: str | None = None,
) -> None:
    """Print a result: the record itself as JSON, or the lines that tell a person about it; with `out`, also keep it.

    In a workflow run the lines after the first are folded, and `summary`, else the lines, goes on the page of the run.
    """
    text = json.dumps(record, ensure_ascii=False) + "\n" if isinstance(record, dict) else record.to_json()
    text = redact(text)  # the job that reads it, to comment or to keep it, may not know the secret
    if out is not None:
        from core.records import write_atomically

        write_atomically(out, text)
    told = list(lines)
    if as_json:
        sys.stdout.write(escaped(text))
    elif github_runner.active() and len(told) > 1:
        with github_runner.group(unmarked(told[0])):
            say(*told[1:])
    else:
        say(*told)
    if summary:
        github_runner.summary(summary)
    elif summary is None and github_runner.active() and told:
        summarise(told)


def escaped(text: str) -> str:
    """JSON with all characters that a terminal may obey written as JSON escapes; it means the same."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def unmarked(line: str) -> str:
    """A line as it is shown, without console markup."""
    from rich.text import Text

    return Text.from_markup(line, emoji=False).plain


def summarise(lines: Sequence[str]) -> None:
    """Put lines for a person into the summary of the workflow run: the first as a heading, the others as a list."""
    from review.text import markdown

    head, *rest = [markdown.plain(redact(unmarked(line)), 1000) for line in lines]
    github_runner.summary("\n".join([f"### {head}", "", *(f"- {line}" for line in rest)]))


def warn(text: str) -> None:
    """Print what did not work but stops nothing; in a workflow run also mark the run with it."""
    told = redact(text)
    note(f"[yellow]warning[/] {clean(told)}")
    if github_runner.active():
        github_runner.warn(told)


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
    """Print a line on standard error that is not part of the result: what is being done, and how long it may take."""
    console(stderr=True).print(f"[dim]{text}[/]")


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[str], None]]:
    """A progress bar over `total` steps on a terminal, nothing elsewhere. Call what it yields after every step."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(label, total=total)

        def step(text: str) -> None:
            bar.update(task, advance=1, description=clean(text))

        yield step


class _Reporter(logging.Handler):
    """Prints what stages log: warnings as `warn` does, the rest as a note."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            note(clean(record.getMessage()))


def report_logging() -> None:
    """Let stages report through this module. Calling it again changes nothing."""
    log = logging.getLogger("mlops")
    if not any(isinstance(handler, _Reporter) for handler in log.handlers):
        log.addHandler(_Reporter())
        log.setLevel(logging.INFO)
        log.propagate = False


report_logging()
