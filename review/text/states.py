"""States of triggers, gates, checks and findings: each with its mark, its sign and its text."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class State(StrEnum):
    """A state by the value that records hold.

    `mark` is its emoji in Markdown, `sign` one character for an HTML page, `tone` the color class of a page.
    """

    mark: str
    sign: str
    tone: str

    def __new__(cls, value: str, mark: str = "", sign: str = "", tone: str = "") -> Self:
        """Return the member; mark, sign and tone are only given below, a look-up needs the value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.mark, member.sign, member.tone = mark, sign, tone
        return member

    @property
    def text(self) -> str:
        """Return the state in words."""
        return self.value.replace("_", " ")


class TriggerState(State):
    """States of a trigger and of an early warning."""

    FIRED = "fired", "🔔", "!", "warn"
    QUIET = "quiet", "⚪", "✓", "good"
    WARNS = "warns", "👀", "!", "warn"
    CANNOT_JUDGE = "cannot_judge", "⚠️", "?", ""


class GateState(State):
    """States of a gate."""

    PASSES = "passes", "✅", "✓", "good"
    BLOCKS = "blocks", "⛔", "✕", "bad"
    CANNOT_JUDGE = "cannot_judge", "⚠️", "?", "warn"


class CheckState(State):
    """States of a check of a promotion pull request."""

    PASSES = "passes", "✅", "✓", "good"
    BLOCKS = "blocks", "⛔", "✕", "bad"
    NOTE = "note", "\u2139\ufe0f", "i", ""


class Severity(State):
    """Severities of a finding, the worst first."""

    CRITICAL = "critical", "⛔", "✕", "bad"
    WARNING = "warning", "⚠️", "!", "warn"
    INFO = "info", "\u2139\ufe0f", "i", ""
