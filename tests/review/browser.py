"""Open a page in a real browser as a reader would, and measure what no look at its text can tell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from html import escape, unescape
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--virtual-time-budget=20000",
)
TIMEOUT = 120
# What carries meaning in our pictures, and must stand out from what is behind it (WCAG 1.4.11).
SHAPES = ".score, .limits, .floor, .fill, .ring, .promotion, .rollback, .training, .refusal, .failure"
FRAME = '<iframe style="border: 0; width: {width}px; height: 3000px" srcdoc="{page}"></iframe>'
MEASURE = """<script>
const shapes = "SHAPES", found = [];
const levels = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = (color) => {
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = levels(color).map((v) => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const measure = (view) => {
  const page = view.document, style = (node) => view.getComputedStyle(node);
  const behind = (node) => {
    const color = style(node).backgroundColor, alpha = levels(color)[3];
    if (alpha === undefined || alpha === 1) return color;
    return node.parentElement ? behind(node.parentElement) : "rgb(255, 255, 255)";
  };
  const texts = [], walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), node = walker.currentNode.parentElement;
    if (!text || !node.getClientRects().length) continue;
    const ink = node instanceof view.SVGElement ? style(node).fill : style(node).color;
    texts.push([text, contrast(ink, behind(node))]);
  }
  const drawn = [...page.querySelectorAll(shapes)].filter((node) => node instanceof view.SVGElement);
  const ink = (node) => style(node).stroke === "none" ? style(node).fill : style(node).stroke;
  return {
    width: page.documentElement.scrollWidth,
    loaded: view.performance.getEntriesByType("resource").length,
    back: behind(page.body),
    texts: texts,
    shapes: drawn.map((node) => [node.getAttribute("class"), contrast(ink(node), behind(node))]),
  };
};
onload = () => {
  const frames = [...document.querySelectorAll("iframe")];
  document.querySelector("#found").textContent = JSON.stringify(frames.map((one) => measure(one.contentWindow)));
};
</script>""".replace("SHAPES", SHAPES)


def chromium() -> str | None:
    """The browser."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def browse(html: str, *flags: str) -> bytes:
    """What the browser prints of a page."""
    browser = chromium()
    if browser is None:
        raise SystemExit("Needs Chromium on PATH.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(html, encoding="utf-8")
        call = [browser, *FLAGS, f"--user-data-dir={path.parent / 'user'}", *flags, path.as_uri()]
        return subprocess.run(call, capture_output=True, check=True, timeout=TIMEOUT).stdout


def framed(page: str, width: int, *, dark: bool) -> str:
    """A page in a frame as wide as a reader's window; its own policy stays in force."""
    scheme = page.replace("(prefers-color-scheme: dark)", "all" if dark else "not all")
    return FRAME.format(width=width, page=escape(scheme))


def measured(pages: Iterable[str], width: int, *, dark: bool) -> list[dict[str, Any]]:
    """Of each page how wide it gets in a window of `width`, how many files it loads, contrasts of texts and shapes."""
    frames = "".join(framed(page, width, dark=dark) for page in pages)
    document = browse(f'<!doctype html><meta charset="utf-8">{frames}<pre id="found"></pre>{MEASURE}', "--dump-dom")
    found = re.search(r'<pre id="found">(.*?)</pre>', document.decode(), re.DOTALL)
    assert found
    measures: list[dict[str, Any]] = json.loads(unescape(found[1]))
    return measures
