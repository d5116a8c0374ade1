"""Tell people how a workflow run went: an issue for each cause that lasts, chat or mail when it begins and ends."""

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

# The stages of each job, in the order in which they run. A job that died without a word is told under its own name.
STAGES = {
    "monitor": ("pull", "check", "promote", "monitor"),
    "train": ("train", "validate"),
    "propose": ("propose",),
    "promote": ("promote",),
}
# One cause for all stages of a run: without a registry each of them fails in the same way.
SHARED = {"config", "outside"}
FINE = {"success", "skipped"}


def alert(
    jobs: Annotated[
        str, typer.Option("--jobs", envvar="MLOPS_JOBS", help="The jobs of the run as JSON: toJSON(needs).")
    ],
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Open or update an issue for each cause that this run failed or refused for; close those that are over.

    Example: mlops alert --model flights --jobs '{"monitor": {"result": "failure"}}'
    """
    from core.config import Settings

    root = find_root(Path.cwd())
    settings, name = Settings.load(root), model or only_model(root)
    moment, _ = clock.instant(as_of)
    results = parsed(jobs)
    found = causes(settings, name, moment, results)
    told = tell(settings, name, found, moment, over=recovered_stages(settings, name, results, found))
    output.show({"model": name, **told}, lines(name, told), as_json=json, out=out)


def parsed(text: str) -> dict[str, str]:
    """The result of each job, from what the runner says of them.

    Raises:
        UsageError: it is not that.
    """
    try:
        return {str(job): str(said["result"]) for job, said in jsonlib.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise UsageError(
            "--jobs is not what toJSON(needs) gives.", fix="Pass MLOPS_JOBS: ${{ toJSON(needs) }}"
        ) from err


def causes(settings: Settings, model: str, as_of: dt.datetime, results: Mapping[str, str]) -> list[Alert]:
    """What went wrong: every failure that a stage left, every job that died without a word, and a refusal."""
    from core.failure import Failure
    from review.alerts import text
    from training.gates import Verdict

    work, hub = settings.work(model), settings.hub
    run_url, report_url = (hub.run_url, hub.report_url) if hub else (None, None)
    order = [stage for stages in STAGES.values() for stage in stages]
    failures = sorted(map(Failure.read, work.glob("failure-*.json")), key=lambda one: order.index(one.stage))
    known = {failure.stage for failure in failures}
    first = {failure.kind if failure.kind in SHARED else failure.cause: failure for failure in reversed(failures)}
    found = [text.failed(failure, run_url) for failure in reversed(first.values())]
    for job, result in results.items():
        if result not in FINE and not known & set(STAGES.get(job, ())):
            found.append(text.stopped(model, job, as_of, run_url))
    verdict = work / "verdict.json"
    if verdict.exists() and not (judged := Verdict.read(verdict)).passed:
        found.append(text.refused(judged, run_url, report_url))
    return found


def recovered_stages(settings: Settings, model: str, results: Mapping[str, str], found: list[Alert]) -> set[str]:
    """The stages whose alerts are over: those of all jobs where the whole run went well, else of those that did.

    A refusal is over when a candidate passed, or when nothing asks for one any more; not because of a quiet night in
    the pause after it.
    """
    from monitoring.triggers import Decision
    from review.alerts import REFUSED

    well = not found and set(results.values()) <= FINE
    over = {stage for job, result in results.items() if well or result == "success" for stage in STAGES.get(job, ())}
    decision = settings.work(model) / "decision.json"
    waits = decision.exists() and bool(Decision.read(decision).held_back_by)
    if "validate" in over and not waits and not any(alert.cause == REFUSED for alert in found):
        over.add("refused")
    return over


def tell(
    settings: Settings, model: str, found: list[Alert], as_of: dt.datetime, *, over: set[str]
) -> dict[str, list[dict[str, Any]]]:
    """Bring the issues to what was found, and send what is new."""
    from review.alerts import text

    threads = open_threads(settings.hub) if settings.hub else None
    known = {one.key: one for one in threads.known(model)} if threads else {}
    opened, closed = [], []
    for one in found:
        before = known.get(one.key)
        whole = text.again(one, before.body if before else None)
        issue, new = threads.tell(whole.key, whole.title, whole.body) if threads else (None, True)
        opened.append({"cause": one.cause, "title": one.title, "url": issue.url if issue else None, "new": new})
    wanted = {one.key for one in found}
    for key, issue in known.items():
        if key not in wanted and stage_of(key) in over and threads:
            threads.done(issue.number, text.over(as_of, settings.hub.run_url if settings.hub else None))
            closed.append({"cause": key.partition("/")[2], "title": issue.title, "url": issue.url})
    texts = [(one.title, text.short(one)) for one, said in zip(found, opened, strict=True) if said["new"]]
    send([*texts, *((f"{one['title']}: over", f"Closed: {one['url']}") for one in closed)])
    return {"open": opened, "closed": closed}


def stage_of(key: str) -> str:
    """The stage of an issue's key; a refusal is one of its own."""
    cause = key.partition("/")[2]
    return "refused" if cause.endswith("-refused") else cause.partition("-")[0]


def send(texts: list[tuple[str, str]]) -> None:
    """To chat and mail, where `APPRISE_URLS` names any; the issue stands also where that fails."""
    from review.alerts import apprise

    urls = apprise.addresses(os.environ.get("APPRISE_URLS", ""))
    for title, text in texts if urls else ():
        try:
            apprise.send(urls, title, text)
        except MlopsError as err:
            output.warn(str(err))


def lines(model: str, told: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """The result for a person."""
    opened = [f"  open: {output.clean(one['title'])} {one['url'] or ''}".rstrip() for one in told["open"]]
    closed = [f"  over: {output.clean(one['title'])} {one['url']}" for one in told["closed"]]
    if not opened and not closed:
        return [f"{model}: all went well, no alert is open"]
    return [f"{model}: {len(opened)} alerts, {len(closed)} are over", *opened, *closed]
