"""Hold what a new model is made from, once its table was looked at."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import Columns
from model.scaffold_days import Counts, Days
from model.scaffold_sample import Sample
from model.scaffold_target import Target


@dataclass(frozen=True)
class Table:
    """What a new model is made from.

    `source` and `table` are as model.toml says them, `shown` as the reader knows them. `utc`: times without a zone are
    taken as UTC. `names` are the columns that may be features, `unread` those that the source cannot give, `keep` those
    that are features whatever they look like. `delays` are those of the labels, in microseconds.
    """

    source: str
    table: str | None
    shown: str
    utc: bool
    roles: Columns
    target: Target
    names: tuple[str, ...]
    unread: tuple[str, ...]
    keep: tuple[str, ...]
    days: Days
    sample: Sample
    delays: Counts | None
