from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from review.pull_request.promotion_check import Review
from review.text import markdown, numbers

if TYPE_CHECKING:
    from markdown_it.token import Token

HOSTILE = [
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "`x`|`y`",
    "``|``",
    "@octocat please look",
    "mail ann@example.org",
    "closes #1",
    "GH-12 and o/r#4 and o/r@abc",
    "[click](https://evil.example)",
    "![x](https://evil.example/a.png)",
    "https://evil.example www.evil.example mailto:a@b.c",
    "<img src=x onerror=alert(1)>",
    "<details><summary>",
    "&lt;b&gt; &#64;octocat",
    "line\nbreak\r\n| new | row |",
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link",
    "right\u202eto left",
    "para\u2028graph\u2029end\x85next",
    "*a* _b_ ~~c~~ **d**",
    "# heading",
    "- item",
    "1. item",
    "---",
    "> quote",
    "$x$ :smile:",
    "[^1] [x]: y",
    "",
    "   ",
    "\ud800",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet="|\\`@#<>[]()!*_~-+1.:/&;\n\r\t aw$"))
hostile = st.lists(texts, min_size=1, max_size=3).map("".join)
REACHES_OUT = re.compile(r"@\w|#\d|gh-\d|://|www\.|mailto:\w", re.IGNORECASE)


def parse(text: str) -> list[Token]:
    """Tokens of GitHub-like Markdown with raw HTML on: what is HTML here would be HTML there."""
    flat = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        flat += [token, *(token.children or [])]
    return flat


def unescaped(line: str) -> str:
    """What is left of a line when each escape of Markdown is undone, once."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line)


def shown(tokens: list[Token]) -> str:
    """The text that a reader sees, without the joints."""
    return "".join(t.content for t in tokens if t.type in {"text", "code_inline", "text_special"}).replace(
        markdown.JOINT, ""
    )


@given(hostile, st.sampled_from([markdown.plain, markdown.code]))
@settings(max_examples=300, deadline=None)
def test_a_hostile_cell_stays_one_cell_with_its_text(text: str, escape: object) -> None:
    """Whatever stands in a cell, the table keeps its shape, holds no tag, link or emphasis, and shows that text."""
    assert callable(escape)
    cell = escape(text)
    tokens = parse(f"| a | b | c |\n| :--- | :--- | ---: |\n| x | {cell} | z |\n| 1 | 2 | 3 |")

    allowed = {"table", "thead", "tbody", "tr", "th", "td", "inline", "text", "text_special", "code_inline"}
    assert set() == {t.type.removesuffix("_open").removesuffix("_close") for t in tokens} - allowed
    assert 6 == sum(t.type == "td_open" for t in tokens)
    inline = [t for t in tokens if t.type == "inline"]
    assert ["x", "z", "1", "2", "3"] == [inline[i].content for i in (3, 5, 6, 7, 8)]
    assert markdown.clean(text, 80) == shown(inline[4].children or []) or len(markdown.clean(text)) > 80


@given(hostile)
@settings(max_examples=300, deadline=None)
def test_hostile_text_stays_in_its_paragraph_and_its_list_item(text: str) -> None:
    """As a list item or a paragraph it opens no block of its own, and reaches nobody and nothing."""
    line = markdown.plain(text)
    for source, wrapped in ((f"- {line}x", {"bullet_list", "list_item"}), (f"{line}x", set())):
        kinds = {t.type.removesuffix("_open").removesuffix("_close") for t in parse(source)}
        assert set() == kinds - {"paragraph", "inline", "text", "text_special"} - wrapped
    assert None is REACHES_OUT.search(unescaped(line))
    assert None is REACHES_OUT.search(unescaped(markdown.code(text)))


@given(hostile)
@settings(max_examples=200, deadline=None)
def test_clean_text_is_one_line_without_hidden_characters(text: str) -> None:
    """No control character, line break or direction change is left, and no more than was allowed."""
    line = markdown.clean(text, 40)

    assert line.isprintable()
    assert len(line) <= 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [("wind_speed", "`wind_speed`"), ("a`b", "a\\`b"), ("", ""), ("x@y", "`x@\u200by`"), ("a|b", "a\\|b")],
)
def test_names_are_code_spans_where_a_code_span_can_hold_them(text: str, expected: str) -> None:
    """A code span cannot hold a backtick, and in a table neither a pipe nor a backslash before one."""
    assert expected == markdown.code(text)


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_number_is_shown_as_it_is(value: float, digits: int) -> None:
    """Numbers and differences need no escape, in a cell or in a paragraph."""
    for text in (numbers.number(value, digits), numbers.signed(value, digits)):
        assert text == markdown.plain(text)
        assert ["paragraph_open", "inline", "text", "paragraph_close"] == [token.type for token in parse(text)]


@pytest.mark.parametrize("value", ["a|b", "@octocat", "<img src=x>", "[x](https://evil.example)", "## heading"])
def test_a_template_escapes_what_it_is_given(value: str) -> None:
    """A value in a template is text, unless a filter has made Markdown of it."""
    from review.text import template

    review = Review(model=value, rollback=False, version=1, checks=(), steps=(value,))
    text = template.render_markdown("review.pull_request", "promotion_check.md.jinja", reviews=[review], run_url=value)

    assert f"**Merging** will {markdown.plain(value)}." == text.splitlines()[-1]


@pytest.mark.parametrize("show", [markdown.inert, markdown.plain, markdown.code])
@pytest.mark.parametrize(
    "text",
    ["[skip ci]", "[ci skip]", "[No CI]", "[skip actions]", "[actions skip]", "skip-checks: true", "skip-checks:true"],
)
def test_no_text_skips_a_workflow_when_it_becomes_a_commit_message(show: Callable[[str], str], text: str) -> None:
    """Squashed, title and body are the message of the merge: a category of that name must not stop promote."""
    shown = show(f"carrier {text} x")

    assert text.lower() not in shown.lower()
    assert "skip-checks:" not in shown


@pytest.mark.parametrize("show", [markdown.inert, markdown.plain, markdown.code])
def test_no_text_names_an_author_when_it_becomes_a_commit_message(show: Callable[[str], str]) -> None:
    """Trailers such as Co-authored-by and Signed-off-by stay text."""
    assert not re.search(r"-by\s*:", show("Co-authored-by: eve <eve@x.org>"))
