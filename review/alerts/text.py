"""Word what people are told when a night fails or a candidate is refused, and when that is over."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.failure import Failure
from core.records import Record
from review.text import clean, code, inert, links, plain, section, verdict_sections, verdict_text

if TYPE_CHECKING:
    from training.gates import Verdict

REFUSED = "validate-refused"
SEEN = re.compile(r"^- \d{4}-\d\d-\d\d\b.*$", re.MULTILINE)
LEFT_OUT = re.compile(r"^- … (\d{1,5}) earlier$", re.MULTILINE)
HEADING = "## Seen on"
MOST = 30
SAFE = {
    "promote": "Production is as it was: `mlops promote` checks everything that can refuse before it writes anything.",
    "propose": "The candidate is registered and Production is as it was; nobody was asked to merge anything yet.",
}
UNCHANGED = "Nothing was promoted: the model in service stays in service."


class Alert(Record):
    """What is told about one cause: in an issue, updated in place while it lasts, and by chat once.

    `cause` begins with its stage, as in `pull-data`.
    """

    model: str
    cause: str
    title: str
    body: str

    @property
    def key(self) -> str:
        """What makes two alerts the same one."""
        return f"{self.model}/{self.cause}"


def failed(failure: Failure, run_url: str | None) -> Alert:
    """A stage ended with an error."""
    parts = [
        f"⛔ **The {failure.stage} of {code(failure.model)} failed.** {plain(failure.what, 1500)}",
        section("Why", plain(failure.why, 800)) if failure.why else "",
        section("What to do", plain(failure.fix, 800)) if failure.fix else "",
        section("What it means", SAFE.get(failure.stage, UNCHANGED)),
    ]
    title = f"{failure.model}: {failure.stage} failed ({failure.kind.replace('-', ' ')})"
    return Alert(
        model=failure.model, cause=failure.cause, title=inert(title, 120), body=_whole(parts, failure.as_of, run_url)
    )


def stopped(model: str, job: str, as_of: dt.datetime, run_url: str | None) -> Alert:
    """A job failed without a word from our commands: in its set-up, by a time limit, or because the runner died."""
    parts = [
        f"⛔ **The job {code(job)} of {code(model)} failed outside of our commands.**",
        section("Why", "Its set-up failed, it ran into its time limit, or the runner was lost."),
        section("What to do", "Read its log and re-run it: every command may be run again."),
        section("What it means", UNCHANGED),
    ]
    title = f"{model}: the job {job} failed"
    return Alert(model=model, cause=f"{job}-stopped", title=inert(title, 120), body=_whole(parts, as_of, run_url))


def refused(verdict: Verdict, run_url: str | None, report_url: str | None) -> Alert:
    """A candidate was trained because a trigger asked for it, and a gate said no: the alarm still stands."""
    model, version = verdict.model, verdict.candidate.version
    parts = [
        f"⛔ **{verdict_text.headline(verdict)}** {plain(verdict_text.consequence(verdict), 600)}",
        verdict_text.caution(verdict),
        verdict_sections.why(verdict),
        verdict_sections.gates(verdict),
        section("What it means", UNCHANGED),
        section(
            "What to do",
            "A trigger asked for a new model and the gates refused the one that was trained, so what made it fire is "
            "still there. It is trained again when the pause after a training is over. If the gates are right, look "
            "at the rows and labels of the training window; if they ask too much, change them in "
            f"{code(f'model/{model}/model.toml')}.",
            f"[report with pictures]({report_url})" if report_url and links.ADDRESS.fullmatch(report_url) else "",
        ),
    ]
    title = f"{model}: version {version} was refused"
    return Alert(model=model, cause=REFUSED, title=inert(title, 120), body=_whole(parts, verdict.as_of, run_url))


def _whole(parts: Sequence[str], as_of: dt.datetime, run_url: str | None) -> str:
    seen = f"- {as_of:%Y-%m-%d}" + (f": [workflow run]({run_url})" if run_url else "")
    return "\n\n".join([*filter(None, parts), HEADING, seen]) + "\n"


def again(alert: Alert, before: str | None) -> Alert:
    """The alert with the nights on which it was seen already, from the body of its issue."""
    if before is None:
        return alert
    text, _, tonight = alert.body.partition(HEADING)
    listed = before.partition(HEADING)[2]
    old = SEEN.findall(listed)
    nights = [*old, *(line for line in SEEN.findall(tonight) if line not in old)]
    earlier = sum(map(int, LEFT_OUT.findall(listed))) + max(0, len(nights) - MOST)
    told = [f"- … {earlier} earlier"] if earlier else []
    body = "\n".join([f"{text}{HEADING}", "", *told, *nights[-MOST:]]) + "\n"
    return alert.model_copy(update={"body": body})


def over(as_of: dt.datetime, run_url: str | None) -> str:
    """The last comment of an issue."""
    run = f" ([workflow run]({run_url}))" if run_url else ""
    return f"✅ The night of {as_of:%Y-%m-%d} went well{run}."


def short(alert: Alert) -> str:
    """An alert as plain text for chat: its first paragraph without Markdown."""
    first = alert.body.split("\n\n", 1)[0]
    return clean(re.sub(r"\\(?=[^A-Za-z0-9\s])|[*`]", "", first), 500)
