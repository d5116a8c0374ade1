"""HTML pages: report, status site, replay and local pull request."""

from review.pages import report
from review.pages.event_lines import quiet
from review.pages.pull_request_page import render_pull_request
from review.pages.replay_page import render_replay
from review.pages.report import render_report
from review.pages.site import Status, render_site

__all__ = ["Status", "quiet", "render_pull_request", "render_replay", "render_report", "render_site", "report"]
