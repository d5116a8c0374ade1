"""Write the parts of a pull request's body that a reviewer reads: verdict, why, scores, gates, merge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from review import words
from review.markdown import code, columns, folded, number, plain, section, table
from review.words import change, figure

if TYPE_CHECKING:
    from model.manifest import Manifest
    from model.validation import Gate, Score, Verdict
    from review.proposal import Links

MARKS = {"passes": "✅", "blocks": "⛔", "cannot_judge": "⚠️", "fired": "🔔", "quiet": "⚪", "warns": "👀"}
ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9_.:/?&=%~#+-]{0,1000}")
CLICK = (
    "**Checks** of this pull request wait for one click, because the token of a workflow opened it: press **Approve "
    "workflows to run** in the merge box, again after each update. With the token of a GitHub App they start at once."
)


def summary(verdict: Verdict, links: Links, report: str | None) -> str:
    """The verdict, what it means, and where to read more."""
    mark = MARKS["passes" if verdict.passed else "blocks"]
    made = verdict.candidate
    where = [
        link("report with pictures", links.report_url)
        or (f"report with pictures: {code(report, 300)}" if report else ""),
        link("workflow run", links.run_url),
        in_mlflow(f"version {made.version} in MLflow", links, f"models/{made.registry_name}/versions/{made.version}"),
    ]
    lines = [f"{mark} **{words.headline(verdict)}** {plain(words.consequence(verdict), 600)}", words.caution(verdict)]
    return "\n\n".join(filter(None, [*lines, " · ".join(filter(None, where))]))


def link(name: str, target: str | None) -> str:
    """A link; nothing where the target is no plain address, for what else it is may not be for everyone."""
    return f"[{name}]({target})" if target and ADDRESS.fullmatch(target) else ""


def in_mlflow(name: str, links: Links, page: str) -> str:
    """A link to a page of the MLflow UI that the team shows, if it shows one."""
    return link(name, links.mlflow_url and f"{links.mlflow_url.rstrip('/')}/#/{page}")


def why(verdict: Verdict) -> str:
    """What led to the training: every trigger, those that fired first, and above them what no trigger says."""
    made = verdict.candidate.decision
    rows = [
        (
            f"{MARKS[r.state]}\u00a0{r.trigger} {words.STATES[r.state]}",
            plain(r.sentence),
            *words.read(r, made),
        )
        for r in sorted(made.readings, key=lambda r: r.state != "fired")
    ]
    told = {r.sentence for r in made.readings}
    lines = "\n".join(f"- {plain(reason)}" for reason in words.reasons(verdict) if reason not in told)
    grid = table(columns("Trigger", "In words", "Reading>", "Limit>"), rows) if rows else ""
    return section("Why", lines, grid)


def comparison(verdict: Verdict) -> str:
    """Champion against challenger, metric by metric."""
    made = verdict.comparison
    rows = [_alone(s) for s in verdict.scores if s.low is not None and (made is None or s.metric != made.metric)]
    if made is not None:
        name, difference = f"**{plain(words.label(made.metric))}**", f"**{change(made.difference, made.metric)}**"
        interval = " to ".join(change(end, made.metric) for end in (made.low, made.high))
        values = [figure(value, made.metric) for value in (made.champion_value, made.challenger_value)]
        rows.insert(0, (name, *values, difference, interval))
    champion = f"Champion v{made.champion}>" if made else "Champion>"
    challenger = f"Challenger v{verdict.candidate.version}>"
    grid = table(columns("Metric", champion, challenger, "Difference>", "Interval>"), rows)
    note = "The first interval is that of the difference, the others those of the challenger's score."
    others = ", ".join(
        f"{plain(words.label(s.metric))} {figure(s.value, s.metric)}" for s in verdict.scores if s.low is None
    )
    return section(
        "Champion against challenger",
        grid if rows else "Nothing could be measured.",
        note if made and rows[1:] else "",
        f"Other scores of the challenger: {others}." if others else "",
    )


def _alone(score: Score) -> tuple[str, ...]:
    """The row of a score that the champion was not asked for."""
    value, low, high = (figure(value, score.metric) for value in (score.value, score.low, score.high))
    none = number(None)
    interval = none if score.high is None else f"{low} to {high}"
    return (plain(words.label(score.metric)), none, value, none, interval)


def gates(verdict: Verdict) -> str:
    """The gates that do not let pass; folded, those that do."""
    stopping, passing = words.stopping(verdict), [gate for gate in verdict.gates if gate.state == "passes"]
    return section(
        "Gates",
        _gates(verdict, stopping) if stopping else "",
        folded(f"{MARKS['passes']} {len(passing)} of {len(verdict.gates)} gates passed", _gates(verdict, passing))
        if passing
        else "",
    )


def _gates(verdict: Verdict, asked: Sequence[Gate]) -> str:
    rows = [
        (
            f"{MARKS[g.state]}\u00a0{plain(words.label(g.name))}",
            plain(g.sentence),
            *words.measured(g, verdict),
        )
        for g in asked
    ]
    return table(columns("Gate", "In words", "Measured>", "Limit>"), rows, most=60)


def merging(verdict: Verdict, before: Manifest | None, reference: float | None, links: Links) -> str:
    """What a merge does, and how to undo it.

    Args:
        verdict: what is to be decided on.
        before: what git declares now.
        reference: the score that the performance trigger is held against after the merge, None where nothing may be
            merged.
        links: tells where the pull request lives, and with whose token it was opened.
    """
    candidate = verdict.candidate
    now = before.version if before else verdict.champion
    old = f"; version {now} becomes Archived and stays ready to come back." if now else "."
    return section(
        "Merge and rollback",
        f"**Merging** puts version {candidate.version} of {code(candidate.registry_name)} into Production{old}",
        _reference(verdict, before, reference),
        _rollback(candidate.model, before, links),
        CLICK if links.token == "default" else "",  # noqa: S105 - whose token, not a token
    )


def _reference(verdict: Verdict, before: Manifest | None, after: float | None) -> str:
    """What the merge does to the score that the performance trigger is held against; nothing where it stays."""
    if before is None or after is None:
        return ""
    metric = verdict.scores[0].metric
    if metric != before.metric:
        old, new = (plain(words.label(name)) for name in (before.metric, metric))
        was, becomes = figure(before.reference, before.metric), figure(after, metric)
        return (
            f"⚠️ **Merging replaces the reference** that the performance trigger measures against: it was "
            f"{was} in {old}, and will be {becomes} in {new}. Scores before do not count."
        )
    change = f"{figure(before.reference, metric)} to {figure(after, metric)}"
    if after < before.reference:
        return f"⚠️ **Merging lowers the reference** that the performance trigger measures against, from {change}."
    if after > before.reference:
        return f"**The reference** that the performance trigger measures against rises from {change}."
    return ""


def _rollback(model: str, before: Manifest | None, links: Links) -> str:
    if before is None:
        return "**To roll back** there is no version: undoing the first promotion takes nothing out of Production."
    if links.token == "local":  # noqa: S105 - whose token, not a token
        return (
            f"**To roll back** to version {before.version}, revert the merge and let the registry follow:\n\n"
            f"```\ngit revert -m 1 MERGE_COMMIT\nmlops promote --model {model}\n```"
        )
    return (
        f"**To roll back** to version {before.version}: after the merge press **Revert** at the end of this page, and "
        f"merge the pull request that it opens. The promote workflow then moves Production back."
    )
