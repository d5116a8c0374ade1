"""A replay: the nights of a year under other policies, with everything in memory."""

from stages.replay.policies import Policy, policies
from stages.replay.replay import Replay
from stages.replay.result import PolicyHistory, summarize
from stages.replay.rows import ReplayRows

__all__ = ["Policy", "PolicyHistory", "Replay", "ReplayRows", "policies", "summarize"]
