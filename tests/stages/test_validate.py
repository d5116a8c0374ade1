"""The champion that a candidate is compared with is the model that git declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.place import SECOND, Place


@pytest.mark.parametrize("command", ["pull", "validate", "status"])
@pytest.mark.parametrize("tag", ["digest", "data_digest"])
def test_a_champion_under_another_digest_than_git_declares_is_refused(
    tmp_path: Path, mlflow_store: Path, command: str, tag: str
) -> None:
    """Somebody who writes to MLflow changed the tag of version 1: no stage takes it for the champion."""
    place = Place.proposed(tmp_path / "repo", mlflow_store)
    statement = f"UPDATE model_version_tags SET value = '{'0' * 64}' WHERE key = '{tag}' AND version = 1"  # noqa: S608
    place.sql(statement, database=place.folder / "local" / "mlflow.db")
    ran = place.mlops(command, day=SECOND)

    assert (0 if command == "status" else 5) == ran.code
    assert f"has the {tag.replace('_', ' ')} 000000000000…, but" in " ".join((ran.out + ran.err).split())
