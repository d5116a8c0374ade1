"""Training: labelled rows, a fitted estimator, and the records that describe both."""

from training import fit, frame, load_build, scoring, training_set
from training.dask import computing_on
from training.digest import data_digest
from training.example import synthetic_rows
from training.fit import Candidate, Split
from training.frame import features, scorable
from training.load_build import Build
from training.scoring import asked, says, score, spoken
from training.training_set import Material, span

__all__ = [
    "Build",
    "Candidate",
    "Material",
    "Split",
    "asked",
    "computing_on",
    "data_digest",
    "features",
    "fit",
    "frame",
    "load_build",
    "says",
    "scorable",
    "score",
    "scoring",
    "span",
    "spoken",
    "synthetic_rows",
    "training_set",
]
