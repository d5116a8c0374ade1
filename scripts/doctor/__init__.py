"""The command `mlops doctor`."""

from scripts.doctor.command import doctor

__all__ = ["doctor"]
