"""Options and output that all commands share."""

from scripts.cli import github_runner, options, output
from scripts.cli.options import Engine, On, opened
from scripts.cli.window import window_lines

__all__ = ["Engine", "On", "github_runner", "opened", "options", "output", "window_lines"]
