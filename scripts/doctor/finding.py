"""`Diagnosis`, the result of one check of the doctor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

State = Literal["ok", "warn", "fail"]


class Diagnosis(NamedTuple):
    """What was checked, its state and the result; if it is not ok, why it matters and how to fix it."""

    what: str
    state: State
    says: str
    why: str = ""
    fix: str = ""


Check = Callable[[], Diagnosis]
