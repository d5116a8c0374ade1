"""Early warnings: readings that can be made before labels arrive. They warn a person and never start a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.days import DAY
from core.wording import distinct, metric, sentence_case, span
from monitoring.drift import FEWEST_DAYS, ColumnDamage, ColumnDrift
from monitoring.performance import PerformanceReport
from monitoring.tasks import FEWEST, task_of
from monitoring.triggers.evidence import Evidence, Name, Reading, cannot_judge, switched_off

SHOWN = 3  # columns in a sentence


def damage(evidence: Evidence) -> Reading:
    """Warns when a column has more missing, invalid, unusual or repeated values than days explain."""
    config, report = evidence.config.triggers.drift, evidence.drift
    if report is None or not report.nights:
        return cannot_judge("damage", "There is no baseline of the model in service to compare with.")
    end = report.nights[-1].end
    days = span(end - config.window_days * DAY, end)
    if report.damage is None:
        return cannot_judge(
            "damage",
            f"Fewer than {config.min_rows:,} rows from {days}, or fewer than {FEWEST_DAYS} days in the baseline.",
        )
    sentences = [_damaged(item) for item in report.damage[:SHOWN]]
    more = len(report.damage) - len(sentences)
    sentences += [f"and {more} more"] if more else []
    return Reading(
        trigger="damage",
        state="warns" if sentences else "quiet",
        value=float(len(report.damage)),
        limit=0.0,
        sentence=f"Rows from {days}: {'; '.join(sentences)}."
        if sentences
        else f"No column has more missing, invalid, unusual or repeated values from {days} than days explain.",
    )


def _damaged(item: ColumnDamage) -> str:
    """Return a share that is damage, as a phrase."""
    what = {
        "null": "missing",
        "not a number": "not a number",
        "infinite": "infinite",
        "out of range": "out of the baseline's range",
        "new": "a value that the baseline does not have",
        "repeated": item.value,
    }[item.kind]
    return f"{item.column} is {what} in {item.share:.1%} (baseline {item.baseline:.1%}, at most {item.largest:.1%})"


def score(evidence: Evidence) -> Reading:
    """Warns when the scores of the model in service differ from its holdout scores. The settings are those of drift."""
    column = evidence.drift.score if evidence.drift else None
    return _moved("score", evidence, column, 0, ("scores", f"were scored by version {evidence.past.champion}"))


def target(evidence: Evidence) -> Reading:
    """Warns when the labels of the last days whose labels are complete differ from the holdout labels."""
    column = evidence.drift.target if evidence.drift else None
    return _moved("target", evidence, column, evidence.config.training.maturity_days, ("labels", "have a label"))


def _moved(name: Name, evidence: Evidence, column: ColumnDrift | None, late: int, texts: tuple[str, str]) -> Reading:
    """Return the reading of a column of scores or labels that ends `late` days before the run."""
    config, report = evidence.config.triggers.drift, evidence.drift
    if report is None or not report.nights:
        return cannot_judge(name, "There is no baseline of the model in service to compare with.")
    if evidence.holdout is None:
        return cannot_judge(name, _older(evidence))
    what, counted = texts
    end = report.nights[-1].end - late * DAY
    days = span(end - config.window_days * DAY, end)
    if column is None:
        return cannot_judge(name, f"Fewer than {config.min_rows:,} rows from {days} {counted}.")
    effect, limit = distinct(column.effect, config.min_effect)
    usual = ""
    if column.effect >= config.min_effect:
        usual = f", {'' if column.drifted else 'no '}more than days usually differ"
    return Reading(
        trigger=name,
        state="warns" if column.drifted else "quiet",
        value=column.effect,
        limit=config.min_effect,
        sentence=f"The {what} of {column.rows:,} rows from {days} differ from the holdout {what} by {effect} "
        f"(threshold {limit}){usual}.",
    )


def estimate(evidence: Evidence) -> Reading:
    """Warns when the metric that is estimated without labels is under the limit of the performance trigger."""
    made, performance = evidence.estimate, evidence.performance
    if performance is None:
        return cannot_judge("estimate", "The scores of the window were not counted.")
    if evidence.holdout is None:
        return cannot_judge("estimate", _older(evidence))
    if made is None:
        rows = f"{evidence.holdout.rows(task_of(evidence.config)):,} rows, fewer than {FEWEST} of one label"
        return cannot_judge("estimate", f"The holdout has {rows}: too few to calibrate scores.")
    days, least = span(made.start, made.end), evidence.config.triggers.performance.min_labels
    if made.rows < least:
        return cannot_judge("estimate", f"Only {made.rows:,} rows from {days} are scored; {least:,} are needed.")
    name = sentence_case(metric(made.metric))
    if made.value is None:
        return cannot_judge("estimate", f"{name} is undefined on {made.rows:,} scored rows from {days}.")
    value, limit = distinct(made.value, performance.limit)
    return Reading(
        trigger="estimate",
        state="warns" if made.value < performance.limit else "quiet",
        value=made.value,
        limit=performance.limit,
        sentence=f"{name} is estimated at {value} on {made.rows:,} rows from {days}, if scores are still calibrated "
        f"as on the holdout; limit {limit}.{_realised(made.matured, performance)}",
    )


def _realised(estimated: float | None, report: PerformanceReport) -> str:
    """Return a sentence that compares the estimate with the score by labels, on the same rows."""
    if estimated is None or report.value is None or report.low is None or report.high is None:
        return ""
    estimate, score = distinct(estimated, report.value)
    wrong = "too high" if estimated > report.high else "too low" if estimated < report.low else ""
    end = f". The estimate is {wrong} by more than chance: scores are no longer calibrated as on the holdout."
    labels = f"{report.labels:,} labels up to {report.end - DAY:%-d %b}"
    return f" On the {labels} the estimate is {estimate} and the score is {score}{end if wrong else '.'}"


def _older(evidence: Evidence) -> str:
    return f"The holdout scores of version {evidence.past.champion} were not stored: an older release trained it."


def watch_all(evidence: Evidence) -> tuple[Reading, ...]:
    """Return all early warnings that the task can give. Each is switched off together with its trigger."""
    return tuple(
        (warning if getattr(evidence.config.triggers, trigger).enabled else switched_off(name))(evidence)
        for name, (trigger, warning) in EARLY_WARNINGS.items()
        if name != "estimate" or task_of(evidence.config).estimable
    )


EARLY_WARNINGS: Mapping[Name, tuple[str, Callable[[Evidence], Reading]]] = {
    "damage": ("drift", damage),
    "score": ("drift", score),
    "target": ("drift", target),
    "estimate": ("performance", estimate),
}
