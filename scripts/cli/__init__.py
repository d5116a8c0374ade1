"""TODO face."""

from scripts.cli import github_runner, options, output
from scripts.cli.options import Engine, On, opened

__all__ = ["Engine", "On", "github_runner", "opened", "options", "output"]
