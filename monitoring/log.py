"""Alias of monitoring.prediction_log, for services that import it by this name. Removed in the next release."""

from monitoring.prediction_log import PredictionLog, open_log

__all__ = ["PredictionLog", "open_log"]
