"""TODO face."""

from core.arrow import arrays, times
from core.arrow.times import ALWAYS, INSTANT

__all__ = ["ALWAYS", "INSTANT", "arrays", "times"]
