"""The checks of a manifest before it may move Production: the same for a pull request and for `mlops promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.errors import RegistryError
from core.records import Record
from registry.promotion.plan import REVERT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry import ModelVersion
    from registry.promotion.manifest import Manifest
    from registry.promotion.plan import RegistryState
    from training.gates import Verdict


class Check(Record):
    """The result of one check."""

    name: str
    state: Literal["passes", "blocks", "note"]
    sentence: str


def checks(
    proposed: Manifest, versions: Mapping[int, ModelVersion], verdict: Verdict | None, state: RegistryState
) -> tuple[Check, ...]:
    """Return the results of all checks: the verdict, the version it was compared with, and the training's time.

    Args:
        proposed: what git declares, or would declare.
        versions: those that mlops train registered, by number.
        verdict: the one that MLflow keeps with the declared version.
        state: of the registry, before a move.
    """
    version, production = versions.get(proposed.version), in_production(state, proposed)
    returning = version is not None and version.promoted_at is not None
    results = (
        evidence(proposed, verdict, returning=returning),
        champion(proposed, production, returning=returning),
        newer(proposed, versions.get(production) if production else None, returning=returning),
    )
    return tuple(check for check in results if check is not None)


def require(results: tuple[Check, ...]) -> None:
    """Make sure that no check blocks.

    Raises:
        RegistryError: with the sentence of the first that does.
    """
    for check in results:
        if check.state == "blocks":
            raise RegistryError(
                check.sentence,
                why="The check of the pull request was red too. Production moves only to what both accept.",
                fix=REVERT,
            )


def in_production(state: RegistryState, proposed: Manifest) -> int | None:
    """Return the version to compare with: in Production now, or the last one that was if none is.

    If there are several by hand, the declared one or the one that it was compared with counts.
    """
    if len(state.production) > 1:
        wanted = (proposed.version, proposed.champion, state.production[0])
        return next(number for number in wanted if number in state.production)
    if state.production:
        return state.production[0]
    return max(state.promoted, key=lambda number: state.promoted[number], default=None)


def is_rollback(version: ModelVersion | None, production: int | None) -> bool:
    """Return whether declaring `version` goes back to an older one, which was in Production before."""
    return (
        version is not None and version.promoted_at is not None and production is not None
    ) and version.version < production


def champion(proposed: Manifest, production: int | None, *, returning: bool) -> Check:
    """Return whether the candidate was compared with the version that is in Production now."""
    if production == proposed.version:
        return Check(name="champion", state="passes", sentence=f"Version {production} is in Production already.")
    if proposed.champion == production:
        compared = f"The candidate was compared with version {production}, which" if production else "No version"
        return Check(name="champion", state="passes", sentence=f"{compared} is in Production now.")
    if returning:
        sentence = f"Version {proposed.version} was in Production before, so nothing is compared."
        return Check(name="champion", state="passes", sentence=sentence)
    compared = f"version {proposed.champion}" if proposed.champion else "no version"
    now = f"version {production}" if production else "no version"
    return Check(
        name="champion",
        state="blocks",
        sentence=f"Stale: the candidate was compared with {compared}, but {now} is in Production now. Close the pull "
        "request. The next nightly run with a reason trains and compares again (or dispatch retrain with force).",
    )


def newer(proposed: Manifest, current: ModelVersion | None, *, returning: bool) -> Check | None:
    """Return whether the promoted model is later than the one in Production; None if nothing speaks against it."""
    if returning or current is None or proposed.version == current.version:
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


def evidence(proposed: Manifest, verdict: Verdict | None, *, returning: bool) -> Check:
    """Return whether the manifest matches the verdict that MLflow keeps with the version.

    A version that was in Production keeps the verdict that brought it there. If it is proposed again, its manifest has
    the time, champion and score of a later comparison: a difference in these is only noted.
    """
    if verdict is None:
        sentence = f"MLflow has no verdict of version {proposed.version}: it was never validated, or was deleted."
        return Check(name="evidence", state="blocks", sentence=sentence)
    if not verdict.passed:
        sentence = f"Its verdict in MLflow says that the gates refused version {proposed.version}."
        return Check(name="evidence", state="blocks", sentence=sentence)
    candidate, main = verdict.candidate, verdict.main_score
    model = {
        "model": candidate.registry_name,
        "version": candidate.version,
        "run_id": candidate.run_id,
        "digest": candidate.digest,
        "data_digest": candidate.data_digest,
        "data_until": candidate.data_until,
    }
    if proposed.records_digest is not None:  # versions that are older than this digest have none
        model["records_digest"] = candidate.records_digest
    comparison = {
        "trained_at": candidate.as_of,
        "champion": verdict.champion,
        "metric": main and main.metric,
        "score": main and main.value,
    }
    if verdict.promoted:  # verdicts of earlier releases have none
        comparison["reference"] = verdict.reference
    if edited := _differences(proposed, model if returning else {**model, **comparison}):
        sentence = f"The manifest differs from what was validated: {edited}. It was edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    if edited := _differences(proposed, comparison):
        sentence = f"The manifest differs from the verdict that brought version {proposed.version} into Production: "
        sentence += f"{edited}. It was compared again, or edited by hand."
        return Check(name="evidence", state="note", sentence=sentence)
    if not returning and verdict.promoted and proposed.promoted != verdict.promoted:
        sentence = "The promoted scores in the manifest differ from what was validated. They were edited by hand."
        return Check(name="evidence", state="blocks", sentence=sentence)
    return Check(name="evidence", state="passes", sentence="The manifest matches the verdict in MLflow.")


def _differences(proposed: Manifest, validated: Mapping[str, object]) -> str:
    """Return how the fields of the manifest differ from what was validated, as text; empty if they do not."""
    edited = [name for name, value in validated.items() if getattr(proposed, name) != value]
    return ", ".join(f"{name} is {getattr(proposed, name)}, not {validated[name]}" for name in edited[:3])
