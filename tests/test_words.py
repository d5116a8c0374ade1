"""Texts use the plain word: code, docs, templates and workflows contain none of the words that were replaced."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A pattern for a whole word, in any case, and what to write instead.
PLAIN = {
    r"mend(s|ed|ing)?|cure[sd]?": "fix",
    r"seldom": "rarely",
    r"rang|rings?|ringing": "fire, of a trigger",
    r"(un)?fore(see|seen|saw)": "expected, unexpected, predicted",
    r"is none (of|that)": "is not",
    r"(?<!there )(?<!this )is no (?!longer|more)[\w-]+": "is not a",
    r"ours|yours|theirs": "the noun itself",
    r"surely|% sure|sure it is": "with 95% confidence",
    r"tonight": "the nightly run, the day",
    r"came true": "the label, the outcome",
    r"nobody|somebody": "name the actor, or write: no one",
    r"so many rows": "N rows",
    r"blanks": "spaces",
    r"disturbances?": "outage",
    r"besides?": "also, next to",
    r"meanwhile|lately": "in the meantime, recently",
    r"h[oe]ld (it )?against": "compare with",
    r"(stands?|stood|lies?|lay) in": "is in",
    r"odd|strange": "unexpected, unknown, invalid",
    r"at the most": "at most",
    r"take over what is new": "upgrade",
    r"excuse[sd]?": "compensate for, mask",
    r"told": "reported; as a name: text, message, result",
    r"\d+ %(?! ?[}\d(])": "a percent sign next to its number: 95%",
    r"\d[\u2009\u202f]\d\d\d": "a comma between thousands: 1,981",
}
WORDS = re.compile("|".join(rf"(?P<w{i}>(?<!\w)(?:{word})(?!\w))" for i, word in enumerate(PLAIN)), re.IGNORECASE)
# What may stay, with the reason; an exception that nothing needs is an error.
EXCEPTIONS = {
    ("monitoring/tasks/intervals.py", "2 %"): "the remainder operator",
    ("review/pages/templates/pictures.jinja", "ring"): "a CSS class: the mark is a ring",
    ("review/pages/templates/replay.html.jinja", "told"): "the id of an element",
    ("review/pages/templates/report.css", "ring"): "a CSS class: the mark is a ring",
    ("review/pages/templates/report.html.jinja", "ring"): "a CSS class: the mark is a ring",
    ("review/pages/templates/site_model.html.jinja", "ring"): "a CSS class: the mark is a ring",
    ("scripts/upgrade.py", "ours"): "a merge strategy of git",
}
NOT_TEXT = {".png", ".parquet", ".lock", ".json", ".svg", ".db", ".gz", ".txt"}
# Names of tests and their data are not read at work; this file quotes the words; the changelog quotes old releases.
LEFT_OUT = ("tests/", "CHANGELOG.md", "LICENSE", "docs/pictures/")


def old_words(text: str) -> list[tuple[int, str, str]]:
    """Return line number, word, and what to write instead, for each word in a text that was replaced."""
    plain = list(PLAIN.values())
    return [
        (text.count("\n", 0, match.start()) + 1, match[0], plain[int((match.lastgroup or "w0")[1:])])
        for match in WORDS.finditer(text)
    ]


def files() -> list[str]:
    """Return the text files of the repository that the rule covers."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    covered = [name for name in listed if not name.startswith(LEFT_OUT) and Path(name).suffix not in NOT_TEXT]
    return [name for name in covered if (ROOT / name).is_file()]


def test_texts_use_the_plain_word() -> None:
    """No file contains a word that was replaced, except with a reason, and no reason is left over."""
    used, wrong = set(), []
    for name in files():
        for line, word, plain in old_words((ROOT / name).read_text(encoding="utf-8")):
            used.add((name, word.lower()))
            if (name, word.lower()) not in EXCEPTIONS:
                wrong.append(f"{name}:{line}: {word!r}, write: {plain}")

    assert [] == wrong
    assert set(EXCEPTIONS) <= used


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Mend the feed, then run\nthe job again.", "Mend"),
        ("'Churn 2' is no name of a model.", "is no name"),
        ("which nobody foresaw", "nobody"),
        ("the lower end is surely over 0", "surely"),
        ("in 95 % of the runs", "95 %"),
        ("A night rang.", "rang"),
    ],
)
def test_a_planted_word_is_found(text: str, word: str) -> None:
    """The rule sees each of these, and says what to write."""
    (line, found, plain), *_ = old_words(text)

    assert (1, word) == (line, found)
    assert plain


def test_plain_texts_pass() -> None:
    """Words that only contain a replaced word, and sentences that are plain, are not reported."""
    assert [] == old_words("A keyring amends nothing. There is no version yet; it is no longer in use. In 95%.")
