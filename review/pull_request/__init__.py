"""The promotion pull request: its body, its check and its comments."""

from review.pull_request import promotion_check, replay_comment
from review.pull_request.body import manifest_for, render_body, title
from review.pull_request.promotion_check import Review

__all__ = ["Review", "manifest_for", "promotion_check", "render_body", "replay_comment", "title"]
