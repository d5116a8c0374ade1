from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BusyError, OutsideError, RecordError, UsageError
from scripts.cli import output
from stages.clock import instant
from stages.lock import exclusive_lock
from stages.repository import find_root, head_commit, only_model
from tests.place import FIRST, Place


@pytest.fixture
def place(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository in which nothing has run yet."""
    return Place.make(tmp_path / "repo", store=mlflow_store)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-06-01", dt.datetime(2013, 6, 1, tzinfo=dt.UTC)),
        ("2013-06-01T02:00:00+02:00", dt.datetime(2013, 6, 1, tzinfo=dt.UTC)),
    ],
)
def test_an_instant_is_utc(text: str, expected: dt.datetime) -> None:
    """Dates are midnights, and other zones are brought to UTC; neither counts as now."""
    assert (expected, False) == instant(text)


def test_an_impossible_instant_is_a_usage_error() -> None:
    """A date that does not exist ends with the form that is wanted."""
    with pytest.raises(UsageError) as caught:
        instant("2013-02-30")
    assert "2013-06-01" in caught.value.fix


@given(st.text())
def test_text_from_data_cannot_steer_the_terminal(text: str) -> None:
    """Control characters are gone, and console markup is shown, not obeyed."""
    from rich.text import Text

    shown = Text.from_markup(output.clean(text)).plain

    assert all(c.isprintable() or c == "\n" for c in shown)
    assert "[bold]x[/]" == Text.from_markup(output.clean("[bold]x[/]")).plain


def test_only_one_run_holds_a_model(tmp_path: Path) -> None:
    """A second holder is refused at once; after the first has ended it is let in."""
    with exclusive_lock(tmp_path, "churn"), pytest.raises(BusyError, match="churn"), exclusive_lock(tmp_path, "churn"):
        pass
    with exclusive_lock(tmp_path, "churn"):
        pass


def test_the_repository_is_found_from_below(place: Place) -> None:
    """A command may be started in any folder of the repository, and elsewhere says so."""
    assert place.folder == find_root(place.folder / "model" / "flights")
    assert "flights" == only_model(place.folder)
    with pytest.raises(UsageError, match="model/NAME"):
        find_root(Path("/"))


def test_with_several_models_one_must_be_named(place: Place) -> None:
    """Two models: a command for one asks which, a command for all takes both."""
    place.add_model("other")

    assert 2 == place.mlops("pull").code
    assert ["flights", "other"] == [result["model"] for result in place.mlops("promote", "--json").data["models"]]


def test_the_commit_is_the_one_checked_out(place: Place, tmp_path: Path) -> None:
    """The manifest gets the commit of the repository, and nothing where there is none."""
    assert place.person.git("rev-parse", "HEAD") == head_commit(place.folder)
    assert "" == head_commit(tmp_path / "..")


def test_a_stage_takes_the_instant_of_the_record_before(place: Place) -> None:
    """A record of another model or another night is refused; --as-of must be that of the record."""
    from monitoring.counting.window import Window

    assert 0 == place.mlops("pull").code
    night = place.night(FIRST)
    assert FIRST == night.read_record(Window, "window.json", None).as_of.date()
    for wrong in (place.night(FIRST + dt.timedelta(days=1)),):
        with pytest.raises(RecordError, match="2013-03-04"):
            wrong.read_record(Window, "window.json", None)
    path = place.folder / "local" / "flights" / "window.json"
    path.write_text(path.read_text().replace('"flights"', '"other"', 1))
    with pytest.raises(RecordError, match="other"):
        night.read_record(Window, "window.json", None)


def test_a_new_model_is_trained_first_and_watched_later(place: Place) -> None:
    """Before the first promotion there is nothing to watch: pull is empty, check asks for a training, promote waits."""
    assert "no version in Production" in place.mlops("pull").out
    decided = place.mlops("check", "--json").data

    assert (True, True) == (decided["retrain"], decided["first"])
    assert "git declares no version yet" in place.mlops("promote").out
    assert "nothing yet" in place.mlops("status").out


def test_nothing_is_trained_without_a_decision_for_it(place: Place) -> None:
    """`train` obeys decision.json: a no ends well, and registers nothing."""
    place.mlops("pull")
    place.mlops("check")
    path = place.folder / "local" / "flights" / "decision.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "retrain": False}))
    ran = place.mlops("train")

    assert (0, 0) == (ran.code, place.versions())
    assert "not to retrain" in ran.out


def test_a_result_can_be_kept_in_a_file(place: Place, tmp_path: Path) -> None:
    """`--out` writes what `--json` prints, and a place that cannot be written is our error."""
    ran = place.mlops("status", "--json", "--out", str(tmp_path / "status.json"))

    assert ran.data == json.loads((tmp_path / "status.json").read_text())
    (tmp_path / "file").write_text("")
    assert OutsideError.exit_code == place.mlops("status", "--out", str(tmp_path / "file" / "x.json")).code


def test_failures_are_in_the_history(place: Place) -> None:
    """A night that ended with an error is an event with its stage and its error."""
    place.mlops("pull")
    place.mlops("check")
    place.database.unlink()
    assert 3 == place.mlops("train").code
    last = place.mlops("history", "--json", day=None).data["events"][-1]

    assert ("failure", "train", False) == (last["event"], last["trigger"], last["success"])
    assert "monitoring.db" in last["error"]


def test_our_errors_have_no_trace_unless_asked(place: Place) -> None:
    """A foreseen error is three short lines; --traceback shows where it came from."""
    assert "Traceback" not in place.mlops("pull", "--model", "none").err
    with pytest.raises(UsageError):
        place.mlops("--traceback", "pull", "--model", "none")
