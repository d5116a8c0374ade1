"""What a reviewer agrees to by merging a promotion, in the first lines of everything about the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import wording
from review.text.numbers import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.gates import Verdict


def merging_warnings(verdict: Verdict) -> tuple[str, ...]:
    """Return the warnings of a candidate that passed: a lower reference, a start under its own alarm limit."""
    return tuple(_warnings(verdict))


def _warnings(verdict: Verdict) -> Iterator[str]:
    from monitoring.performance import reference_score

    main, reference = verdict.main_score, reference_score(verdict.promoted)
    if main is None or main.value is None:
        return
    if reference is not None and reference.lowered:
        yield (
            f"Merging lowers the reference of the performance trigger to {figure(main.metric, reference.value)}, the "
            f"mean of the last {len(verdict.promoted)} promoted versions. Its highest value was "
            f"{figure(main.metric, reference.highest)}."
        )
    if verdict.limit is not None and main.value < verdict.limit:
        yield (
            f"This version starts under its own alarm limit: its {wording.metric(main.metric)} on the holdout is "
            f"{figure(main.metric, main.value)}, and the performance trigger may fire under "
            f"{figure(main.metric, verdict.limit)}."
        )
