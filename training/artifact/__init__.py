"""Model files: written and read without pickle, bound by a digest."""

from training.artifact import model_file
from training.artifact.zip_index import RETRAIN, TAMPERED

__all__ = ["RETRAIN", "TAMPERED", "model_file"]
