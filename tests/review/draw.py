"""Draw GitHub's Markdown as a picture, Mermaid included, so that a person can look at what a reviewer will see.

Run it as `.venv/bin/python -m tests.review.draw FILE.md OUT.png [--width 1012] [--dark]`. It needs Chromium on PATH and
npm's `mermaid` in `local/tools/node_modules` or `$MLOPS_TEST_TOOLS/node_modules`.
"""

from __future__ import annotations

import argparse
import os
import re
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests.review.browser import browse, chromium

ROOT = Path(__file__).parents[2]
LIGHT = {"page": "#ffffff", "text": "#1f2328", "line": "#d1d9e0", "band": "#f6f8fa", "link": "#0969da"}
DARK = {"page": "#0d1117", "text": "#f0f6fc", "line": "#3d444d", "band": "#151b23", "link": "#4493f8"}
STYLE = """
body {{ margin: 0; background: {page}; color: {text}; font: 14px/1.5 "Noto Sans", "DejaVu Sans", Arial, sans-serif; }}
main {{ box-sizing: border-box; width: {width}px; padding: 16px; overflow-wrap: break-word; }}
h1, h2 {{ margin: 24px 0 16px; padding-bottom: 5px; border-bottom: 1px solid {line}; font-size: 21px; }}
p, ul, table, pre, details, blockquote {{ margin: 0 0 16px; }}
ul {{ padding-left: 28px; }}
a {{ color: {link}; }}
code {{ padding: 2px 5px; border-radius: 6px; background: {band}; font: 12px/1.45 "DejaVu Sans Mono", monospace; }}
pre {{ padding: 16px; border-radius: 6px; background: {band}; overflow: auto; }}
pre code {{ padding: 0; }}
table {{ display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse; }}
th, td {{ padding: 6px 13px; border: 1px solid {line}; }}
tr:nth-child(2n) {{ background: {band}; }}
blockquote {{ padding: 0 14px; border-left: 4px solid {line}; }}
pre.mermaid {{ padding: 16px; border: 1px solid {line}; background: {page}; text-align: center; }}
"""
SCRIPT = """
mermaid.initialize({{startOnLoad: false, theme: "{theme}"}});
const done = () => {{ document.body.dataset.height = document.querySelector("main").scrollHeight; }};
const failed = (e) => {{ document.body.dataset.error = String(e); }};
mermaid.run({{querySelector: "pre.mermaid"}}).catch(failed).finally(done);
"""


def mermaid_script() -> Path | None:
    """Mermaid for a browser, where npm put it."""
    tools = [ROOT / "local" / "tools", Path(os.environ.get("MLOPS_TEST_TOOLS") or ROOT / "local" / "tools")]
    paths = [folder / "node_modules" / "mermaid" / "dist" / "mermaid.min.js" for folder in tools]
    return next((path for path in reversed(paths) if path.is_file()), None)


def page(text: str, width: int, *, dark: bool = False) -> str:
    """Markdown as a page that looks like GitHub's, folded parts open; its script draws the charts."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.add_render_rule("fence", _fence)
    body = re.sub(r"<details>", "<details open>", reader.render(text))
    style = STYLE.format(width=width, **(DARK if dark else LIGHT))
    script = SCRIPT.format(theme="dark" if dark else "default")
    return (
        f'<!doctype html><meta charset="utf-8"><style>{style}</style><body><main>{body}</main>'
        f'<script src="{_needed().as_uri()}"></script><script>{script}</script>'
    )


def _fence(_: Any, tokens: Any, index: int, *__: Any) -> str:
    text = escape(tokens[index].content)
    return (
        f'<pre class="mermaid">{text}</pre>\n'
        if tokens[index].info == "mermaid"
        else f"<pre><code>{text}</code></pre>\n"
    )


def _needed() -> Path:
    script = mermaid_script()
    if chromium() is None or script is None:
        raise SystemExit("Needs Chromium on PATH, and: npm install --prefix local/tools mermaid")
    return script


def drawn(text: str, width: int = 1012, *, dark: bool = False) -> str:
    """The page as the browser has it after all charts are drawn.

    Raises:
        ValueError: Mermaid refused a chart.
    """
    document = browse(page(text, width, dark=dark), "--dump-dom").decode()
    if error := re.search(r'<body[^>]* data-error="([^"]*)"', document):
        raise ValueError(error[1])
    return document


def draw(text: str, out: Path, width: int = 1012, *, dark: bool = False) -> None:
    """Write the picture of the whole page."""
    height = re.search(r'<body[^>]* data-height="(\d+)"', drawn(text, width, dark=dark))
    if height is None:
        raise SystemExit("The page was not drawn in time.")
    # Chromium's windows are no narrower than 500 pixels; a narrower page leaves the rest of the picture blank.
    size = f"--window-size={max(width, 500)},{int(height[1]) + 16}"
    browse(page(text, width, dark=dark), f"--screenshot={out.absolute()}", size)


def main() -> None:
    """Read the arguments, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1012)
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    draw(given.file.read_text(encoding="utf-8"), given.out, given.width, dark=given.dark)


if __name__ == "__main__":
    main()
