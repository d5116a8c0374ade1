"""Triggers: evidence, the rule of each trigger, early warnings, and the decision."""

from monitoring.triggers.decision import Decision, decide
from monitoring.triggers.evidence import Past, Reading, Request, remember

__all__ = ["Decision", "Past", "Reading", "Request", "decide", "remember"]
