"""The program `mlops`: all commands, and the message and exit code of an error."""

from __future__ import annotations

import importlib
import sys
import traceback

import typer

from core import process
from core.errors import MlopsError
from scripts.cli import github_runner, output

COMMANDS = {
    "The nightly run": ("pull", "check", "train", "validate", "propose"),
    "Production": ("promote", "status", "history", "site"),
    "Choosing thresholds": ("replay",),
    "In workflows": ("models", "review", "comment", "alert"),
    "Start here": ("new", "import", "demo", "doctor", "upgrade"),
}
ELSEWHERE = {"import": ("new", "import_history")}  # a keyword of Python cannot be the name of a function
app = typer.Typer(
    name="mlops",
    help="Retrain, validate and promote models: git declares what is in Production, MLflow obeys.",
    epilog="Exit codes: 0 done, 1 unexpected error, 2 usage or configuration, 3 unusable data, "
    "4 gate blocked (--exit-code), 5 git and registry disagree, 6 outside service failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


for panel, names in COMMANDS.items():
    for name in names:
        module, attribute = ELSEWHERE.get(name, (name, name))
        function = getattr(importlib.import_module(f"scripts.{module}"), attribute)
        app.command(name, rich_help_panel=panel, no_args_is_help=False)(function)


@app.callback()
def options(
    traceback_: bool = typer.Option(False, "--traceback", help="Show the stack trace of expected errors too."),
) -> None:
    """Retrain, validate and promote models: git declares what is in Production, MLflow obeys."""
    # `main` reads it, because it handles errors outside the commands.
    del traceback_


def main() -> None:
    """Run one command. Expected errors end with their message and exit code, others with a trace and exit code 1."""
    process.reduce_gc()
    with github_runner.disable_workflow_commands():
        try:
            app()
        except MlopsError as err:
            if "--traceback" in sys.argv and not github_runner.active():
                raise
            if "--traceback" in sys.argv:
                trace(err)
            output.error(err)
            sys.exit(err.exit_code)
        except Exception as err:
            if not github_runner.active():
                raise
            trace(err)
            sys.exit(1)


def trace(err: BaseException) -> None:
    """Print where an error came from. The text of an unexpected error is left out, because it may quote a row."""
    before = err.__cause__ or (None if err.__suppress_context__ else err.__context__)
    if before is not None:
        trace(before)
    text = f": {err}" if isinstance(err, MlopsError) else ""
    sys.stderr.write("".join(traceback.format_tb(err.__traceback__)) + f"{type(err).__name__}{text}\n")


if __name__ == "__main__":
    main()
