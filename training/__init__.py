"""Training: labelled rows, a fitted estimator, and the records that describe both."""

from training.dask import computing_on
from training.digest import data_digest
from training.example import synthetic_rows
from training.fit import Candidate, Split, fit_estimator, holdout_scores, split_rows
from training.frame import batch_features, features, labelled_frame
from training.pipeline_file import Build, load_build, pipeline_digest
from training.scoring import fingerprint, score, scoring_method, to_table_values
from training.training_set import TrainingSet, build_training_set, candidate_record, training_period

__all__ = [
    "Build",
    "Candidate",
    "Split",
    "TrainingSet",
    "batch_features",
    "build_training_set",
    "candidate_record",
    "computing_on",
    "data_digest",
    "features",
    "fingerprint",
    "fit_estimator",
    "holdout_scores",
    "labelled_frame",
    "load_build",
    "pipeline_digest",
    "score",
    "scoring_method",
    "split_rows",
    "synthetic_rows",
    "to_table_values",
    "training_period",
]
