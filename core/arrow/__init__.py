"""Helpers for Arrow arrays and times; the only part of core that loads pyarrow."""

from core.arrow import arrays, spelling, times
from core.arrow.arrays import Bools, Floats
from core.arrow.times import EPOCH, INSTANT, MICROSECONDS_A_DAY

__all__ = ["EPOCH", "INSTANT", "MICROSECONDS_A_DAY", "Bools", "Floats", "arrays", "spelling", "times"]
