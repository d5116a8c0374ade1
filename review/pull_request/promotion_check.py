"""Checks of a pull request that changes a manifest: does it still match the validated candidate and Production?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core import wording
from core.records import Record
from review.text import CheckState, numbers, template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry import ModelVersion
    from registry.promotion import Manifest
    from training.gates import Verdict


class Check(Record):
    """The result of one check."""

    name: str
    state: Literal["passes", "blocks", "note"]
    sentence: str


class Review(Record):
    """The checks of one model's manifest.

    `rollback`: the declared version was in Production before, and is not now. `steps`: what merging would do.
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


def is_rollback(version: ModelVersion | None, production: int | None) -> bool:
    """Return whether declaring `version` restores one that was in Production before."""
    return version is not None and version.promoted_at is not None and version.version != production


def champion(proposed: Manifest, production: int | None, *, rollback: bool) -> Check:
    """Return whether the candidate was compared with the version that is in Production now."""
    if rollback:
        sentence = f"Version {proposed.version} was in Production before. This is a rollback, so nothing is compared."
        return Check(name="champion", state="passes", sentence=sentence)
    if production == proposed.version:
        return Check(name="champion", state="passes", sentence=f"Version {production} is in Production already.")
    if proposed.champion == production:
        compared = f"The candidate was compared with version {production}, which" if production else "No version"
        return Check(name="champion", state="passes", sentence=f"{compared} is in Production now.")
    compared = f"version {proposed.champion}" if proposed.champion else "no version"
    now = f"version {production}" if production else "no version"
    return Check(
        name="champion",
        state="blocks",
        sentence=f"Stale: the candidate was compared with {compared}, but {now} is in Production now. Close the pull "
        "request. The next nightly run with a reason trains and compares again (or dispatch retrain with force).",
    )


def newer(proposed: Manifest, current: ModelVersion | None, *, rollback: bool) -> Check | None:
    """Return whether the promoted model is later than the one in Production; None if nothing speaks against it."""
    if rollback or current is None or proposed.version == current.version:
        return None
    if proposed.trained_at > current.trained_at:
        return None
    return Check(
        name="newer",
        state="blocks",
        sentence=f"Stale: version {proposed.version} was trained on {proposed.trained_at:%Y-%m-%d}, not after version "
        f"{current.version} ({current.trained_at:%Y-%m-%d}), which is in Production. It was "
        "never in Production itself.",
    )


def evidence(proposed: Manifest, verdict: Verdict | None, *, rollback: bool) -> Check:
    """Return whether the manifest matches the verdict that MLflow keeps with the version."""
    if verdict is None:
        sentence = f"MLflow has no verdict of version {proposed.version}: it was never validated, or was deleted."
        return Check(name="evidence", state="blocks", sentence=sentence)
    candidate, main = verdict.candidate, verdict.main_score
    validated = {
        "model": candidate.registry_name,
        "version": candidate.version,
        "run_id": candidate.run_id,
        "digest": candidate.digest,
        "records_digest": candidate.records_digest,
        "data_digest": candidate.data_digest,
        "trained_at": candidate.as_of,
        "data_until": candidate.data_until,
    }
    if not rollback:  # a version that was validated again since has another champion in its verdict
        validated |= {"champion": verdict.champion, "metric": main and main.metric, "score": main and main.value}
        if verdict.promoted:
            validated["reference"] = verdict.reference
    if not verdict.passed:
        sentence = f"Its verdict in MLflow says that the gates refused version {proposed.version}."
        return Check(name="evidence", state="blocks", sentence=sentence)
    edited = [name for name, value in validated.items() if getattr(proposed, name) != value]
    if edited:
        differences = ", ".join(f"{name} is {getattr(proposed, name)}, not {validated[name]}" for name in edited[:3])
        sentence = f"The manifest differs from what was validated: {differences}. It was edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    if not rollback and verdict.promoted and proposed.promoted != verdict.promoted:
        sentence = "The promoted scores in the manifest differ from what was validated. They were edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    return Check(name="evidence", state="passes", sentence="The manifest matches the verdict in MLflow.")


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
