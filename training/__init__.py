"""Training: labelled rows, a fitted estimator, and the records that describe both."""

from training import fit, frame, load_build, scoring, training_set
from training.dask import computing_on
from training.digest import data_digest
from training.example import synthetic_rows
from training.fit import Candidate, Split
from training.frame import features, scorable
from training.load_build import Build
from training.scoring import fingerprint, score, scoring_method, to_table_values
from training.training_set import TrainingSet, training_period

__all__ = [
    "Build",
    "Candidate",
    "Split",
    "TrainingSet",
    "computing_on",
    "data_digest",
    "features",
    "fingerprint",
    "fit",
    "frame",
    "load_build",
    "scorable",
    "score",
    "scoring",
    "scoring_method",
    "synthetic_rows",
    "to_table_values",
    "training_period",
    "training_set",
]
