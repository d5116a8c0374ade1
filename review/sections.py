"""Write the parts of a pull request's body that a reviewer reads: verdict, why, scores, gates, merge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from review import words
from review.markdown import code, columns, number, plain, section, signed, table
from review.words import reading

if TYPE_CHECKING:
    from model.manifest import Manifest
    from model.validation import Verdict

MARKS = {"passes": "✅", "blocks": "⛔", "cannot_judge": "⚠️", "fired": "🔔", "quiet": "⚪", "warns": "👀"}
ADDRESS = re.compile(r"https://[\w.:/?&=%~#+-]+")


def summary(verdict: Verdict, run_url: str | None, report: str | None) -> str:
    """The verdict, what it means, and where to read more."""
    mark = MARKS["passes" if verdict.passed else "blocks"]
    lines = [f"{mark} **{words.headline(verdict)}** {plain(words.consequence(verdict), 600)}"]
    links = [_link("workflow run", run_url), _link("report with pictures", report)]
    return "\n\n".join([*lines, *([" · ".join(filter(None, links))] if any(links) else [])])


def _link(name: str, target: str | None) -> str:
    if target and ADDRESS.fullmatch(target):
        return f"[{name}]({target})"
    return f"{name}: {code(target, 300)}" if target else ""


def why(verdict: Verdict) -> str:
    """What led to the training: reasons first, then every trigger."""
    made = verdict.candidate.decision
    rows = [
        (
            f"{MARKS[r.state]} {r.trigger}",
            plain(r.sentence),
            words.STATES[r.state],
            reading(r.value),
            reading(r.limit),
        )
        for r in made.readings
    ]
    lines = "\n".join(f"- {plain(reason)}" for reason in words.reasons(verdict))
    grid = table(columns("Trigger", "In words", "State", "Reading>", "Limit>"), rows) if rows else ""
    return section("Why", lines, grid)


def comparison(verdict: Verdict) -> str:
    """Champion against challenger, metric by metric."""
    made = verdict.comparison
    rows = [
        (words.label(s.metric), number(None), number(s.value), number(None), _between(s.low, s.high))
        for s in verdict.scores
        if s.low is not None and (made is None or s.metric != made.metric)
    ]
    if made is not None:
        name, difference = f"**{words.label(made.metric)}**", f"**{signed(made.difference)}**"
        interval = f"{signed(made.low)} to {signed(made.high)}"
        rows.insert(0, (name, number(made.champion_value), number(made.challenger_value), difference, interval))
    champion = f"Champion v{made.champion}>" if made else "Champion>"
    challenger = f"Challenger v{verdict.candidate.version}>"
    grid = table(columns("Metric", champion, challenger, "Difference>", "Interval>"), rows)
    note = "The first interval is that of the difference, the others those of the challenger's score."
    others = ", ".join(f"{words.label(s.metric)} {number(s.value)}" for s in verdict.scores if s.low is None)
    return section(
        "Champion against challenger",
        grid if rows else "Nothing could be measured.",
        note if made and rows[1:] else "",
        f"Other scores of the challenger: {others}." if others else "",
    )


def _between(low: float | None, high: float | None) -> str:
    return number(None) if low is None or high is None else f"{number(low)} to {number(high)}"


def gates(verdict: Verdict) -> str:
    """Every gate, those that do not pass first."""
    ordered = [*words.stopping(verdict), *(gate for gate in verdict.gates if gate.state == "passes")]
    rows = [
        (f"{MARKS[g.state]} {plain(words.label(g.name))}", plain(g.sentence), reading(g.value), reading(g.limit))
        for g in ordered
    ]
    return section("Gates", table(columns("Gate", "In words", "Measured>", "Limit>"), rows, most=60))


def merging(verdict: Verdict, before: Manifest | None) -> str:
    """What a merge does, and how to undo it."""
    candidate = verdict.candidate
    now = before.version if before else verdict.champion
    name, version = code(candidate.registry_name), candidate.version
    old = f"; version {now} becomes Archived and stays ready to come back." if now else "."
    back = f"version {now}" if now else "the state without a model"
    return section(
        "Merge and rollback",
        f"**Merging** puts version {version} of {name} into Production{old}",
        f"**To roll back** to {back}, revert the merge and let the registry follow:",
        f"```\ngit revert -m 1 MERGE_COMMIT\nmlops promote --model {candidate.model}\n```",
    )
