"""A bare git repository that stands in for GitHub."""

from review.local.forge import LocalForge
from review.local.git import Git

__all__ = ["Git", "LocalForge"]
