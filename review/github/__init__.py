"""GitHub: pull requests, commits, issues and repository settings through its API."""

from review.github.api import Api
from review.github.codeowners import PLACES, owners
from review.github.forge import GitHubForge
from review.github.setup import Setup, read
from review.github.threads import OpenIssue, Threads

__all__ = ["PLACES", "Api", "GitHubForge", "OpenIssue", "Setup", "Threads", "owners", "read"]
