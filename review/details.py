"""Write the parts of a pull request's body that a reviewer looks up: slices, data quality, drift, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from review import words
from review.markdown import bar, code, columns, folded, number, plain, section, table
from review.sections import in_mlflow
from review.words import change, figure, reading

if TYPE_CHECKING:
    from model.validation import SliceScore, Verdict
    from monitoring.drift import ColumnDrift
    from monitoring.window import Finding, QualityReport
    from review.proposal import Links

SEVERITIES = {"critical": "⛔", "warning": "⚠️", "info": "\u2139\ufe0f"}


def slices(verdict: Verdict) -> str:
    """The scores of each slice; the ones that lost most first."""
    if not verdict.slices:
        return ""
    metric = words.main(verdict)
    ordered = sorted(verdict.slices, key=_loss, reverse=True)
    rows = [
        (
            code(f"{s.column} = {s.value}"),
            words.count(s.rows),
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
    checked = "; ".join(f"{r.subject}: {r.checks} checks on {words.count(r.rows)} rows" for r in reports)
    grid = table(columns("Finding", "In words", "Day", "Measured>", "Limit>"), rows)
    if rows and not any(report.critical for report in reports):
        grid = folded(f"{len(rows)} findings, none of them critical", grid)
    return section("Data quality", grid if rows else "✅ Nothing found.", f"Checked: {checked}." if checked else "")


def _findings(report: QualityReport) -> list[tuple[str, ...]]:
    def row(found: Finding) -> tuple[str, ...]:
        column = f" {code(found.column)}" if found.column else ""
        name = f"{SEVERITIES[found.severity]}\u00a0{plain(words.label(found.check))}{column}"
        day = words.moment(found.date).replace("-", "\u2011")  # a narrow cell would break it at its hyphens
        return (name, plain(found.sentence), day, reading(found.value), reading(found.limit))

    return [row(found) for found in words.by_severity(report.findings)]


def drift(verdict: Verdict) -> str:
    """The columns that moved most against the data that the champion was trained on."""
    report = verdict.candidate.decision.drift
    moved = words.drifted_first(report)
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
    text = f"{drifted} of {len(moved)} columns drifted tonight, {words.nights(report)}."
    unadjusted = "" if report.adjusted else "Not adjusted for nights: the baseline has too few days."
    return section("Drift", f"{text} {unadjusted}".strip(), grid)


def _drift_row(column: ColumnDrift, most: float) -> tuple[str, ...]:
    state = "ignored" if column.ignored else "**yes**" if column.drifted else "no"
    effect, p_value, psi = number(column.effect), words.chance(column.p_value), number(column.psi, 2)
    return (code(column.column), effect, bar(column.effect, most), p_value, psi, state)


def origin(verdict: Verdict, links: Links) -> str:
    """Which rows, run and files this model is."""
    made = verdict.candidate
    rows = [
        (
            "fit on",
            f"{words.count(made.fit_rows)} rows, {made.fit_from:%Y-%m-%d %H:%M} to {made.fit_until:%Y-%m-%d %H:%M}",
        ),
        ("judged on", f"{words.count(made.holdout_rows)} later rows, to {made.data_until:%Y-%m-%d %H:%M}"),
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
