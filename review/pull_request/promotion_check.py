"""Checks of a pull request that changes a manifest: does it still match the validated candidate and Production?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import wording
from core.records import Record
from registry.promotion import Check
from review.text import CheckState, event_text, numbers, template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry import Event
    from registry.promotion import Manifest


class Review(Record):
    """The checks of one model's manifest.

    `rollback`: the declared version was in Production before, and is older than the one there now. `steps`: what
    merging would do.
    """

    model: str
    rollback: bool
    version: int | None
    checks: tuple[Check, ...]
    steps: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Return whether it may be merged."""
        return all(check.state != "blocks" for check in self.checks)


class Reviews(Record):
    """The reviews of a pull request: one for each manifest that it changes."""

    reviews: tuple[Review, ...]

    @property
    def passed(self) -> bool:
        """Return whether it may be merged."""
        return all(review.passed for review in self.reviews)


def removed(model: str) -> Review:
    """Return the review of a pull request that deletes the manifest."""
    sentence = "The pull request deletes production.json. Git would declare no version, and promote would refuse that."
    return Review(
        model=model,
        rollback=False,
        version=None,
        checks=(Check(name="declared", state="blocks", sentence=sentence),),
        steps=(),
    )


def unreadable(model: str, what: str) -> Review:
    """Return the review of a pull request whose manifest cannot be read."""
    check = Check(name="declared", state="blocks", sentence=what)
    return Review(model=model, rollback=False, version=None, checks=(check,), steps=())


def again(version: int, events: Sequence[Event]) -> Check | None:
    """Return that a version comes back after it was taken out of Production; None if it was not."""
    sentence = event_text.taken_back(version, events)
    return Check(name="again", state="note", sentence=sentence) if sentence else None


def reference(proposed: Manifest, before: Manifest | None, *, rollback: bool) -> Check | None:
    """Return what merging does to the reference of the performance trigger; None if the reference stays."""
    if before is None or (before.metric == proposed.metric and before.reference == proposed.reference):
        return None
    metric = proposed.metric
    old, new = (numbers.figure(metric, manifest.reference) for manifest in (before, proposed))
    if before.metric != metric:
        sentence = f"The reference is now measured in {wording.metric(metric)}: {new}."
        return Check(name="reference", state="note", sentence=sentence)
    if proposed.reference > before.reference:
        return Check(name="reference", state="passes", sentence=f"The reference score rises from {old} to {new}.")
    sentence = f"The reference score falls from {old} to {new}"
    if rollback:
        return Check(name="reference", state="note", sentence=f"{sentence}, its value before.")
    return Check(
        name="reference",
        state="note",
        sentence=f"{sentence}: later versions scored lower. The performance trigger fires later.",
    )


def text(reviews: Reviews, run_url: str | None = None) -> str:
    """Return the reviews in Markdown: for the summary of the run and for the comment on the pull request."""
    values = {"reviews": reviews.reviews, "run_url": run_url, "State": CheckState}
    return template.render_markdown("review.pull_request", "promotion_check.md.jinja", **values)


def lines(reviews: Reviews) -> Sequence[str]:
    """Return the reviews for a terminal."""
    checks = [
        f"{review.model}: {check.state:<7} {check.name}: {check.sentence}"
        for review in reviews.reviews
        for check in review.checks
    ]
    return checks or ["no manifest changes"]
