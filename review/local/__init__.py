"""A bare git repository in place of GitHub."""

from review.local.forge import LocalForge
from review.local.git import Git

__all__ = ["Git", "LocalForge"]
