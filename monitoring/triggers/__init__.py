"""Triggers: evidence, the rule of each trigger, early warnings, and the decision."""

from monitoring.triggers.decision import Decision, decide
from monitoring.triggers.evidence import History, Reading, Request

__all__ = ["Decision", "History", "Reading", "Request", "decide"]
