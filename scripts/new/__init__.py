"""The command `mlops new`."""

from scripts.new.command import new

__all__ = ["new"]
