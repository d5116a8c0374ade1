"""Alerts: what people read when a nightly run fails or a candidate is refused, and when that is over."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from core.failure import Failure
from core.records import Record
from review.text import VerdictView, markdown, template

if TYPE_CHECKING:
    from training.gates import Verdict

REFUSED = "validate-refused"
SEEN = re.compile(r"^- \d{4}-\d\d-\d\d\b.*$", re.MULTILINE)
LEFT_OUT = re.compile(r"^- … (\d{1,5}) earlier$", re.MULTILINE)
HEADING = "## Seen on"
MOST = 30


class Alert(Record):
    """One cause, for an issue that is updated in place while it lasts, and for one chat message.

    `cause` begins with its stage, as in `pull-data`.
    """

    model: str
    cause: str
    title: str
    body: str

    @property
    def key(self) -> str:
        """Return what two alerts of the same cause share."""
        return f"{self.model}/{self.cause}"


def failed(failure: Failure, run_url: str | None) -> Alert:
    """Return the alert for a stage that ended with an error."""
    title = f"{failure.model}: {failure.stage} failed ({failure.kind.replace('-', ' ')})"
    body = _body("failed", failure.as_of, run_url, failure=failure)
    return Alert(model=failure.model, cause=failure.cause, title=markdown.inert(title, 120), body=body)


def stopped(model: str, job: str, as_of: dt.datetime, run_url: str | None) -> Alert:
    """Return the alert for a job that failed in its set-up, by its time limit or with its runner."""
    body = _body("stopped", as_of, run_url, model=model, job=job)
    return Alert(
        model=model, cause=f"{job}-stopped", title=markdown.inert(f"{model}: the job {job} failed", 120), body=body
    )


def refused(verdict: Verdict, run_url: str | None, report_url: str | None) -> Alert:
    """Return the alert for a refused candidate: the cause of the trigger remains."""
    model = verdict.model
    title = f"{model}: version {verdict.candidate.version} was refused"
    values = {"view": VerdictView(verdict), "config": f"model/{model}/model.toml", "report_url": report_url}
    body = _body("refused", verdict.as_of, run_url, **values)
    return Alert(model=model, cause=REFUSED, title=markdown.inert(title, 120), body=body)


def _body(name: str, as_of: dt.datetime, run_url: str | None, **values: Any) -> str:
    night = f"- {as_of:%Y-%m-%d}" + (f": [workflow run]({run_url})" if run_url else "")
    text = template.render_markdown("review.alerts", f"{name}.md.jinja", **values)
    return f"{text}\n\n{HEADING}\n\n{night}\n"


def again(alert: Alert, before: str | None) -> Alert:
    """Return the alert with the nights that the body of its issue lists already."""
    if before is None:
        return alert
    text, _, newest = alert.body.partition(HEADING)
    listed = before.partition(HEADING)[2]
    old = SEEN.findall(listed)
    nights = [*old, *(line for line in SEEN.findall(newest) if line not in old)]
    earlier = sum(map(int, LEFT_OUT.findall(listed))) + max(0, len(nights) - MOST)
    left_out = [f"- … {earlier} earlier"] if earlier else []
    body = "\n".join([f"{text}{HEADING}", "", *left_out, *nights[-MOST:]]) + "\n"
    return alert.model_copy(update={"body": body})


def over(as_of: dt.datetime, run_url: str | None) -> str:
    """Return the last comment of an issue."""
    run = f" ([workflow run]({run_url}))" if run_url else ""
    return f"✅ The nightly run of {as_of:%Y-%m-%d} succeeded{run}."


def short(alert: Alert) -> str:
    """Return an alert as plain text for chat: its first paragraph without Markdown."""
    first = alert.body.split("\n\n", 1)[0]
    return markdown.clean(re.sub(r"\\(?=[^A-Za-z0-9\s])|[*`]", "", first), 500)
