"""The command `mlops alert`: one issue for each cause of failure; chat or mail when a cause begins and ends."""

from __future__ import annotations

import json as jsonlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import MlopsError, UsageError
from scripts.cli import options, output
from stages import clock
from stages.connect import open_threads
from stages.repository import find_root, only_model

if TYPE_CHECKING:
    import datetime as dt

    from core.config import Settings
    from review.alerts import Alert
    from review.github import OpenIssue, Threads

# The stages of each job, in the order in which they run. A job that left no record is reported under its own name.
STAGES = {
    "monitor": ("pull", "check", "promote", "monitor"),
    "train": ("train", "validate"),
    "propose": ("propose",),
    "promote": ("promote",),
}
# One cause for all stages of a run: without a registry every stage fails in the same way.
SHARED = {"config", "outside"}
SUCCESSFUL = {"success", "skipped"}


def alert(
    jobs: Annotated[
        str, typer.Option("--jobs", envvar="MLOPS_JOBS", help="Results of the jobs of the run, as JSON: toJSON(needs).")
    ],
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Open or update an issue for each failure or refusal of this run; close the issues whose cause is gone.

    Example: mlops alert --model flights --jobs '{"monitor": {"result": "failure"}}'
    """
    from core.config import Settings

    root = find_root(Path.cwd())
    settings, name = Settings.load(root), model or only_model(root)
    moment, _ = clock.instant(as_of)
    results = parse_results(jobs)
    alerts = causes(settings, name, moment, results)
    over = recovered_stages(settings, name, results, alerts)
    issues = update_issues(settings, name, alerts, moment, over=over)
    output.show({"model": name, **issues}, lines(name, issues), as_json=json, out=out)


def parse_results(text: str) -> dict[str, str]:
    """Return the result of each job, from the JSON text of the runner.

    Raises:
        UsageError: the text does not have the form of toJSON(needs).
    """
    try:
        return {str(name): str(job["result"]) for name, job in jsonlib.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise UsageError(
            "--jobs does not have the form of toJSON(needs).", fix="Pass MLOPS_JOBS: ${{ toJSON(needs) }}"
        ) from err


def causes(settings: Settings, model: str, as_of: dt.datetime, results: Mapping[str, str]) -> list[Alert]:
    """Return an alert for each failure that a stage recorded, each job that left no record, and a refused candidate."""
    from core.failure import Failure
    from review.alerts import text
    from training.gates import Verdict

    work, hub = settings.work(model), settings.hub
    run_url, report_url = (hub.run_url, hub.report_url) if hub else (None, None)
    order = [stage for stages in STAGES.values() for stage in stages]
    failures = sorted(map(Failure.read, work.glob("failure-*.json")), key=lambda failure: order.index(failure.stage))
    recorded = {failure.stage for failure in failures}
    first = {failure.kind if failure.kind in SHARED else failure.cause: failure for failure in reversed(failures)}
    alerts = [text.failed(failure, run_url) for failure in reversed(first.values())]
    for job, result in results.items():
        if result not in SUCCESSFUL and not recorded & set(STAGES.get(job, ())):
            alerts.append(text.stopped(model, job, as_of, run_url))
    verdict = work / "verdict.json"
    if verdict.exists() and not (judged := Verdict.read(verdict)).passed:
        alerts.append(text.refused(judged, run_url, report_url))
    return alerts


def recovered_stages(settings: Settings, model: str, results: Mapping[str, str], alerts: list[Alert]) -> set[str]:
    """Return the stages whose issues can be closed.

    These are the stages of all jobs if the whole run succeeded, otherwise of the jobs that succeeded. The issue of a
    refusal is closed when a candidate passed or when no trigger asks for one any more, but not by a quiet nightly run
    in the pause after the refusal.
    """
    from monitoring.triggers import Decision
    from review.alerts import REFUSED

    succeeded = not alerts and set(results.values()) <= SUCCESSFUL
    over = {
        stage for job, result in results.items() if succeeded or result == "success" for stage in STAGES.get(job, ())
    }
    decision = settings.work(model) / "decision.json"
    waits = decision.exists() and bool(Decision.read(decision).held_back_by)
    if "validate" in over and not waits and not any(alert.cause == REFUSED for alert in alerts):
        over.add("refused")
    return over


def update_issues(
    settings: Settings, model: str, alerts: list[Alert], as_of: dt.datetime, *, over: set[str]
) -> dict[str, list[dict[str, Any]]]:
    """Open, update and close issues to match the alerts, and send new ones to chat and mail.

    Issues and messages do not wait for each other: what one cannot tell, the other does.

    Raises:
        MlopsError: neither the issues nor APPRISE_URLS took the message.
    """
    from review.alerts import text

    issues = Issues(open_threads(settings.hub) if settings.hub else None, model)
    opened, closed = [], []
    for alert in alerts:
        before = issues.existing.get(alert.key)
        issue, new = issues.tell(text.again(alert, before.body if before else None))
        opened.append({"cause": alert.cause, "title": alert.title, "url": issue.url if issue else None, "new": new})
    wanted = {alert.key for alert in alerts}
    for key, issue in issues.existing.items():
        if key not in wanted and stage_of(key) in over:
            comment = text.over(as_of, settings.hub.run_url if settings.hub else None)
            if issues.close(issue.number, comment):
                closed.append({"cause": key.partition("/")[2], "title": issue.title, "url": issue.url})
    new_messages = [(a.title, text.short(a)) for a, issue in zip(alerts, opened, strict=True) if issue["new"]]
    sent = send([*new_messages, *((f"{issue['title']}: resolved", f"Closed: {issue['url']}") for issue in closed)])
    for err in issues.errors[:1]:
        if not sent:
            raise err
        output.warn(f"Sent to APPRISE_URLS only: {err}")
    return {"open": opened, "closed": closed}


class Issues:
    """The issues of a model; an error is kept in `errors` and keeps nothing else from being sent.

    Args:
        threads: on GitHub; None if there is no repository there.
        model: the model's folder name.
    """

    def __init__(self, threads: Threads | None, model: str) -> None:
        self._threads = threads
        self.errors: list[MlopsError] = []
        self.existing: dict[str, OpenIssue] = {}
        if threads is not None:
            try:
                self.existing = {issue.key: issue for issue in threads.known(model)}
            except MlopsError as err:
                self.errors.append(err)

    def tell(self, alert: Alert) -> tuple[OpenIssue | None, bool]:
        """Open or update the issue of an alert; return it, and whether its cause is new as far as is known."""
        if self._threads is None:
            return None, True
        try:
            return self._threads.tell(alert.key, alert.title, alert.body)
        except MlopsError as err:
            self.errors.append(err)
            return None, alert.key not in self.existing

    def close(self, number: int, text: str) -> bool:
        """Close an issue with a last comment, and return whether that worked."""
        try:
            if self._threads is not None:
                self._threads.done(number, text)
        except MlopsError as err:
            self.errors.append(err)
            return False
        return True


def stage_of(key: str) -> str:
    """Return the stage in the key of an issue; a refusal counts as a stage of its own."""
    cause = key.partition("/")[2]
    return "refused" if cause.endswith("-refused") else cause.partition("-")[0]


def send(messages: list[tuple[str, str]]) -> bool:
    """Send titles with their texts to the addresses in `APPRISE_URLS`, and return whether all arrived everywhere.

    A failure is a warning; the caller knows whether there is an issue.
    """
    from review.alerts import apprise

    urls = apprise.addresses(os.environ.get("APPRISE_URLS", ""))
    arrived = bool(urls)
    for title, text in messages if urls else ():
        try:
            apprise.send(urls, title, text)
        except MlopsError as err:
            output.warn(str(err))
            arrived = False
    return arrived


def lines(model: str, issues: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Return the result as text."""
    opened = [f"  open: {output.clean(issue['title'])} {issue['url'] or ''}".rstrip() for issue in issues["open"]]
    closed = [f"  closed: {output.clean(issue['title'])} {issue['url']}" for issue in issues["closed"]]
    if not opened and not closed:
        return [f"{model}: the run succeeded, no alert is open"]
    return [f"{model}: {len(opened)} open, {len(closed)} closed", *opened, *closed]
