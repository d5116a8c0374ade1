"""Data-quality checks with Great Expectations."""

from training.quality.suite import check_training, check_window

__all__ = ["check_training", "check_window"]
