from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.forge import Proposal
from review.local.forge import LocalForge
from review.pages.pull_request_page import changes, render_pull_request, to_html

NIGHT = dt.datetime(2013, 6, 1, 4, tzinfo=dt.UTC)
DIFF = """diff --git a/model/flights/production.json b/model/flights/production.json
index 1111111..2222222 100644
--- a/model/flights/production.json
+++ b/model/flights/production.json
@@ -3,3 +3,3 @@
  "score": 0.6,
- "version": 3
+ "version": 4
 }
diff --git a/new.txt b/new.txt
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+<script>alert(1)</script>
"""
PLAIN = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "hr"}
TEXT = PLAIN | {"br", "s", "a", "div", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append((tag, dict(attrs)))


def proposal(body: str, **changed: object) -> Proposal:
    """An open proposal."""
    fields = {"opened_at": NIGHT, "as_of": NIGHT, "state": "open", "reason": "", "title": "Promote <b>4</b>", **changed}
    return Proposal.model_validate(
        {
            "number": 4,
            "model": "flights",
            "body": body,
            "branch": "promote/flights",
            "base": "a" * 40,
            "head": "b" * 40,
            "url": "file:///x#4",
            **fields,
        }
    )


@given(st.one_of(st.text(), st.text(alphabet="<>/&;\"'`|-:[]()!# \ndetailssummaryscript")))
@settings(max_examples=200, deadline=None)
def test_no_body_brings_its_own_tags(body: str) -> None:
    """Whatever stands in a body, only the tags of Markdown come out, with no handler and no picture."""
    for tag, attributes in Tags(str(to_html(body))).found:
        assert tag in TEXT
        assert set(attributes) <= {"href", "title", "class", "style", "tabindex", "start"}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("<details open><summary>x</summary></details>", "&lt;details open&gt;"),
        ("<details>\n<summary><b>x</b></summary>\n\ny\n\n</details>", "&lt;details&gt;"),
        ("![p](https://evil.example/p.png)", '!<a href="https://evil.example/p.png">p</a>'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<details>\n<summary>3 slices</summary>\n\n| a |\n|---|\n| 1 |\n\n</details>", "<summary>3 slices</summary>"),
        ("| a |\n| --- |\n| 1 |", '<div class="scroll" tabindex="0"><table>'),
    ],
)
def test_markdown_is_shown_and_html_is_not_obeyed(body: str, shown: str) -> None:
    """Tables scroll in their own box, closed parts of our own shape work, all other HTML is text."""
    assert shown in to_html(body)


def test_the_change_is_numbered_as_in_the_file() -> None:
    """Removed lines carry the old number, others the new one; files are told apart."""
    first, second = changes(DIFF)

    assert ("model/flights/production.json", 1, 1) == (first.path, first.added, first.removed)
    assert [("hunk", None), ("same", 3), ("removed", 4), ("added", 4), ("same", 5)] == [
        (line.kind, line.number) for line in first.lines
    ]
    assert ("new.txt", 1, 0) == (second.path, second.added, second.removed)


def test_the_page_needs_nothing_else_and_escapes_everything() -> None:
    """Title, reason and change are text; nothing is loaded; a policy forbids what could slip through."""
    page = render_pull_request(
        proposal("hello", state="closed", reason="<i>late</i>", as_of=NIGHT + dt.timedelta(days=9)), DIFF
    )

    assert set() == {"script", "img", "link", "iframe", "b4", "i"} & {tag for tag, _ in Tags(page).found}
    assert "Promote &lt;b&gt;4&lt;/b&gt;" in page
    assert "&lt;i&gt;late&lt;/i&gt;" in page
    assert "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert None is re.search(r"https?://|src=|@import|url\(", page)
    assert "updated it on 2013-06-10" in page
    assert "prefers-color-scheme: dark" in page


def test_a_forge_writes_the_page_of_a_proposal(tmp_path: Path) -> None:
    """The page shows the change that git knows, and is a file named by its number."""
    import subprocess

    root = tmp_path / "root"
    root.mkdir()
    who = ("-c", "user.name=ann", "-c", "user.email=ann@x.org")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "--message", "first"], cwd=root, check=True)
    forge = LocalForge(tmp_path / "forge.git")
    forge.ensure(root)
    made = forge.propose("flights", "Promote 4", "**four**", {"model/flights/production.json": "{}\n"}, NIGHT)
    path = Path(forge.page(made, tmp_path / "pages"))

    assert tmp_path / "pages" / "pull-1.html" == path
    text = path.read_text(encoding="utf-8")
    assert "<strong>four</strong>" in text
    assert "model/flights/production.json" in text
    assert "<td>+{}</td>" in text
