"""The manifest `model/NAME/production.json`, in which git declares the version in Production."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from core.errors import RecordError, RegistryError
from core.records import Record
from monitoring.performance import KEPT_PROMOTIONS, PromotedScore
from registry import Number, Sha256

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Manifest(Record):
    """One version of one registered model, bound to what was reviewed.

    `digest` is that of the model's files, `records_digest` that of its baseline, example and times (None for versions
    of before there was one), `data_digest` that of the rows it was trained on, `commit` that of the code
    (empty where there was no git), `champion` the version it was compared with. `score` is its `metric` on the holdout,
    `promoted` the newest such scores of promoted versions, oldest first, this one last. `reference` is their mean, with
    which later scores are compared. In manifests of earlier releases `promoted` is empty, and `reference` was the best
    score so far.
    """

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
    version: Number
    run_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    digest: Sha256
    data_digest: Sha256
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]
    champion: Number | None
    trained_at: AwareDatetime
    data_until: AwareDatetime
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    score: Finite
    reference: Finite
    reason: Annotated[str, Field(max_length=500)]
    records_digest: Sha256 | None = None
    promoted: Annotated[tuple[PromotedScore, ...], Field(max_length=KEPT_PROMOTIONS)] = ()

    def promoted_in(self, metric: str) -> tuple[PromotedScore, ...]:
        """Return the promoted scores of `metric`; scores of another metric cannot be compared with it.

        From a manifest of an earlier release only its own score: its reference is the luckiest score of a year.
        """
        known = self.promoted or (PromotedScore(version=self.version, metric=self.metric, score=self.score),)
        return tuple(score for score in known if score.metric == metric)


def path(name: str) -> str:
    """Return the path of the manifest of the model folder `name` in the repository."""
    return f"model/{name}/production.json"


def read(root: Path, name: str) -> Manifest | None:
    """Return what the repository at `root` declares for the model folder `name`; None if it declares nothing.

    Raises:
        RegistryError: the file cannot be read, or is not a manifest.
    """
    try:
        return parse((root / path(name)).read_text(encoding="utf-8"), name)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as err:
        raise _unusable(name, f"{path(name)} cannot be read: {err}.") from err


def parse(text: str, name: str) -> Manifest:
    """Return the manifest in the text of a file of the model folder `name`; errors as in `read`."""
    try:
        json.loads(text, object_pairs_hook=_unique_keys)
        return Manifest.from_json(text, origin=path(name))
    except RecordError as err:
        raise _unusable(name, err.what) from err
    except (ValueError, RecursionError) as err:
        raise _unusable(name, f"{path(name)} cannot be read: {err}.") from err


def _unusable(name: str, problem: str) -> RegistryError:
    return RegistryError(
        problem,
        why="It was edited by hand, or contains conflict markers of a merge.",
        fix=f"Restore the last good one: git log -p -- {path(name)} shows it.",
    )


def dump(manifest: Manifest) -> str:
    """Return the text of `production.json`: one key a line, sorted, so that a pull request shows what changes."""
    fields = {"record": manifest.stamp(), **manifest.model_dump(mode="json")}
    return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, and refuse duplicate keys: a reviewer may read the first and a program the second."""
    names = [name for name, _ in pairs]
    duplicate = sorted({name for name in names if names.count(name) > 1})
    if duplicate:
        raise ValueError(f"duplicate key{'s' if len(duplicate) > 1 else ''} {', '.join(duplicate)}")
    return dict(pairs)
