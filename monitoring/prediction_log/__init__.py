"""TODO face."""

from monitoring.prediction_log.log import open_log, schema, typed_rows

__all__ = ["open_log", "schema", "typed_rows"]
