"""The status pages show where each model stands, can be read on a phone and in the dark, and give nothing away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.version import ModelVersion
from review.forge import Proposal
from review.pages.site import Status, render_site
from tests.review.browser import chromium, measured
from tests.review.conftest import DAY, NIGHT
from tests.review.pages.test_report import Page
from training.gates.validate import Verdict

Make = Callable[..., Status]
SIZES = [(390, False), (390, True), (1280, False), (1280, True)]


def version(number: int) -> ModelVersion:
    """A version that was trained a month before the night."""
    return ModelVersion(
        name="flights", version=number, run_id="r", digest="a" * 64, data_digest="b" * 64, validation="passed",
        trained_at=NIGHT - 30 * DAY, data_until=NIGHT - 32 * DAY, fit_until=NIGHT - 40 * DAY, training_key="c" * 64,
        stage="Production", promoted_at=NIGHT - 29 * DAY,
    )  # fmt: skip


def proposal(**changed: Any) -> Proposal:
    """An open proposal."""
    fields = {"title": "Promote flights version 4", "url": "https://example.org/pull/12", **changed}
    return Proposal.model_validate(
        {
            "number": 12, "model": "flights", "state": "open", "body": "", "branch": "promote/flights",
            "base": "a" * 40, "head": "b" * 40, "opened_at": NIGHT - 3 * DAY, "as_of": NIGHT, **fields,
        }
    )  # fmt: skip


@pytest.fixture
def make(verdict: Verdict, events: list[Any]) -> Make:
    """A function that makes the status of an eventful model, with changes."""
    decision = verdict.candidate.decision
    last = next(event for event in reversed(events) if event.kind == "decision")
    last.details = {"retrain": "true"} | {
        one.trigger: f"{one.state.replace('_', ' ')}: {one.sentence}" for one in decision.readings
    }
    last.metrics = last.metrics | {"age": 28.0, "age_limit": 30.0, "drift": 2.0, "drift_limit": 2.0}

    def status(**changed: Any) -> Status:
        known = {
            "name": "flights", "as_of": NIGHT, "events": tuple(events), "serving": version(3), "proposal": proposal(),
            "drift": decision.drift, "metric": "balanced_accuracy", "least": 0.1,
        }  # fmt: skip
        return Status(**{**known, **changed})

    return status


def page(status: Status) -> str:
    """The page of a model."""
    return render_site([status], NIGHT)[f"{status.name}/index.html"]


def test_there_is_an_index_and_a_page_a_model(make: Make) -> None:
    """Every model is on the index with a link that leads to its page, and the page leads back."""
    pages = render_site([make(), make(name="taxis", serving=None, events=(), drift=None)], NIGHT)
    links = [attributes["href"] for tag, attributes in Page(pages["index.html"]).tags if tag == "a"]

    assert ["index.html", "flights/index.html", "taxis/index.html"] == list(pages)
    assert {"flights/index.html", "taxis/index.html"} <= set(links)
    assert 'href="../index.html"' in pages["taxis/index.html"]
    assert "No version is in service" in pages["taxis/index.html"]


def test_a_page_has_all_that_was_promised(make: Make) -> None:
    """In service since, score over time with moves marked, drift per column, open proposal, event log."""
    text = page(make())
    headings = re.findall(r"<h2>(.*?)</h2>", text)

    assert ["Open proposal", "Score over time", "Triggers", "Drift per column", "Event log"] == headings
    assert "<h1>Version 3 in service since 2013-05-10</h1>" in text  # the last time, after a rollback
    plot = text.partition("Score over time</h2>")[2].partition("Triggers</h2>")[0]
    assert (4, 1) == (len(re.findall(r'class="stem promotion"', plot)), len(re.findall(r'class="stem rollback"', plot)))
    assert 8 == text.count('class="row"')
    assert "2 of 7" in Page(text).text  # columns drifted, of those that count
    assert "Version 2 restored, replacing version 3" in text
    assert '<a href="https://example.org/pull/12">' in text


@pytest.mark.parametrize(
    ("changed", "pill"),
    [
        ({"unread": "MLflow does not answer."}, "✕ cannot be read"),
        ({"differs": "DISAGREES with git"}, "✕ MLflow differs from git"),
        ({"serving": None}, "not in service"),
        ({"as_of": NIGHT + 3 * DAY}, "! no recent nightly run"),
        ({}, "! drift fired"),
    ],
)
def test_the_state_is_seen_at_once(make: Make, changed: dict[str, Any], pill: str) -> None:
    """The worst that is known stands in the pill, on the index and on the model's page."""
    status = make(**changed)

    assert all(pill in text for text in render_site([status], NIGHT).values())


def test_quiet_failed_and_waiting_nights_differ(make: Make, events: list[Any]) -> None:
    """A quiet night is good news, an open proposal a note, a failure after the last night bad news."""
    events[-1].trigger = ""
    failed = type(events[-1])(**{**vars(events[-1]), "kind": "failure", "trigger": "pull", "error": "no rows"})

    assert ("good", "✓ quiet") == make(proposal=None).pill
    assert ("note", "proposal open") == make().pill
    assert ("bad", "✕ pull failed") == make(events=(*events, failed)).pill


def test_a_model_that_cannot_be_read_says_so_beside_the_others(make: Make) -> None:
    """Its line and its page tell why; the other model is shown as ever."""
    pages = render_site([Status(name="broken", as_of=NIGHT, unread="MLflow does not answer."), make()], NIGHT)

    assert "MLflow does not answer." in pages["index.html"]
    assert "MLflow does not answer." in pages["broken/index.html"]
    assert "version 3 since 2013-05-10" in pages["index.html"]
    assert pages["flights/index.html"] == page(make())


def test_what_is_missing_leaves_no_gap(make: Make) -> None:
    """What the forge or a record kept back is said on the page, and the rest is there."""
    text = page(make(proposal=None, drift=None, problems=("GitHub does not answer.",)))

    assert "GitHub does not answer." in text
    assert ["Score over time", "Triggers", "Event log"] == re.findall(r"<h2>(.*?)</h2>", text)


def test_the_pages_need_nothing_and_hand_on_nothing(make: Make) -> None:
    """No script, nothing loaded, no address but that of the proposal, no search engine, the same bytes each time."""
    pages = render_site([make()], NIGHT)

    for text in pages.values():
        assert None is re.search(r"src=|@import|url\(|<script|<link|<iframe|<img| on\w+=", text)
        assert {"https://example.org/pull/12"} == set(re.findall(r"https?://[^\"<]+", text))
        assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in text
        assert '<meta name="robots" content="noindex">' in text
    assert pages == render_site([make()], NIGHT)
    local = proposal(url="file:///home/someone/forge.git#12")
    assert not any("file://" in text for text in render_site([make(proposal=local)], NIGHT).values())


def test_long_logs_and_tables_are_folded(make: Make, events: list[Any], verdict: Verdict) -> None:
    """Thirty entries and twelve columns are open, the older and the lesser ones are one click away."""
    drift = verdict.candidate.decision.drift
    assert drift is not None
    night = drift.nights[-1].model_copy(update={"columns": drift.nights[-1].columns * 5})
    failure = {**vars(events[-1]), "kind": "failure"}
    failures = tuple(type(events[-1])(**{**failure, "error": f"number {n}"}) for n in range(100))
    text = page(make(events=failures, drift=drift.model_copy(update={"nights": (night,)})))

    assert "<summary>28 more columns</summary>" in text
    assert "<summary>70 older entries</summary>" in text
    log = text.partition("Event log")[2].partition("<details>")
    assert "number 99" in log[0]
    assert "number 0<" in log[2]


@given(st.one_of(st.sampled_from(["<script>alert(1)</script>", '"><img src=x>', "\x1b[31m\u202e"]), st.text()))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_data_adds_no_tag(make: Make, verdict: Verdict, text: str) -> None:
    """Whatever names, errors and sentences say, the pages have the same tags with the same attributes' names."""
    drift = verdict.candidate.decision.drift
    assert drift is not None

    def shape(said: str) -> list[tuple[str, tuple[str, ...]]]:
        columns = tuple(one.model_copy(update={"column": said}) for one in drift.nights[-1].columns)
        night = drift.nights[-1].model_copy(update={"columns": columns})
        events = [type(one)(**{**vars(one), "error": said, "reasons": (said,)}) for one in make().events]
        events[-1].details = {"retrain": "true", "age": f"quiet: {said}", "drift": said}
        status = make(
            events=tuple(events),
            drift=drift.model_copy(update={"nights": (night,)}),
            proposal=proposal(title=said),
            problems=(said,),
            metric=said,
            differs=said,
        )
        pages = render_site([status, make(name="other", unread=said)], NIGHT)
        return [(tag, tuple(attributes)) for made in pages.values() for tag, attributes in Page(made).tags]

    assert shape("x") == shape("x" + text)


@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_the_pages_can_be_read_everywhere(make: Make, width: int, dark: bool) -> None:
    """In a real browser nothing sticks out, nothing is loaded, and texts and marks have the contrast of WCAG AA."""
    problem = "a_name_that_is_so_long_that_no_phone_has_a_line_for_it" * 3
    unread = Status(name="broken", as_of=NIGHT, unread=problem)
    pages = render_site([make(differs="DISAGREES with git", problems=(problem,)), make(serving=None), unread], NIGHT)

    for found in measured(pages.values(), width, dark=dark):
        assert width == found["width"]
        assert 0 == found["loaded"]
        assert ("rgb(13, 17, 23)" if dark else "rgb(246, 248, 250)") == found["back"]
        assert len(found["texts"]) > 5
        assert [] == [(said, ratio) for said, ratio in found["texts"] if ratio < 4.5]
        assert [] == [(kind, ratio) for kind, ratio in found["shapes"] if ratio < 3]
