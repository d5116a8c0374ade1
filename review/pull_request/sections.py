"""Write the parts of a pull request's body that a reviewer reads: verdict, why, scores, gates, merge."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from review.text import (
    MARKS,
    bar,
    change,
    code,
    columns,
    figure,
    folded,
    in_mlflow,
    link,
    number,
    plain,
    reading,
    section,
    table,
    verdict_text,
)

if TYPE_CHECKING:
    from core.quality_report import Finding, QualityReport
    from monitoring.drift import ColumnDrift
    from registry.promotion import Manifest
    from review.text import Links
    from training.gates import Score, SliceScore, Verdict

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
    lines = [
        f"{mark} **{verdict_text.headline(verdict)}** {plain(verdict_text.consequence(verdict), 600)}",
        *(f"⚠️ **{plain(warning)}**" for warning in verdict_text.merging_warnings(verdict)),
        verdict_text.caution(verdict),
    ]
    return "\n\n".join(filter(None, [*lines, " · ".join(filter(None, where))]))


def comparison(verdict: Verdict) -> str:
    """Champion against challenger, metric by metric."""
    made = verdict.comparison
    rows = [_alone(s) for s in verdict.scores if s.low is not None and (made is None or s.metric != made.metric)]
    if made is not None:
        name, difference = (
            f"**{plain(verdict_text.label(made.metric))}**",
            f"**{change(made.difference, made.metric)}**",
        )
        interval = " to ".join(change(end, made.metric) for end in (made.low, made.high))
        values = [figure(value, made.metric) for value in (made.champion_value, made.challenger_value)]
        rows.insert(0, (name, *values, difference, interval))
    champion = f"Champion v{made.champion}>" if made else "Champion>"
    challenger = f"Challenger v{verdict.candidate.version}>"
    grid = table(columns("Metric", champion, challenger, "Difference>", "Interval>"), rows)
    note = "The first interval is that of the difference, the others those of the challenger's score."
    others = ", ".join(
        f"{plain(verdict_text.label(s.metric))} {figure(s.value, s.metric)}" for s in verdict.scores if s.low is None
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
    return (plain(verdict_text.label(score.metric)), none, value, none, interval)


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
    """Return what the merge does to the reference of the performance trigger; empty if it stays."""
    if before is None or after is None or verdict.main_score is None:
        return ""
    metric = verdict.main_score.metric
    if metric != before.metric:
        old, new = (plain(verdict_text.label(name)) for name in (before.metric, metric))
        was, becomes = figure(before.reference, before.metric), figure(after, metric)
        return (
            f"⚠️ **Merging replaces the reference** that the performance trigger measures against: it was "
            f"{was} in {old}, and will be {becomes} in {new}. Scores before do not count."
        )
    change = f"{figure(before.reference, metric)} to {figure(after, metric)}"
    if not before.promoted:
        return (
            f"⚠️ **Merging replaces the reference** that the performance trigger measures against, from {change}: it was "
            "the best score of any promoted version, and is from now on the mean of the last 13 of them."
        )
    if after == before.reference:
        return ""
    verb = "rises" if after > before.reference else "falls"
    return (
        f"**The reference** that the performance trigger measures against {verb} from {change}: it is the mean of the "
        "last 13 promoted versions."
    )


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


SEVERITIES = {"critical": "⛔", "warning": "⚠️", "info": "\u2139\ufe0f"}


def slices(verdict: Verdict) -> str:
    """The scores of each slice; the ones that lost most first."""
    if not verdict.slices:
        return ""
    metric = verdict_text.main(verdict)
    ordered = sorted(verdict.slices, key=_loss, reverse=True)
    rows = [
        (
            code(f"{s.column} = {s.value}"),
            verdict_text.count(s.rows),
            figure(s.champion, metric),
            figure(s.challenger, metric),
            change(_gain(s), metric),
        )
        for s in ordered
    ]
    lost = sum(_loss(s) > 0 for s in ordered)
    grid = table(columns("Slice", "Rows>", "Champion>", "Challenger>", "Difference>"), rows, most=30)
    return section("Slices", folded(f"{len(rows)} slices, {lost} of them lower than the champion", grid))


def _loss(one: SliceScore) -> float:
    return -(_gain(one) or 0.0)


def _gain(one: SliceScore) -> float | None:
    return None if one.challenger is None or one.champion is None else one.challenger - one.champion


def quality(verdict: Verdict) -> str:
    """What the data checks found, on the training rows and on the nights watched."""
    reports = [r for r in (verdict.candidate.quality, verdict.candidate.decision.quality) if r is not None]
    rows = [row for report in reports for row in _findings(report)]
    checked = "; ".join(f"{r.subject}: {r.checks} checks on {verdict_text.count(r.rows)} rows" for r in reports)
    grid = table(columns("Finding", "In words", "Day", "Measured>", "Limit>"), rows)
    if rows and not any(report.critical for report in reports):
        grid = folded(f"{len(rows)} findings, none of them critical", grid)
    return section("Data quality", grid if rows else "✅ Nothing found.", f"Checked: {checked}." if checked else "")


def _findings(report: QualityReport) -> list[tuple[str, ...]]:
    def row(found: Finding) -> tuple[str, ...]:
        column = f" {code(found.column)}" if found.column else ""
        name = f"{SEVERITIES[found.severity]}\u00a0{plain(verdict_text.label(found.check))}{column}"
        day = verdict_text.moment(found.date).replace("-", "\u2011")  # a narrow cell would break it at its hyphens
        return (name, plain(found.sentence), day, reading(found.value), reading(found.limit))

    return [row(found) for found in verdict_text.by_severity(report.findings)]


def drift(verdict: Verdict) -> str:
    """The columns that moved most against the data that the champion was trained on."""
    report = verdict.candidate.decision.drift
    moved = verdict_text.drifted_first(report)
    if report is None or not moved:
        return ""
    most = max([0.2, *(column.effect for column in moved if not column.ignored)])
    grid = table(
        columns("Column", "Effect>", "", "Adjusted p>", "PSI>", "Drifted"),
        [_drift_row(c, most) for c in moved],
        most=8,
    )
    drifted = sum(column.drifted for column in moved)
    if not drifted:
        grid = folded("The columns that moved most", grid)
    text = f"{drifted} of {len(moved)} columns drifted tonight, {verdict_text.nights(report)}."
    unadjusted = "" if report.adjusted else "Not adjusted for nights: the baseline has too few days."
    return section("Drift", f"{text} {unadjusted}".strip(), grid)


def _drift_row(column: ColumnDrift, most: float) -> tuple[str, ...]:
    state = "ignored" if column.ignored else "**yes**" if column.drifted else "no"
    effect, p_value, psi = number(column.effect), verdict_text.chance(column.p_value), number(column.psi, 2)
    return (code(column.column), effect, bar(column.effect, most), p_value, psi, state)


def _moment(when: dt.datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"


def origin(verdict: Verdict, links: Links) -> str:
    """Which rows, run and files this model is."""
    made = verdict.candidate
    rows = [
        (
            "fit on",
            f"{verdict_text.count(made.fit_rows)} rows, {_moment(made.fit_from)} to {_moment(made.fit_until)}",
        ),
        ("judged on", f"{verdict_text.count(made.holdout_rows)} later rows, to {made.data_until:%Y-%m-%d %H:%M}"),
        ("latency, p95", f"{number(verdict.latency_p95_ms, 1)} ms"),
        ("size", f"{number(verdict.size_mb, 2)} MB"),
        ("MLflow run", " ".join([code(made.run_id), in_mlflow("open", links, f"runs/{made.run_id}")]).rstrip()),
        ("model digest", code(made.digest)),
        ("data digest", code(made.data_digest)),
        ("holdout digest", code(verdict.holdout_digest)),
        ("git commit", code(made.commit) or number(None)),
    ]
    return section(
        "Training window and digests", folded("What exactly is promoted", table(columns("What", "Which"), rows))
    )
