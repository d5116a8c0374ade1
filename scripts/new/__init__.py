"""The commands `mlops new` and `mlops import`: a model from a table, and its rows in a table for the log."""

from scripts.new.command import new
from scripts.new.import_history import import_history

__all__ = ["import_history", "new"]
