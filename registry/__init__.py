"""MLflow: model versions, training runs, events and serving."""

from registry import store
from registry.events import Event, last_move, read_events, record_event
from registry.registry import Registry
from registry.serving import Served
from registry.version import ALIAS, BY_HAND, PRODUCTION, ModelVersion, Number, Origin, Sha256, instant

__all__ = [
    "ALIAS",
    "BY_HAND",
    "PRODUCTION",
    "Event",
    "ModelVersion",
    "Number",
    "Origin",
    "Registry",
    "Served",
    "Sha256",
    "instant",
    "last_move",
    "read_events",
    "record_event",
    "store",
]
