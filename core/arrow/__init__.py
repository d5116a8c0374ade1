"""Helpers for Arrow arrays and times; the only part of core that loads pyarrow."""

from core.arrow import arrays, times
from core.arrow.times import ALWAYS, INSTANT

__all__ = ["ALWAYS", "INSTANT", "arrays", "times"]
