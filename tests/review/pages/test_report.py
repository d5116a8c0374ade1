from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from review.pages.report import render_report
from training.gates.validate import Verdict

Make = Callable[..., Verdict]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title>",
    "&lt;b&gt;",
    "\x1b[31m\u202e",
]


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data + " "


def spoil(verdict: Verdict, text: str) -> Verdict:
    """The verdict with every string that may come from data replaced."""
    decision = verdict.candidate.decision
    assert decision.drift is not None
    assert decision.quality is not None
    night = decision.drift.nights[-1]
    columns = tuple(
        c.model_copy(
            update={"column": text, "note": text, "bars": tuple(b.model_copy(update={"label": text}) for b in c.bars)}
        )
        for c in night.columns
    )
    nights = (night.model_copy(update={"columns": columns}),)
    found = tuple(f.model_copy(update={"column": text, "sentence": text}) for f in decision.quality.findings)
    changed = {
        "reasons": (text,),
        "readings": tuple(r.model_copy(update={"sentence": text}) for r in decision.readings),
        "drift": decision.drift.model_copy(update={"nights": nights}),
        "quality": decision.quality.model_copy(update={"findings": found}),
    }
    candidate = verdict.candidate.model_copy(update={"decision": decision.model_copy(update=changed), "model": text})
    return verdict.model_copy(
        update={
            "candidate": candidate,
            "gates": tuple(g.model_copy(update={"sentence": text}) for g in verdict.gates),
            "slices": tuple(s.model_copy(update={"column": text, "value": text}) for s in verdict.slices),
        }
    )


def test_the_report_needs_nothing_else(verdict: Verdict, events: list[Any]) -> None:
    """No address, no script, nothing loaded; the page's own policy forbids it too."""
    text = render_report(verdict, events)

    assert None is re.search(r"https?://|//\w|src=|@import|url\(|<script|<link|<iframe|<img| on\w+=", text)
    policy = next(a["content"] for tag, a in Page(text).tags if tag == "meta" and "http-equiv" in a)
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" == policy
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_the_same_records_give_the_same_bytes(verdict: Verdict, events: list[Any]) -> None:
    """Nothing in it depends on the time or the machine, so two reports can be compared."""
    assert render_report(verdict, events) == render_report(verdict, events)


def test_the_evidence_is_all_there(verdict: Verdict, events: list[Any]) -> None:
    """Why, comparison, gates, slices, score over time, drift, data quality and digests, with their figures."""
    page = Page(render_report(verdict, events))
    headings = re.findall(r"<h2>(.*?)</h2>", render_report(verdict, events))

    assert [
        "Why",
        "Champion against challenger",
        "Gates",
        "Slices",
        "Score over time",
        "Drift",
        "Data quality",
        "What exactly was judged",
    ] == headings
    for said in (
        "Version 4 passed all 9 gates.",
        "+0.029",
        "9 of 9",
        "humid and recent_delay drifted, on 2 of the last 3 nights (2 are needed).",
        "origin = LGA",
        "2 of 8 columns drifted. The limit of the trigger was exceeded on 2 of the last 3 nights.",
        "most changed: EV: 17.0% \u2192 12.0%",
        "Weather is missing in all rows of 2013-05-19.",
        "9c1e" * 16,
    ):
        assert said in page.text


def test_a_refusal_is_seen_at_the_top(verdict: Verdict, make_verdict: Make) -> None:
    """What blocked stands in the head of the page, before any picture."""
    gates = (
        verdict.gates[0].model_copy(update={"state": "blocks", "sentence": "2 critical findings."}),
        *verdict.gates[1:],
    )
    head = render_report(make_verdict(passed=False, gates=gates)).partition("<section>")[0]

    assert "Version 4 was refused by 1 of 9 gates." in head
    assert "2 critical findings." in head
    assert "✕ blocked" in head


def test_the_first_model_has_a_report_too(make_verdict: Make) -> None:
    """Without champion, history, drift, slices, scores or window the page is whole."""
    decision = {"drift": None, "performance": None, "quality": None, "readings": (), "reasons": (), "champion": None}
    page = Page(render_report(make_verdict(champion=None, comparison=None, slices=(), scores=(), decision=decision)))

    assert "No version is in Production yet" in page.text
    assert "Training rows: 61 checks" in page.text
    assert "columns drifted" not in page.text


def test_pictures_can_be_read_without_seeing_them(verdict: Verdict, events: list[Any]) -> None:
    """Every picture has a name for a screen reader or is hidden from it, and no name is used twice."""
    tags = Page(render_report(verdict, events)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    pictures = [attributes for tag, attributes in tags if tag == "svg" and "x" not in attributes]

    assert len(ids) == len(set(ids))
    assert len(pictures) > 20
    for attributes in pictures:
        named = set(str(attributes.get("aria-labelledby") or "").split())
        assert attributes.get("aria-hidden") or attributes.get("aria-label") or (named and named <= set(ids))


def test_only_the_worst_columns_are_open(verdict: Verdict, make_verdict: Make) -> None:
    """A table of many columns shows those that moved most; the others are one click away."""
    drift = verdict.candidate.decision.drift
    assert drift is not None
    columns = drift.nights[-1].columns * 5
    night = drift.nights[-1].model_copy(update={"columns": columns})
    text = render_report(make_verdict(decision={"drift": drift.model_copy(update={"nights": (night,)})}))

    assert "<summary>28 more columns</summary>" in text
    assert 12 == text.partition("<details>")[0].count('<article class="card')


@given(st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1)))
@settings(max_examples=30, deadline=None)
def test_hostile_data_adds_no_tag(verdict: Verdict, text: str) -> None:
    """Whatever data says, the page has the same tags with the same attributes' names."""

    def shape(made: str) -> list[tuple[str, tuple[str, ...]]]:
        event: Any = SimpleNamespace(
            timestamp=verdict.as_of, kind="failure", version=1, success=False, reasons=(made,), error=made, metrics={}
        )
        nights: list[Any] = [
            SimpleNamespace(**{**vars(event), "kind": "decision", "metrics": {"performance": value}})
            for value in (0.5, 0.6)
        ]
        page = Page(render_report(spoil(verdict, made), [*nights, event]))
        return [(tag, tuple(attributes)) for tag, attributes in page.tags]

    assert shape("x") == shape("x" + text)
