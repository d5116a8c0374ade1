"""The command `mlops demo`."""

from scripts.demo.command import demo

__all__ = ["demo"]
