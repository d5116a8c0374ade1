"""Say in one form what the checks of the doctor find, so that each of them can stand in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

State = Literal["ok", "warn", "fail"]


class Diagnosis(NamedTuple):
    """What was looked at and how it is; `why` it matters and what to do (`fix`) where it is not right."""

    what: str
    state: State
    says: str
    why: str = ""
    fix: str = ""


Check = Callable[[], Diagnosis]
