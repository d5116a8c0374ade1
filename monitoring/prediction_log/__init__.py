"""The log that a service writes: predictions, and labels when they arrive."""

from monitoring.prediction_log.log import PredictionLog, open_log, schema, typed_rows

__all__ = ["PredictionLog", "open_log", "schema", "typed_rows"]
