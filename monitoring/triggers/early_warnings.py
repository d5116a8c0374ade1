"""Say what can be seen before labels arrive: these readings warn a person, and never lead to a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.days import DAY
from core.wording import distinct, metric, sentence_case, span
from monitoring.drift import ColumnDrift
from monitoring.performance import PerformanceReport
from monitoring.tasks import FEWEST, task_of
from monitoring.triggers.evidence import Evidence, Name, Reading, cannot_judge, switched_off


def score(evidence: Evidence) -> Reading:
    """Warns when the scores of the model in service lie elsewhere than on its holdout; settings as for drift."""
    found = evidence.drift.score if evidence.drift else None
    version = f"were scored by version {evidence.past.champion}"
    return _moved("score", evidence, found, 0, ("scores", version))


def target(evidence: Evidence) -> Reading:
    """Warns when labels lie elsewhere than on the holdout, on the last days whose labels are all known."""
    found = evidence.drift.target if evidence.drift else None
    return _moved("target", evidence, found, evidence.config.training.maturity_days, ("labels", "have a label"))


def _moved(name: Name, evidence: Evidence, found: ColumnDrift | None, late: int, words: tuple[str, str]) -> Reading:
    """What a column of scores or labels says, which ends `late` days before the night."""
    config, report = evidence.config.triggers.drift, evidence.drift
    if report is None or not report.nights:
        return cannot_judge(name, "There is no baseline of the model in service to compare with.")
    if evidence.holdout is None:
        return cannot_judge(name, _older(evidence))
    what, have = words
    end = report.nights[-1].end - late * DAY
    days = span(end - config.window_days * DAY, end)
    if found is None:
        return cannot_judge(name, f"Under {config.min_rows:,} rows of {days} {have}.")
    return Reading(
        trigger=name,
        state="warns" if found.drifted else "quiet",
        value=found.effect,
        limit=config.min_effect,
        sentence=f"The {what} of {found.rows:,} rows of {days} lie {_far(found, config.min_effect)}.",
    )


def _far(found: ColumnDrift, floor: float) -> str:
    effect, limit = distinct(found.effect, floor)
    if found.effect < floor:
        return f"{effect} from those of the holdout; {limit} matters"
    return f"{effect} from those of the holdout, {'' if found.drifted else 'no '}more than nights differ"


def estimate(evidence: Evidence) -> Reading:
    """Warns when the score that is expected from the scores alone is under the limit of the performance trigger."""
    made, judged = evidence.estimate, evidence.performance
    if judged is None:
        return cannot_judge("estimate", "The scores of the window were not counted.")
    if evidence.holdout is None:
        return cannot_judge("estimate", _older(evidence))
    if made is None:
        few = f"{evidence.holdout.rows(task_of(evidence.config)):,} rows, under {FEWEST} of one label"
        return cannot_judge("estimate", f"The holdout has {few}: too few to say what scores are worth.")
    days, least = span(made.start, made.end), evidence.config.triggers.performance.min_labels
    if made.rows < least:
        return cannot_judge("estimate", f"Only {made.rows:,} rows of {days} are scored; {least:,} are needed.")
    if made.value is None:
        return cannot_judge("estimate", f"Of {made.rows:,} scored rows of {days}, {metric(made.metric)} is undefined.")
    value, limit = distinct(made.value, judged.limit)
    return Reading(
        trigger="estimate",
        state="warns" if made.value < judged.limit else "quiet",
        value=made.value,
        limit=judged.limit,
        sentence=f"{sentence_case(metric(made.metric))} of about {value} is expected on {made.rows:,} rows of {days} "
        f"if scores are worth what they were; limit {limit}.{_realised(made.matured, judged)}",
    )


def _realised(expected: float | None, judged: PerformanceReport) -> str:
    """The estimate beside what labels say, on the same rows."""
    if expected is None or judged.value is None or judged.low is None or judged.high is None:
        return ""
    low, high = judged.low, judged.high
    said, value = distinct(expected, judged.value)
    off = " too high" if expected > high else " too low" if expected < low else ""
    sure = f": it is{off} by more than chance, so scores are no longer worth what they were" if off else ""
    return (
        f" On the {judged.labels:,} labels up to {judged.end - DAY:%-d %b} it expects {said}, they say {value}{sure}."
    )


def _older(evidence: Evidence) -> str:
    return f"What version {evidence.past.champion} said of its holdout was not kept: an older release trained it."


def watch_all(evidence: Evidence) -> tuple[Reading, ...]:
    """What each watch says; one whose trigger is switched off is so too. Only probabilities can be estimated from."""
    return tuple(
        (watch if getattr(evidence.config.triggers, trigger).enabled else switched_off(name))(evidence)
        for name, (trigger, watch) in EARLY_WARNINGS.items()
        if name != "estimate" or task_of(evidence.config).estimable
    )


EARLY_WARNINGS: Mapping[Name, tuple[str, Callable[[Evidence], Reading]]] = {
    "score": ("drift", score),
    "target": ("drift", target),
    "estimate": ("performance", estimate),
}
