"""Text from data, options and errors stays text, wherever it comes out."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import DataError
from core.failure import Failure
from core.replay_result import Alarms, PolicyResult, ReplayResult
from monitoring.triggers.decision import Decision
from registry.promotion.checks import Check
from review import alerts, pull_request
from review.pages import pull_request_page, replay_page, report
from review.pull_request import promotion_check, replay_comment
from review.pull_request.promotion_check import Review, Reviews
from review.text import markdown
from review.text.links import Links
from scripts.app import trace
from scripts.cli import github_runner, output
from tests.hostile import FRAGMENTS, hostile, obeyed, reaches_out, spoiled
from tests.place import FIRST, Place, Ran
from tests.review.conftest import NIGHT, verdict  # noqa: F401 - a fixture
from tests.review.pages.test_pull_request_page import DIFF, Tags, proposal
from tests.review.pages.test_replay_page import tale, told
from tests.review.pull_request.test_body import skeleton
from training.gates.validate import Verdict

Writer = Callable[[Verdict, str], str]


def failure(text: str) -> Failure:
    """A stage that failed with that text in all parts of its error."""
    return Failure.of("flights", NIGHT, "pull", DataError(text, why=text, fix=text))


def reviews(text: str) -> Reviews:
    """A promotion check that found it."""
    check = Check(name="evidence", state="passes", sentence=text)
    return Reviews(reviews=(Review(model="flights", rollback=False, version=2, checks=(check,), steps=(text,)),))


def replayed(text: str) -> ReplayResult:
    """A replay of a policy of that name."""
    alarms = Alarms(performance=1, drift=0, age=0)
    one = PolicyResult(
        policy=text,
        nights=90,
        alarms=alarms,
        retrains=1,
        promotions=1,
        refusals=0,
        mean=0.6,
        worst_week=0.5,
        share_under_floor=0.0,
        false_alarms=None,
        nights_to_first_alarm=None,
    )
    return ReplayResult(metric="accuracy", policies=(one,))


def earlier(made: Verdict, text: str) -> str:
    """The body of a pull request that takes the place of one with such a title."""
    return pull_request.render_body(made, previous=proposal("x", title=text))


TEXTS: dict[str, Writer] = {
    "pull request": lambda made, text: pull_request.render_body(spoiled(made, text)),
    "pull request that is updated": earlier,
    "issue of a failure": lambda _, text: alerts.failed(failure(text), None).body,
    "issue of a refusal": lambda made, text: alerts.refused(spoiled(made, text), None, text).body,
    "issue of a dead job": lambda _, text: alerts.stopped(text, text, NIGHT, None).body,
    "comment on a promotion": lambda _, text: promotion_check.text(reviews(text)),
    "comment on thresholds": lambda _, text: replay_comment.text(text, replayed(text)),
    "summary of an error": lambda _, text: printed(lambda: output.error(DataError(text, why=text, fix=text))).summary,
    "summary of a result": lambda _, text: printed(lambda: show(text)).summary,
}
TITLES: dict[str, Writer] = {
    "pull request and commit": lambda made, text: pull_request.title(spoiled(made, text)),
    "issue of a failure": lambda _, text: alerts.failed(failure(text).model_copy(update={"model": text}), None).title,
    "issue of a refusal": lambda made, text: alerts.refused(spoiled(made, text), None, None).title,
    "issue of a dead job": lambda _, text: alerts.stopped(text, text, NIGHT, None).title,
    "chat": lambda _, text: alerts.short(alerts.failed(failure(text), None)),
}


@pytest.mark.parametrize("write", TEXTS.values(), ids=TEXTS)
@given(text=hostile)
def test_no_text_on_github_gets_a_shape_a_link_or_a_reader(verdict: Verdict, write: Writer, text: str) -> None:  # noqa: F811
    """Blocks, rows, cells and HTML are those that harmless text gets; nobody is named, nothing linked or closed."""
    said = write(verdict, f"x {text} x")

    assert skeleton(write(verdict, "x")) == skeleton(said)
    assert "" == reaches_out(re.sub(r"\(https://github\.com/[\w/]+\)", "", said))
    assert all(c.isprintable() or c in "\n\u200b\u00a0" for c in said)


@pytest.mark.parametrize("write", TITLES.values(), ids=TITLES)
@given(text=hostile)
def test_a_title_is_one_line_that_names_and_closes_nothing(verdict: Verdict, write: Writer, text: str) -> None:  # noqa: F811
    """Titles, commit messages and chat: one line, no control character, no mention, no issue, no address."""
    said = write(verdict, text)

    assert all(c.isprintable() or c == "\u200b" for c in said)
    assert "" == reaches_out(said)


@given(hostile)
def test_only_a_plain_address_becomes_a_link(text: str) -> None:
    """What a variable holds in place of an address is left out, and cannot end the link it would stand in."""
    said = markdown.link("report", text) + markdown.link("x", Links(mlflow_url=text).mlflow_page("models/x"))

    assert said.count("](") == len(re.findall(r"\[\w+\]\(https?://[^\s()<>]+\)", said))


@given(text=hostile)
def test_a_page_keeps_its_tags(text: str) -> None:
    """The page of a pull request has the same tags and attributes, whatever its title, text, reason and change say."""

    def shape(said: str) -> list[tuple[str, tuple[str, ...]]]:
        made = pull_request_page.render_pull_request(
            proposal("x", title=said, reason=said, state="closed"), DIFF.replace('"version": 4', said)
        )
        return [(tag, tuple(attributes)) for tag, attributes in Tags(made).found]

    line = " ".join(text.splitlines())
    assert shape("x") == shape(f"x{line}")


@given(text=hostile)
def test_a_report_keeps_its_tags(verdict: Verdict, text: str) -> None:  # noqa: F811
    """The report has the same tags and attributes, whatever stands in any field of the verdict."""

    def shape(said: str) -> list[tuple[str, tuple[str, ...]]]:
        return [
            (tag, tuple(attributes)) for tag, attributes in Tags(report.render_report(spoiled(verdict, said))).found
        ]

    assert shape("x") == shape(f"x{text}")


@given(text=hostile)
def test_the_picture_of_a_replay_keeps_its_tags(text: str) -> None:
    """Names of policies, and reasons of nights, are text in the page of a replay."""

    def shape(said: str) -> list[tuple[str, tuple[str, ...]]]:
        nights = [told(0), told(1, stopped=True, why=said), told(2, retrained=True, refused=True, why=said), told(3)]
        made = replay_page.render_replay("flights", [tale(*nights, policy=said)], None)
        return [(tag, tuple(attributes)) for tag, attributes in Tags(made).found]

    assert shape("x") == shape(f"x{text}")


class Printed:
    """What a step left: its log, its outputs, its summary."""

    def __init__(self, log: str, folder: Path) -> None:
        self.log = log
        self.outputs = _read(folder / "output")
        self.summary = _read(folder / "summary")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def printed(say: Callable[[], None], **env: str) -> Printed:
    """What a step of a workflow run leaves in which `say` runs."""
    log = io.StringIO()
    with TemporaryDirectory() as folder:
        files = {"GITHUB_OUTPUT": f"{folder}/output", "GITHUB_STEP_SUMMARY": f"{folder}/summary"}
        streams = contextlib.redirect_stdout(log), contextlib.redirect_stderr(log)
        with (
            patch.dict(os.environ, {"GITHUB_ACTIONS": "true", **files, **env}),
            streams[0],
            streams[1],
            github_runner.disable_workflow_commands(),
        ):
            say()
        return Printed(log.getvalue(), Path(folder))


def show(text: str) -> None:
    """A result of several lines, as commands print it."""
    output.show({"text": text}, [f"head {output.clean(text)}", output.clean(text)], as_json=False)


def library(text: str) -> None:
    """What a library prints, without asking us."""
    sys.stdout.write(f"{text}\n")
    sys.stderr.write(text)


SAYERS: dict[str, tuple[Callable[[str], None], set[str]]] = {
    "error": (lambda text: output.error(DataError(text, why=text, fix=text)), {"error"}),
    "warning": (output.warn, {"warning"}),
    "result": (show, {"group", "endgroup"}),
    "table": (lambda text: output.table(text, (text, text), [(text, text)]), set()),
    "library": (library, set()),
    "program": (lambda text: output.show({"text": text}, (), as_json=True), set()),
}


@pytest.mark.parametrize(("say", "ours"), SAYERS.values(), ids=SAYERS)
@given(text=hostile)
def test_a_log_obeys_nobody_but_us(say: Callable[[str], None], ours: set[str], text: str) -> None:
    """A runner carries out our own commands and no other, and a terminal finds nothing to obey."""
    said = printed(lambda: say(text)).log

    assert ours == set(obeyed(said))
    assert all(c.isprintable() or c in "\n\t\u200b" for c in said)


@given(hostile)
def test_a_terminal_shows_the_letters(text: str) -> None:
    """Markup of the console, colours and links that stand in data are letters on a terminal too."""
    line = output.clean(text)

    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    # The console shows a backslash at the very end twice.
    assert output.unmarked(f"[bold]a[/] {line}").rstrip("\\") == f"a {shown}".rstrip("\\")


@given(hostile)
def test_json_on_a_terminal_is_letters_and_means_the_same(text: str) -> None:
    """What --json prints has nothing in it that a terminal obeys, and is read as the text that was meant."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        output.show({"text": text}, (), as_json=True)

    assert all(c.isprintable() or c == "\n" for c in said.getvalue())
    assert {"text": text} == json.loads(said.getvalue())


@example("x\nEOF\nretrain=true\nmodel<<EOF\ny", "false")
@given(hostile, hostile)
def test_an_output_cannot_be_forged(text: str, other: str) -> None:
    """Whatever a value holds, the runner reads exactly the outputs that were set."""

    def say() -> None:
        github_runner.output("model", text)
        github_runner.output("retrain", other)

    assert ["model", "retrain"] == [name for name, _ in _parsed(printed(say).outputs)]


def _parsed(text: str) -> Iterator[tuple[str, str]]:
    """Outputs as a runner reads them."""
    lines = iter(re.split("\r\n|\r|\n", text))
    for line in lines:
        if "<<" in line:
            name, mark = line.split("<<", 1)
            yield name, "\n".join(iter(lambda: next(lines), mark))
        elif "=" in line:
            yield (line.split("=", 1)[0], line.split("=", 1)[1])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1) | hostile)
def test_a_name_in_sql_is_a_name(text: str) -> None:
    """No name of a column or table ends the quotes that it stands in, in SQLite and in a warehouse."""
    import sqlite3

    import duckdb

    from monitoring.sources.adbc import DRIVERS
    from monitoring.sources.sqlite import _quoted
    from monitoring.sources.warehouse import quoted

    name = text.encode(errors="ignore").decode().replace("\0", "") or "x"
    with contextlib.closing(sqlite3.connect(":memory:")) as small:
        assert name == small.execute(f"SELECT 1 AS {_quoted(name)}").description[0][0]
    with duckdb.connect() as large:
        assert name == large.execute(f"SELECT 1 AS {quoted(name, DRIVERS['duckdb'])}").description[0][0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, mlflow_store: Path) -> Place:
    """A repository before its first training, whose window is counted."""
    made = Place.make(tmp_path_factory.mktemp("hostile") / "repo", store=mlflow_store)
    assert 0 == made.mlops("pull").code
    return made


INPUTS = [text for text in (*FRAGMENTS, "not UTF-8 \udcff") if "\0" not in text and "\ud800" not in text]


def step(place: Place, folder: Path, *words: str, day: dt.date | None = FIRST, **env: str) -> tuple[Ran, list[str]]:
    """A step of a workflow run, and the names of the outputs that it set."""
    files = {"GITHUB_OUTPUT": f"{folder}/output", "GITHUB_STEP_SUMMARY": f"{folder}/summary"}
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{place.folder}/local/mlflow.db", "MLOPS_FORGE": f"{folder}/forge.git"}
    ran = place.mlops(*words, day=day, env={"GITHUB_ACTIONS": "true", **files, **store, **env})
    return ran, [name for name, _ in _parsed(_read(folder / "output"))]


@pytest.mark.parametrize("text", INPUTS)
def test_a_reason_that_is_typed_in_is_only_a_reason(place: Place, tmp_path: Path, text: str) -> None:
    """Whatever is typed in as the reason of a training, the step sets its one output, and says it in one line."""
    ran, outputs = step(place, tmp_path, "check", MLOPS_REASON=text)

    assert (0, ["retrain"]) == (ran.code, outputs), ran.err
    assert {"group", "endgroup"} == set(obeyed(ran.out))
    said = Decision.read(place.folder / "local" / "flights" / "decision.json").readings[0].sentence
    assert said.isprintable()


@pytest.mark.parametrize("text", INPUTS)
def test_a_model_that_is_typed_in_is_one_that_is_there(place: Place, tmp_path: Path, text: str) -> None:
    """Whatever is typed in as the model, the step refuses it, sets no output and makes no file."""
    before = sorted(place.folder.rglob("*"))
    for command in ("models", "alert", "check", "promote"):
        ran, outputs = step(place, tmp_path, command, day=None, MLOPS_MODEL=text, MLOPS_JOBS="{}")
        assert (2, []) == (ran.code, outputs), ran.err
        assert {"error"} == set(obeyed(ran.out))

    assert before == sorted(place.folder.rglob("*"))


@given(hostile)
def test_a_trace_tells_the_place_and_no_value(text: str) -> None:
    """An error that nobody foresaw is told by its class and its lines of code: its words may quote a row."""

    def say() -> None:
        try:
            int(f"r0w {text}")
        except ValueError as err:
            trace(err)

    log = printed(say).log
    assert "ValueError\n" in log
    assert "test_hostile.py" in log
    assert "invalid literal" not in log


@given(hostile)
def test_a_failure_can_always_be_handed_over(text: str) -> None:
    """Whatever an error quotes, also a file's name that is not UTF-8, its record can be written and read."""
    made = failure(text)

    assert made == Failure.from_json(made.to_json())


def test_a_folder_that_is_no_name_is_not_handed_to_workflows(tmp_path: Path) -> None:
    """A model's folder whose name could be a path, an option or a command ends `mlops models`, and sets no output."""
    root = tmp_path / "repo"
    for name in ("flights", "-x $(touch pwned)\n::set-output name=models::[]"):
        (root / "model" / name).mkdir(parents=True)
        (root / "model" / name / "model.toml").write_text("")
    ran, outputs = step(Place(root), tmp_path, "models", day=None)

    assert (2, []) == (ran.code, outputs), ran.err
    assert {"error"} == set(obeyed(ran.out))
