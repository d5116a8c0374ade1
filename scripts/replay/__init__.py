"""The command `mlops replay`."""

from scripts.replay.command import replay

__all__ = ["replay"]
