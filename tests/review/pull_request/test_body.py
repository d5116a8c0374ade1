from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.errors import UsageError
from monitoring.performance.reference import PromotedScore
from registry.events import Event
from review import pull_request
from review.forge import Proposal
from review.pages.pull_request_page import to_html
from review.text.links import Links
from training.gates.gates import Gate
from training.gates.validate import Verdict

if TYPE_CHECKING:
    from markdown_it.token import Token

Make = Callable[..., Verdict]
RUN = "https://github.com/o/r/actions/runs/1"
LINKS = Links(
    run_url=RUN,
    report_url=f"{RUN}/artifacts/2",
    mlflow_url="https://mlflow.example.org/ui/",
    token="default",  # noqa: S106
)
HOSTILE = [
    "a|b|c",
    "x\n\n## Approved by @octocat\n| a | b |",
    "<script>alert(1)</script><details>",
    "[click](https://evil.example) ![p](https://evil.example/p.png)",
    "closes #1, `|` \\| ``` end",
    "</details>\n<summary>",
    "\x1b[31m\u202e~~~",
]


def parse(text: str) -> list[Token]:
    """Tokens of GitHub-like Markdown with raw HTML on."""
    flat = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        flat += [token, *(token.children or [])]
    return flat


def skeleton(text: str) -> list[str]:
    """The blocks of a text, and the HTML in it; what is inside a line does not count."""
    inline = {"text", "text_special", "code_inline", "inline"}
    return [t.content if t.type == "html_block" else t.type for t in parse(text) if t.type not in inline]


def spoil(verdict: Verdict, text: str) -> Verdict:
    """The verdict with every string that may come from data replaced."""
    decision = verdict.candidate.decision
    assert decision.drift is not None
    assert decision.quality is not None
    night = decision.drift.nights[-1]
    columns = tuple(c.model_copy(update={"column": text, "note": text}) for c in night.columns)
    nights = (*decision.drift.nights[:-1], night.model_copy(update={"columns": columns, "drifted": (text,)}))
    found = tuple(f.model_copy(update={"column": text, "sentence": text}) for f in decision.quality.findings)
    spoilt = decision.model_copy(
        update={
            "reasons": (text,),
            "readings": tuple(r.model_copy(update={"sentence": text}) for r in decision.readings),
            "drift": decision.drift.model_copy(update={"nights": nights}),
            "quality": decision.quality.model_copy(update={"findings": found}),
        }
    )
    return verdict.model_copy(
        update={
            "candidate": verdict.candidate.model_copy(update={"decision": spoilt, "registry_name": text}),
            "gates": tuple(g.model_copy(update={"sentence": text, "name": text}) for g in verdict.gates),
            "scores": tuple(s.model_copy(update={"metric": text}) for s in verdict.scores),
            "comparison": verdict.comparison and verdict.comparison.model_copy(update={"metric": text}),
            "slices": tuple(s.model_copy(update={"column": text, "value": text}) for s in verdict.slices),
        }
    )


def open_proposal(verdict: Verdict, text: str) -> Proposal:
    """The open proposal of a verdict."""
    return Proposal(
        number=7,
        model="flights",
        state="open",
        title=pull_request.title(verdict),
        body=text,
        branch="promote/flights",
        base="a" * 40,
        head="b" * 40,
        url="file:///forge#7",
        opened_at=verdict.as_of,
        as_of=verdict.as_of,
    )


def test_the_title_says_what_and_how_good(make_verdict: Make) -> None:
    """The title names model, version and both scores, and says it when the candidate is refused."""
    assert "Promote flights version 4: balanced accuracy 0.641, champion 0.612" == pull_request.title(make_verdict())
    assert "Promote flights version 4: balanced accuracy 0.641" == pull_request.title(make_verdict(comparison=None))
    assert "Refused: flights version 4" == pull_request.title(make_verdict(passed=False, scores=(), comparison=None))


def test_the_body_begins_with_the_verdict(make_verdict: Make) -> None:
    """The first line alone is enough to know what happened and by how much."""
    first = pull_request.render_body(make_verdict()).splitlines()[0]

    assert "✅ **Version 4 passed all 9 gates.** Balanced accuracy is 0.641" in first
    assert "+0.029 (interval +0.011 to +0.047); the gate requires a lower end of at least \u22120.010." in first


def test_drift_by_nulls_shows_how_many_are_missing(make_verdict: Make) -> None:
    """In the table of columns, the share of nulls is next to the verdict if they drifted, however small the change."""
    verdict = make_verdict()
    decision = verdict.candidate.decision
    assert decision.drift is not None
    night = decision.drift.nights[-1]
    nulls = {"drifted": True, "null_drifted": True, "null_baseline": 0.004, "null_window": 0.0}
    columns = tuple(column.model_copy(update=nulls) for column in night.columns)
    drift = decision.drift.model_copy(update={"nights": (night.model_copy(update={"columns": columns}),)})
    candidate = verdict.candidate.model_copy(update={"decision": decision.model_copy(update={"drift": drift})})

    assert "| **yes**, missing 0.4% \u2192 0.0% |" in pull_request.render_body(
        verdict.model_copy(update={"candidate": candidate})
    )


def test_a_refused_candidate_is_seen_as_refused(make_verdict: Make) -> None:
    """A gate that blocks, or cannot judge, changes the first line and stands first among the gates."""
    passing = make_verdict().gates
    blind = Gate(name="latency", state="cannot_judge", value=None, limit=50.0, sentence="Cannot judge: not measured.")
    text = pull_request.render_body(make_verdict(passed=False, gates=(*passing[:-2], blind, passing[-1])))

    assert text.startswith("⛔ **Version 4 was refused by 1 of 9 gates.**")
    assert "| ⚠️\u00a0latency | Cannot judge: not measured. |" in text.split("## Gates")[1].splitlines()[4]


def test_the_parts_come_in_the_order_of_their_weight(make_verdict: Make) -> None:
    """Why and how good come first, the digests last."""
    headings = re.findall(r"^## (.*)$", pull_request.render_body(make_verdict()), re.MULTILINE)

    assert [
        "Why",
        "Champion against challenger",
        "Gates",
        "Merge and rollback",
        "Slices",
        "Data quality",
        "Drift",
        "Training window and digests",
    ] == headings


def test_the_figures_are_in_the_tables(make_verdict: Make) -> None:
    """Readings, scores with intervals, slices, warnings and drift appear with their numbers."""
    text = pull_request.render_body(make_verdict(), before=pull_request.manifest_for(make_verdict(), None, ""))

    for line in (
        "\u00a0drift fired | humid and recent\\_delay drifted, on 2 of the last 3 nights (2 are needed). | 2 | 1 |",
        "| **balanced accuracy** | 0.612 | 0.641 | **+0.029** | +0.011 to +0.047 |",
        "| precision | \u2013 | 0.384 | \u2013 | 0.356 to 0.412 |",
        "| `origin = LGA` | 694 | 0.629 | 0.611 | \u22120.018 |",
        "| `humid` | 0.182 | █████████▏ | \\<0.001 | 0.38 | **yes** |",
        "git revert -m 1 MERGE_COMMIT\nmlops promote --model flights",
        f"| model digest | `{'9c1e' * 16}` |",
    ):
        assert line in text
    assert "version 3 becomes Archived" in pull_request.render_body(make_verdict())


def test_the_first_model_has_nothing_to_be_compared_with(make_verdict: Make) -> None:
    """Without champion, drift or scores the body is still whole."""
    text = pull_request.render_body(
        make_verdict(champion=None, comparison=None, slices=(), scores=(), decision={"drift": None, "readings": ()})
    )

    assert "No version is in Production yet" in text
    assert "Nothing could be measured." in text
    assert "**To roll back** is not possible yet: this is the first version" in text


def test_links_are_made_only_of_addresses(make_verdict: Make) -> None:
    """Addresses become links; what is none is not shown, for it may hold a password; a report on disk is a path."""
    local = pull_request.render_body(make_verdict(), report="local/flights/report.html")
    whole = pull_request.render_body(make_verdict(), report="local/flights/report.html", links=LINKS)

    assert "report with pictures: `local/flights/report.html`" == local.splitlines()[2]
    assert (
        f"[report with pictures]({RUN}/artifacts/2) · [workflow run]({RUN}) · "
        "[version 4 in MLflow](https://mlflow.example.org/ui/#/models/flights/versions/4)"
    ) == whole.splitlines()[2]
    assert f"`{'3f2a' * 8}` [open](https://mlflow.example.org/ui/#/runs/{'3f2a' * 8})" in whole
    for bad in ("javascript:alert(1)", "https://ann:secret@mlflow.example.org", "https://x/) [y](https://z"):
        text = pull_request.render_body(make_verdict(), links=Links(run_url=bad, report_url=bad, mlflow_url=bad))
        assert bad not in text
        assert "](" not in text


def test_how_to_roll_back_depends_on_where_it_lives(make_verdict: Make) -> None:
    """On GitHub it is a button, in the local forge a command; checks wait only with a workflow's own token."""
    before = pull_request.manifest_for(make_verdict(candidate={"version": 3}), None, "")
    texts = {
        token: pull_request.render_body(make_verdict(), before=before, links=Links(token=token))
        for token in ("default", "app", "local")
    }

    assert ["local"] == [token for token, text in texts.items() if "git revert -m 1" in text]
    assert ["default", "app"] == [token for token, text in texts.items() if "press **Revert**" in text]
    assert ["default"] == [token for token, text in texts.items() if "**Approve workflows to run**" in text]
    assert all("**To roll back** to version 3" in text for text in texts.values())


@pytest.mark.parametrize(
    ("reference", "metric", "said"),
    [
        (
            0.6,
            "balanced_accuracy",
            "**The reference** of the performance trigger rises from 0.600 to",
        ),
        (0.655, "balanced_accuracy", ""),
        (
            0.7,
            "roc_auc",
            "⚠️ **Merging replaces the reference** of the performance trigger: it was 0.7",
        ),
    ],
)
def test_a_merge_that_moves_the_reference_says_so(make_verdict: Make, reference: float, metric: str, said: str) -> None:
    """A reviewer sees what the next alarm will be measured against, and nothing where it stays."""
    before = pull_request.manifest_for(make_verdict(candidate={"version": 3}), None, "")
    text = pull_request.render_body(
        make_verdict(), before=before.model_copy(update={"reference": reference, "metric": metric})
    )

    assert said in text
    assert bool(said) == ("reference" in text.split("## Merge and rollback")[1].partition("## ")[0])


def fences(text: str) -> list[Token]:
    """The fenced parts of a text."""
    return [token for token in parse(text) if token.type == "fence"]


def _whole(verdict: Verdict) -> str:
    """A body with charts, without links of our own."""
    nights = [
        Event(
            timestamp=verdict.as_of - dt.timedelta(days=ago),
            model="flights",
            kind="decision",
            metrics={
                "performance": 0.6,
                "performance_limit": 0.5,
                "drift_effect": 0.1 * ago,
                "drift_effect_limit": 0.2,
            },
        )
        for ago in (1, 0)
    ]
    return pull_request.render_body(verdict, links=Links(token="app"), events=nights)  # noqa: S106 - whose token, not a token


@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="|\\`@#<>[]()!*_~-+1.:/&;\n\r\t aw$", min_size=1)))
@settings(max_examples=60, deadline=None)
def test_hostile_data_does_not_change_the_shape_of_the_body(verdict: Verdict, text: str) -> None:
    """Whatever data says, the body has the same blocks, rows and cells, the same HTML, no link and no mention."""
    body, quiet = (_whole(spoil(verdict, said)) for said in (text + "x", "x"))

    assert skeleton(quiet) == skeleton(body)
    assert [fence.content for fence in fences(quiet)] == [fence.content for fence in fences(body)]
    assert None is re.search(
        r"@\w|#\d|://|www\.", re.sub(r"```mermaid\n.*?\n```", "", body.replace("\\", ""), flags=re.DOTALL)
    )
    assert str(to_html(body)).count("<details>") == 4


def test_a_long_body_loses_whole_parts_and_says_where_they_are(verdict: Verdict) -> None:
    """What does not fit is left out as a whole, with a link in its place; verdict, links and story always stay."""
    long = spoil(verdict, "\U0001f6a8`" * 3000)
    decision = long.candidate.decision
    assert decision.quality is not None
    many = {
        "reasons": tuple(f"{i}{reason}" for reason in decision.reasons for i in range(50)),
        "quality": decision.quality.model_copy(update={"findings": decision.quality.findings * 50}),
    }
    candidate = long.candidate.model_copy(update={"decision": decision.model_copy(update=many)})
    long = long.model_copy(update={"candidate": candidate, "gates": long.gates * 20, "slices": long.slices * 20})
    old = "x\n\n## Earlier in this pull request\n\n- 2013-05-01: what was proposed first\n"
    text = pull_request.render_body(long, links=LINKS, previous=open_proposal(verdict, old))

    note = f"_This section is too long for a pull request. Read it in the [report]({RUN}/artifacts/2)._"
    assert 1 <= text.count(note)
    assert f"## Gates\n\n{note}\n\n## Merge" in text
    assert f" · [workflow run]({RUN})\n" in text
    assert "- 2013-05-01: what was proposed first" in text
    assert len(text.encode("utf-16-le")) / 2 + 500 <= 65_536
    assert 9 == len(re.findall("^## ", text, re.MULTILINE))
    assert text.count("<details>") == text.count("</details>")
    assert "_This section is too long for a pull request. Read it in the report._" in pull_request.render_body(long)


def test_the_story_of_a_proposal_is_kept(verdict: Verdict, make_verdict: Make) -> None:
    """An update adds one line on what was proposed before; repeating the same proposal adds none."""
    first = pull_request.render_body(verdict)
    newer = make_verdict(candidate={"version": 5}, as_of=verdict.as_of.replace(day=9))
    second = pull_request.render_body(newer, previous=open_proposal(verdict, first))
    line = "- 2013-06-01: Promote flights version 4: balanced accuracy 0.641, champion 0.612"
    assert line == second.splitlines()[-1]

    again = pull_request.render_body(newer, previous=open_proposal(newer, second))
    assert second == again
    third = pull_request.render_body(make_verdict(candidate={"version": 6}), previous=open_proposal(newer, second))
    assert [line, "- 2013-06-09: Promote flights version 5"] == [
        third.splitlines()[-2],
        third.splitlines()[-1].partition(":  ")[0].partition(": balanced")[0],
    ]
    assert first == pull_request.render_body(verdict, previous=open_proposal(verdict, first))


def test_the_manifest_declares_what_was_judged(verdict: Verdict) -> None:
    """The manifest carries the candidate's identity, the champion it was compared with and why it was trained."""
    made = pull_request.manifest_for(verdict, None, "c" * 40)

    assert ("flights", 4, "3f2a" * 8, "9c1e" * 16, "77ab" * 16, "c" * 40, 3) == (
        made.model,
        made.version,
        made.run_id,
        made.digest,
        made.data_digest,
        made.commit,
        made.champion,
    )
    assert ("balanced_accuracy", 0.641, 0.655) == (made.metric, made.score, made.reference)
    assert made.reason.startswith("drift: humid")


def scored(*scores: float) -> tuple[PromotedScore, ...]:
    """The holdout scores of promoted versions."""
    return tuple(
        PromotedScore(version=number, metric="balanced_accuracy", score=score, error=0.01)
        for number, score in enumerate(scores, 1)
    )


def test_the_reference_is_the_mean_of_the_promoted_scores(make_verdict: Make) -> None:
    """Those of the verdict; a verdict of an earlier release has none, and takes those of the last manifest."""
    made = pull_request.manifest_for(make_verdict(promoted=scored(0.7, 0.641)), None, "")

    assert (scored(0.7, 0.641), pytest.approx(0.6705)) == (made.promoted, made.reference)
    earlier = make_verdict(promoted=())
    assert pytest.approx((0.7 + 0.641 + 0.641) / 3) == pull_request.manifest_for(earlier, made, "").reference
    assert 0.641 == pull_request.manifest_for(earlier, None, "").reference


def test_a_lower_reference_is_in_the_first_lines(make_verdict: Make) -> None:
    """Merging is the consent, so what it lowers is said before anything else; what it does not lower is not."""
    lower = make_verdict(promoted=scored(0.7, 0.7, 0.7, 0.6, 0.6), limit=0.5)
    text = pull_request.render_body(lower)

    assert "Merging lowers the reference of the performance trigger to 0.660" in text.split("## ")[0]
    assert "Its highest value was 0.700." in text.split("## ")[0]
    assert "lowers the reference" not in pull_request.render_body(make_verdict(promoted=scored(0.7, 0.7), limit=0.5))


def test_a_version_that_starts_under_its_limit_is_in_the_first_lines(make_verdict: Make) -> None:
    """A reviewer must know that the performance trigger may fire on the first night."""
    text = pull_request.render_body(make_verdict(promoted=scored(0.7, 0.641), limit=0.65))

    assert "its balanced accuracy on the holdout is 0.641" in text.split("## ")[0]
    assert "the performance trigger may fire under 0.650" in text.split("## ")[0]
    assert "starts under" not in pull_request.render_body(make_verdict(promoted=scored(0.7, 0.641), limit=0.64))


def test_the_first_mean_is_announced(make_verdict: Make) -> None:
    """A manifest of an earlier release declares the best score so far: the next merge replaces it by a mean."""
    made = make_verdict(promoted=scored(0.655, 0.641))
    before = pull_request.manifest_for(made, None, "").model_copy(update={"promoted": (), "reference": 0.7})

    assert "it was 0.700, the best score of any promoted version, and will be 0.648" in pull_request.render_body(
        made, before=before
    )


def test_a_refused_candidate_gets_no_manifest(make_verdict: Make) -> None:
    """There is no way to declare what a gate blocked, or what has no score."""
    for refused in (make_verdict(passed=False), make_verdict(scores=())):
        with pytest.raises(UsageError, match="cannot be declared"):
            pull_request.manifest_for(refused, None, "")


def test_a_long_table_says_how_much_it_leaves_out(make_verdict: Make, verdict: Verdict) -> None:
    """A table ends after its limit with the number of rows left out."""
    text = pull_request.render_body(make_verdict(slices=verdict.slices[:1] * 35))

    assert 30 == text.count("| `origin = EWR` |")
    assert "_and 5 more_" in text
