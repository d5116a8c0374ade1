"""TODO face."""

from review.pull_request import promotion_check, replay_comment, sections
from review.pull_request.body import manifest_for, render_body, title
from review.pull_request.promotion_check import Check, Review

__all__ = ["Check", "Review", "manifest_for", "promotion_check", "render_body", "replay_comment", "sections", "title"]
