"""Say what a replay has in place of registered versions: a fit, a policy's version of it, and the one in service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from monitoring.holdout import Holdout
from monitoring.tally import Baseline


@dataclass(frozen=True)
class Fit:
    """A fitted model, as it is when loaded back from its file, with what it said of its holdout at its training.

    `number` counts the fits of the replay from 1.
    """

    number: int
    key: str
    model: Any
    size_mb: float
    latency_ms: float
    same_example: bool
    scores: Holdout


@dataclass(frozen=True)
class Version:
    """A fit as one policy registered it: its number there, and the night of the training."""

    fit: Fit
    version: int
    name: str
    trained_at: dt.datetime
    fit_until: dt.datetime

    @property
    def run_id(self) -> str:
        """What takes the place of the run."""
        return self.fit.key[:32]

    @property
    def digest(self) -> str:
        """What takes the place of the files' digest."""
        return self.fit.key

    @property
    def records_digest(self) -> str:
        """What takes the place of the records' digest."""
        return self.fit.key


@dataclass(frozen=True)
class Champion:
    """A version in service, with the baseline of the rows it was trained on."""

    version: Version
    baseline: Baseline

    @property
    def cells(self) -> tuple[int, dt.datetime]:
        """Equal for baselines with the same axes: those of the same fit, made of the rows of the same night."""
        return self.version.fit.number, self.version.trained_at
