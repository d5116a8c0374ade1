"""Proposals of `mlops new`: a model folder derived from a table."""

from training.scaffold import propose
from training.scaffold.columns import Judged, find_id, require_id
from training.scaffold.propose import Proposal
from training.scaffold.sample import Sample, Table
from training.scaffold.target import Labels, Target, choose, target_of
from training.scaffold.windows import Days

__all__ = [
    "Days",
    "Judged",
    "Labels",
    "Proposal",
    "Sample",
    "Table",
    "Target",
    "choose",
    "find_id",
    "propose",
    "require_id",
    "target_of",
]
