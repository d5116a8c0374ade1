"""A replay: the nights of a year under other policies, with everything in memory."""

from stages.replay.counts import Counts
from stages.replay.fits import Fits
from stages.replay.policies import Policy, policies
from stages.replay.replay import Replay
from stages.replay.result import Tale, summed
from stages.replay.rows import Rows

__all__ = ["Counts", "Fits", "Policy", "Replay", "Rows", "Tale", "policies", "summed"]
