"""`mlops site` on a repository with two models: what it writes, what it keeps to itself, what stops it and what not."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from core.days import midnight
from registry.events import Event, record_event
from scripts.site import drift
from tests.place import FIRST, Place

LATER = dt.date(2013, 4, 3)
NOBODY = "http://tracker:hunter2@127.0.0.1:9"
SECRET = "https://tracker:hunter2@mlflow.internal.example"  # noqa: S105 - made up


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, served: Place) -> Place:
    """Flights four weeks in service and judged once more, taxis that nobody has trained."""
    place = served.copy(tmp_path_factory.mktemp("site") / "repo")
    for words in (["pull"], ["check"]):
        assert place.mlops(*words, day=LATER).code == 0
    place.add_model("taxis")
    return place


def texts(folder: Path) -> dict[str, str]:
    """The pages that were written."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.html")}


def test_every_model_gets_a_page(story: Place, tmp_path: Path) -> None:
    """The index and two pages, that others may read, from the event log and the days that the last night counted."""
    ran = story.mlops("site", "--out-dir", str(tmp_path), "--json", day=LATER)
    pages = texts(tmp_path)

    assert (0, "") == (ran.code, ran.err)
    assert ["index.html", "flights/index.html", "taxis/index.html"] == ran.data["pages"]
    assert (str(tmp_path), {}, set(pages)) == (ran.data["folder"], ran.data["unread"], set(ran.data["pages"]))
    assert "Version 1 in service since 2013-03-04" in pages["flights/index.html"]
    assert "Version 1 promoted" in pages["flights/index.html"]
    assert {"carrier", "humid", "distance"} <= set(re.findall(r'class="name">(\w+)', pages["flights/index.html"]))
    assert "No version is in service" in pages["taxis/index.html"]
    assert all((tmp_path / name).stat().st_mode & 0o444 == 0o444 for name in pages)
    assert not [path for path in tmp_path.rglob("*") if path.suffix != ".html" and path.is_file()]


def test_drift_is_that_of_the_last_night(story: Place) -> None:
    """Columns are judged from what was counted, without a look at the rows, as the check of that night judged them."""
    night = story.night(LATER)
    decision = (story.folder / "local" / "flights" / "decision.json").read_text()
    made = drift(night)

    assert made is not None
    assert made.nights[-1].end == LATER
    for column in made.nights[-1].columns:
        assert f'"effect":{column.effect!r}' in decision.replace(" ", "")
    assert None is drift(story.night(FIRST - dt.timedelta(days=60)))  # before all that was counted


def test_a_model_that_cannot_be_read_stops_nothing(story: Place, tmp_path: Path) -> None:
    """One model's broken config is said on its page and as a warning; the other is shown, and the command ends well."""
    place = story.copy(tmp_path / "repo")
    (place.model("taxis") / "model.toml").write_text("task = 3\n")
    ran = place.mlops("site", "--json", day=LATER)
    pages = texts(tmp_path / "repo" / "local" / "site")

    assert 0 == ran.code
    assert "warning taxis: " in ran.err
    assert ["taxis"] == list(ran.data["unread"])
    assert ran.data["unread"]["taxis"][:40] in pages["taxis/index.html"]
    assert "version 1 since 2013-03-04" in pages["index.html"]


def test_a_registry_that_does_not_answer_is_said(story: Place, tmp_path: Path) -> None:
    """Without MLflow each model's page says that it cannot be read, and never where MLflow is."""
    env = {"MLFLOW_TRACKING_URI": NOBODY, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    ran = story.mlops("site", "--out-dir", str(tmp_path), day=LATER, env=env)
    pages = texts(tmp_path)

    assert 0 == ran.code
    assert 3 == sum("cannot be read" in text for text in pages.values())
    assert not [name for name, text in pages.items() if re.search(r"hunter2|127\.0\.0\.1:9", text)]
    assert "The MLflow store $MLFLOW_TRACKING_URI could not be asked" in pages["index.html"]


def test_nothing_secret_is_on_a_page(story: Place, tmp_path: Path) -> None:
    """Addresses and passwords that an old failure quotes are replaced, also where no workflow runs; text stays text."""
    place = story.copy(tmp_path / "repo")
    quoted = f"No answer from {SECRET}/api for <b>flights</b>"
    event = Event(timestamp=midnight(LATER), model="flights", kind="failure", trigger="pull", error=quoted)
    record_event(place.night(LATER).registry.client, event)
    store = f"sqlite:///{place.folder / 'local' / 'mlflow.db'}"
    env = {"MLFLOW_TRACKING_URI": store, "APPRISE_URLS": SECRET}
    ran = place.mlops("site", "--out-dir", str(tmp_path / "out"), day=LATER, env=env)
    text = texts(tmp_path / "out")["flights/index.html"]

    assert 0 == ran.code, ran.err
    assert "Pull failed: No answer from $APPRISE_URLS/api for &lt;b&gt;flights&lt;/b&gt;" in text
    assert not re.search(r"hunter2|mlflow\.internal|<b>flights", text)


def test_what_comes_later_is_not_shown(story: Place, tmp_path: Path) -> None:
    """As of the first night the second one is not there yet."""
    ran = story.mlops("site", "--out-dir", str(tmp_path), day=FIRST)

    assert 0 == ran.code
    assert f"{LATER}" not in texts(tmp_path)["flights/index.html"]


def test_a_folder_that_cannot_be_written_is_an_error(story: Place, tmp_path: Path) -> None:
    """A file where the folder should be ends with what is in the way and what to do."""
    (tmp_path / "file").touch()
    ran = story.mlops("site", "--out-dir", str(tmp_path / "file"), day=LATER)

    assert 6 == ran.code
    assert "Cannot write" in ran.err
