from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from core.failure import Failure
from review import alerts
from review.alerts.text import MOST, Alert
from training.gates.gates import Gate
from training.gates.validate import Verdict

NIGHT = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RUN = "https://github.com/acme/demo/actions/runs/7"
HOSTILE = "a|b @someone closes #1 <img src=x> [x](javascript:y) `c` **d** https://evil.example\n# e\n- 2013-01-01: f"


def failure(what: str = "dest is empty.", night: dt.datetime = NIGHT) -> Failure:
    """A night that stopped on its data."""
    return Failure.of("flights", night, "pull", DataError(what, why="The feed broke.", fix="Fix it."))


def nights(alert: Alert) -> list[str]:
    """The nights that an alert lists."""
    return re.findall(r"^- (\d{4}-\d\d-\d\d)", alert.body.partition(alerts.HEADING)[2], re.MULTILINE)


def test_a_failure_says_what_why_and_what_to_do() -> None:
    """The three parts of the error, what it means for Production, and the night with its run."""
    alert = alerts.failed(failure(), RUN)

    assert ("flights/pull-data", "flights: pull failed (data)") == (alert.key, alert.title)
    assert alert.body.startswith("⛔ **The pull of `flights` failed.** dest is empty.")
    assert "## Why\n\nThe feed broke." in alert.body
    assert "## What to do\n\nFix it." in alert.body
    assert "Nothing was promoted.\nThe registry could not be asked what is in Production." in alert.body
    assert alert.body.endswith(f"## Seen on\n\n- 2013-06-01: [workflow run]({RUN})\n")


HALFWAY = "Version 2 of flights is in Production, but the alias production, which services load, names version 1."


def test_a_failure_says_what_is_in_production_as_it_was_asked() -> None:
    """No sentence is a constant: the failure carries what the registry answered, and says so where it could not."""
    half = failure().model_copy(update={"stage": "promote", "production": HALFWAY})

    assert f"After the failure the registry was asked: {HALFWAY}" in alerts.failed(half, None).body
    assert "could not be asked" in alerts.failed(half.model_copy(update={"production": ""}), None).body
    assert "unchanged" not in alerts.failed(half, None).body


@pytest.mark.parametrize(
    ("job", "meaning"),
    [("promote", "may have moved Production before it stopped"), ("train", "This job promotes nothing")],
)
def test_a_job_that_stopped_promises_nothing_about_production(job: str, meaning: str) -> None:
    """A promotion that was cut off may have moved Production; nobody could ask."""
    body = alerts.stopped("flights", job, NIGHT, None).body

    assert meaning in body
    assert "unchanged" not in body


def test_a_job_without_a_word_has_a_cause_of_its_own() -> None:
    """Set-up, time limit and a lost runner are one cause a job, apart from errors of our commands."""
    assert "flights/train-stopped" == alerts.stopped("flights", "train", NIGHT, RUN).key


def test_a_refusal_names_its_gates_and_its_report(make_verdict: Callable[..., Verdict]) -> None:
    """The gate that blocks stands in the issue with its sentence; the report is linked, if its address is one."""
    gate = Gate(name="roc_auc", state="blocks", value=0.5, limit=0.6, sentence="roc_auc is 0.500, 0.600 is needed.")
    verdict = make_verdict(passed=False, gates=(gate,))
    alert = alerts.refused(verdict, RUN, "https://github.com/acme/demo/actions/runs/7/artifacts/1")

    assert ("flights/validate-refused", "flights: version 4 was refused") == (alert.key, alert.title)
    assert "is 0.500, 0.600 is needed." in alert.body
    assert "[report with pictures](https://github.com/acme/demo/actions/runs/7/artifacts/1)" in alert.body
    assert "report with pictures" not in alerts.refused(verdict, RUN, "local/flights/report.html").body


def test_a_second_night_is_added_to_the_first() -> None:
    """The issue is rewritten as of tonight, and keeps the nights that it listed."""
    first = alerts.failed(failure("dest is empty."), RUN)
    second = alerts.again(alerts.failed(failure("origin is empty.", NIGHT + DAY), RUN), first.body)

    assert ["2013-06-01", "2013-06-02"] == nights(second)
    assert "origin is empty" in second.body
    assert "dest is empty" not in second.body


def test_the_same_run_told_twice_is_listed_once() -> None:
    """A job that is run again does not add its night again; a new issue has tonight only."""
    alert = alerts.failed(failure(), RUN)

    assert alert == alerts.again(alert, alert.body)
    assert alert == alerts.again(alert, None)


def test_a_long_row_of_nights_is_cut_at_its_beginning() -> None:
    """The last 30 nights are listed, and the number of those before."""
    body: str | None = None
    for day in range(MOST + 5):
        body = alerts.again(alerts.failed(failure(night=NIGHT + day * DAY), RUN), body).body
    listed = nights(Alert(model="flights", cause="pull-data", title="", body=body or ""))

    assert MOST == len(listed)
    assert f"{(NIGHT + (MOST + 4) * DAY):%Y-%m-%d}" == listed[-1]
    assert ["- … 5 earlier"] == re.findall(r"^- … .*$", body or "", re.MULTILINE)


def test_what_people_write_below_does_no_harm() -> None:
    """A body that somebody edited or emptied gives no nights that are none."""
    alert = alerts.failed(failure(), RUN)

    assert ["2013-06-01"] == nights(alerts.again(alert, "I deleted it all"))
    assert ["2013-06-01"] == nights(alerts.again(alert, "## Seen on\n\n- yesterday\n- 2013 maybe\n"))


def test_the_last_comment_says_which_night_was_good() -> None:
    """Closing says the night, and links the run where there is one."""
    assert f"✅ The nightly run of 2013-06-01 succeeded ([workflow run]({RUN}))." == alerts.over(NIGHT, RUN)
    assert "✅ The nightly run of 2013-06-01 succeeded." == alerts.over(NIGHT, None)


def test_in_chat_it_is_one_plain_sentence() -> None:
    """No Markdown, no escapes, no line end: chat shows letters."""
    message = alerts.short(alerts.failed(failure("wind_speed is missing in 100 % of the rows (a|b)."), RUN))

    assert "⛔ The pull of flights failed. wind_speed is missing in 100 % of the rows (a|b)." == message


@given(st.sampled_from(["what", "why", "fix"]), st.text() | st.just(HOSTILE))
def test_text_from_data_stays_text(field: str, text: str) -> None:
    """Whatever an error quotes, no line, heading, link, mention, tag or night of its own comes of it."""
    made = failure().model_copy(update={field: text})
    body, sound = alerts.failed(made, RUN).body, alerts.failed(failure(), RUN).body

    assert ["2013-06-01"] == re.findall(r"^- (\d{4}-\d\d-\d\d)", body, re.MULTILINE)
    assert {line for line in body.splitlines() if line.startswith("#")} <= {
        line for line in sound.splitlines() if line.startswith("#")
    }
    assert [RUN] == re.findall(r"(?<!\\)\]\(([^)]*)\)", body)
    assert not re.search(r"@(?=\w)|#(?=\d)|(?<!\\)<(?=\w)", body)


@pytest.mark.parametrize("stage", ["pull", "check", "train", "validate", "propose", "promote"])
def test_each_stage_says_what_it_means(stage: str) -> None:
    """A reader at night learns what is in Production."""
    body = alerts.failed(failure().model_copy(update={"stage": stage, "production": HALFWAY}), None).body

    assert re.search(f"## What it means\n\n.*\n.*{re.escape(HALFWAY)}", body)
