"""Proposals of `mlops new`: a model folder derived from a table."""

from training.scaffold.columns import ColumnChoice, find_id, require_id
from training.scaffold.propose import ScaffoldProposal, propose_model, write_model
from training.scaffold.sample import Sample, TableSample
from training.scaffold.target import Labels, Target, choose, target_of
from training.scaffold.windows import Days

__all__ = [
    "ColumnChoice",
    "Days",
    "Labels",
    "Sample",
    "ScaffoldProposal",
    "TableSample",
    "Target",
    "choose",
    "find_id",
    "propose_model",
    "require_id",
    "target_of",
    "write_model",
]
