from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core import errors
from core.errors import DataError, MlopsError, OutsideError, RecordError
from core.failure import Failure

NIGHT = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)


def kinds() -> list[type[MlopsError]]:
    """Every class of error."""
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, MlopsError)]
    return sorted(found, key=lambda each: each.__name__)


def test_a_foreseen_error_keeps_its_three_parts() -> None:
    """What, why and what to do are handed over as they were said."""
    made = Failure.of("flights", NIGHT, "pull", DataError("No rows.", why="The feed is late.", fix="Wait."))

    assert ("data", "No rows.", "The feed is late.", "Wait.") == (made.kind, made.what, made.why, made.fix)
    assert ("pull-data", "failure-pull.json") == (made.cause, made.file)


def test_an_unforeseen_error_is_told_by_its_class_only() -> None:
    """The text of an error that nobody foresaw may quote a row or a password, so it stays behind."""
    made = Failure.of("flights", NIGHT, "train", ValueError("could not convert 'Jane Doe' to float"))

    assert "train-unexpected" == made.cause
    assert "train failed with an unexpected ValueError." == made.what
    assert "Jane" not in made.to_json()


@pytest.mark.parametrize("kind", kinds(), ids=lambda each: each.__name__)
def test_each_class_of_error_makes_a_cause(kind: type[MlopsError]) -> None:
    """A cause is words and hyphens, so that it can stand in an issue's mark and find that issue again."""
    from review.github.threads import MARK

    made = Failure.of("flights", NIGHT, "promote", kind("It broke."))

    assert MARK.fullmatch(f"<!-- retraining flights/{made.cause} -->")


def test_two_words_are_joined_by_a_hyphen() -> None:
    """GateBlockedError is gate-blocked."""
    assert "propose-gate-blocked" == Failure.of("x", NIGHT, "propose", errors.GateBlockedError("No.")).cause


def test_a_failure_is_read_back_as_written(tmp_path: Path) -> None:
    """The file that a job leaves is the record that the next job reads; a damaged one is our error."""
    path = tmp_path / "failure-check.json"
    made = Failure.of("flights", NIGHT, "check", OutsideError("MLflow is down."))
    made.write(path)

    assert made == Failure.read(path)
    path.write_text(path.read_text()[:-9])
    with pytest.raises(RecordError):
        Failure.read(path)
