"""Judge a pull request that changes what git declares: is it still true what its reviewer is told?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.records import Record
from review.text import code, columns, figure, plain, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry import ModelVersion
    from registry.promotion import Manifest
    from training.gates import Verdict

State = Literal["passes", "blocks", "note"]
MARKS = {"passes": "✅", "blocks": "⛔", "note": "\u2139\ufe0f"}


class Check(Record):
    """One thing that was looked at, with what was found."""

    name: str
    state: State
    sentence: str


class Review(Record):
    """What was found about one model's manifest.

    `rollback`: the declared version has been in Production before, and is not now. `steps`: what merging would do.
    """

    model: str
    rollback: bool
    version: int | None
    checks: tuple[Check, ...]
    steps: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it may be merged."""
        return all(check.state != "blocks" for check in self.checks)


class Reviews(Record):
    """What was found about a pull request: one review for each manifest that it changes."""

    reviews: tuple[Review, ...]

    @property
    def passed(self) -> bool:
        """Whether it may be merged."""
        return all(review.passed for review in self.reviews)


def removed(model: str) -> Review:
    """The pull request deletes the manifest."""
    sentence = "It deletes production.json: git would declare no version, and promote would refuse that."
    return Review(
        model=model,
        rollback=False,
        version=None,
        checks=(Check(name="declared", state="blocks", sentence=sentence),),
        steps=(),
    )


def unreadable(model: str, what: str) -> Review:
    """The manifest of the pull request is none."""
    found = Check(name="declared", state="blocks", sentence=what)
    return Review(model=model, rollback=False, version=None, checks=(found,), steps=())


def is_rollback(version: ModelVersion | None, production: int | None) -> bool:
    """Whether declaring `version` brings back one that was in Production before."""
    return version is not None and version.promoted_at is not None and version.version != production


def champion(proposed: Manifest, production: int | None, *, rollback: bool) -> Check:
    """Whether the comparison in the pull request is with the version that is in Production now."""
    if rollback:
        sentence = f"Version {proposed.version} was in Production before: this is a rollback, nothing is compared."
        return Check(name="champion", state="passes", sentence=sentence)
    if production == proposed.version:
        return Check(name="champion", state="passes", sentence=f"Version {production} is in Production already.")
    if proposed.champion == production:
        compared = f"It was compared with version {production}, which" if production else "No version"
        return Check(name="champion", state="passes", sentence=f"{compared} is in Production now.")
    was = f"version {proposed.champion}" if proposed.champion else "nothing"
    now = f"version {production}" if production else "no version"
    return Check(
        name="champion",
        state="blocks",
        sentence=f"Stale: it was compared with {was}, but {now} is in Production now. Close it: the next night that "
        "has a reason trains and compares again (or dispatch retrain with force).",
    )


def newer(proposed: Manifest, current: ModelVersion | None, *, rollback: bool) -> Check | None:
    """Whether a promotion brings a later model than the one in Production."""
    if rollback or current is None or proposed.version == current.version:
        return None
    if proposed.trained_at > current.trained_at:
        return None
    return Check(
        name="newer",
        state="blocks",
        sentence=f"Stale: version {proposed.version} was trained on {proposed.trained_at:%Y-%m-%d}, version "
        f"{current.version}, in Production, on {current.trained_at:%Y-%m-%d}, and it was never in Production itself.",
    )


def evidence(proposed: Manifest, verdict: Verdict | None, *, rollback: bool) -> Check:
    """Whether the manifest says what the verdict says that is kept with the version in MLflow."""
    if verdict is None:
        sentence = f"No verdict is kept with version {proposed.version}: it was never validated, or that was deleted."
        return Check(name="evidence", state="blocks", sentence=sentence)
    made, main = verdict.candidate, verdict.main_score
    told = {
        "model": made.registry_name,
        "version": made.version,
        "run_id": made.run_id,
        "digest": made.digest,
        "records_digest": made.records_digest,
        "data_digest": made.data_digest,
        "trained_at": made.as_of,
        "data_until": made.data_until,
    }
    if not rollback:  # one that was validated again since says other things of its champion
        told |= {"champion": verdict.champion, "metric": main and main.metric, "score": main and main.value}
        if verdict.promoted:
            told["reference"] = verdict.reference
    wrong = [name for name, value in told.items() if getattr(proposed, name) != value]
    if not rollback and verdict.promoted and not wrong and proposed.promoted != verdict.promoted:
        sentence = "The promoted scores in the manifest are not those of the validation: it was edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    if not verdict.passed:
        return Check(name="evidence", state="blocks", sentence="The verdict kept with it says that it was refused.")
    if wrong:
        differ = ", ".join(f"{name} is {getattr(proposed, name)}, validated was {told[name]}" for name in wrong[:3])
        sentence = f"The manifest is not what was validated: {differ}. It was edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    return Check(name="evidence", state="passes", sentence="The manifest says what the verdict in MLflow says.")


def reference(proposed: Manifest, before: Manifest | None, *, rollback: bool) -> Check | None:
    """What merging does to the score that the performance trigger measures against; lowering it must be seen."""
    if before is None or (before.metric == proposed.metric and before.reference == proposed.reference):
        return None
    if before.metric != proposed.metric:
        sentence = f"The reference is now a score of {proposed.metric}: {figure(proposed.reference, proposed.metric)}."
        return Check(name="reference", state="note", sentence=sentence)
    change = " to ".join(figure(one.reference, proposed.metric) for one in (before, proposed))
    if proposed.reference > before.reference:
        return Check(name="reference", state="passes", sentence=f"The reference score rises from {change}.")
    because = "as it was before" if rollback else "because versions promoted later scored lower"
    return Check(name="reference", state="note", sentence=f"The reference score falls from {change}, {because}.")


def text(made: Reviews, run_url: str | None = None) -> str:
    """The verdict in Markdown: for the summary of the run and for the comment on the pull request."""
    if not made.reviews:
        return "No manifest changes: nothing is promoted by merging this."
    parts = [_one(review) for review in made.reviews]
    run = f"[workflow run]({run_url})" if run_url else ""
    return "\n\n".join([*parts, *([run] if run else [])])


def _one(review: Review) -> str:
    kind = "rollback" if review.rollback else "promotion"
    version = f" to version {review.version}" if review.version else ""
    verdict = "may be merged" if review.passed else "must not be merged"
    head = f"### {MARKS['passes' if review.passed else 'blocks']} {code(review.model)}: this {kind}{version} {verdict}"
    rows = [(f"{MARKS[one.state]}\u00a0{plain(one.name)}", plain(one.sentence, 600)) for one in review.checks]
    steps = [plain(step) for step in review.steps]
    merging = f"**Merging** will {'; '.join(steps)}." if steps and review.passed else ""
    return "\n\n".join(filter(None, [head, table(columns("Check", "Found"), rows), merging]))


def lines(made: Reviews) -> Sequence[str]:
    """The verdict for a terminal."""
    said = [
        f"{one.model}: {check.state:<7} {check.name}: {check.sentence}" for one in made.reviews for check in one.checks
    ]
    return said or ["no manifest changes"]
