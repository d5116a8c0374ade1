"""Alerts: issue texts, and messages to chat and mail."""

from review.alerts import apprise, text
from review.alerts.text import HEADING, REFUSED, Alert, again, failed, over, refused, short, stopped

__all__ = ["HEADING", "REFUSED", "Alert", "again", "apprise", "failed", "over", "refused", "short", "stopped", "text"]
