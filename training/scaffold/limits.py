"""Limits of a new model: of its rows from the table's own days, and of its scores from quick fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.config import Metric, Task, is_share
from training import score
from training.artifact import model_file
from training.gates import latency_p95
from training.scaffold.columns import new_share
from training.scaffold.sample import Column, Sample
from training.scaffold.trial import NEAR, Trial
from training.scaffold.windows import Choice, Days

USUAL_NULLS, USUAL_NEW = 0.2, 0.05  # the defaults of core/config/gates.py
NEARLY_ALL = 0.9  # a limit of 1.0 would not stop anything


def quality(days: Days, sample: Sample, numeric: Sequence[str], categorical: Sequence[str]) -> Iterator[Choice]:
    """Yield the limits of a day, if they are not the defaults."""
    counts = days.counts[1:-1, 0] if len(days.counts) > 2 else days.counts[:, 0]  # noqa: PLR2004 - ends may be cut
    least = int(counts.min())
    yield Choice("quality.min_rows_per_day", least // 2, f"half of the {least:,} rows of the whole day with the fewest")
    yield _nulls(days, [sample.column(name) for name in (*numeric, *categorical)])
    three, why = math.ceil(300 / days.a_day) / 100, f"three of the {days.a_day:,.0f} rows of a usual day"
    if three > NEARLY_ALL:
        three, why = NEARLY_ALL, f"nearly all of the {days.a_day:,.0f} rows of a usual day"
    news = {name: new_share(sample.column(name), sample.times) for name in categorical}
    yield from _new("quality.max_unseen_share", news, "with a new", three, why)
    far = {name: outside(sample.column(name), sample) for name in numeric}
    yield from _new("quality.max_out_of_range_share", far, "outside the earlier range of", three, why)


def _nulls(days: Days, columns: Sequence[Column]) -> Choice:
    worst = max(columns, key=lambda column: column.missing)
    share = worst.missing
    chance = 2 * math.sqrt(share * (1 - share) / days.a_day)
    limit = math.ceil(20 * (share + 0.1 + chance)) / 20 if share else 0.0
    key = "quality.max_null_share"
    if not share:
        return Choice(key, USUAL_NULLS, "no value is missing now")
    return Choice(key, min(max(limit, USUAL_NULLS), 1.0), f"{worst.name} is missing in {share:.1%} of the rows")


def _new(key: str, shares: dict[str, float], how: str, three: float, why: str) -> Iterator[Choice]:
    """Yield the limit on values unseen in training."""
    worst = max(shares, key=lambda name: shares[name], default=None)
    if worst is None:
        return
    limit = math.ceil(200 * shares[worst]) / 100
    if limit > max(three, USUAL_NEW):
        why = f"twice the {shares[worst]:.1%} of the latest rows {how} {worst}"
    if max(limit, three) > USUAL_NEW:
        yield Choice(key, min(max(limit, three), 1.0), why)


def outside(column: Column, sample: Sample) -> float:
    """Return the share of the latest fifth of the rows whose number is outside the range of the earlier rows."""
    codes = column.codes[np.argsort(sample.times, kind="stable")]
    early, late = np.split(codes, [len(codes) * 4 // 5])
    early, late = early[early >= 0], late[late >= 0]
    return float(((late < early.min()) | (late > early.max())).mean()) if len(early) and len(late) else 0.0


# The metrics that get a floor: a threshold metric, and one that ranks or is in the unit of the label.
FLOOR_METRICS: Mapping[Task, tuple[Metric, Metric]] = {
    "binary": ("balanced_accuracy", "roc_auc"),
    "multiclass": ("balanced_accuracy", "f1_weighted"),
    "regression": ("r2", "neg_mean_absolute_error"),
}
CONFIDENCE = 0.99
APART = (1.0, 0.5)  # how far the next fit may be outside the range of the fits, in ranges: if they are few, if many
SLACK = 1.5  # distance of a floor from the value, in distances of its lower limit


@dataclass(frozen=True)
class Unit:
    """The scale of a metric: its value without a model, its steps, and a small and a large difference."""

    guess: float
    step: float
    least: float
    most: float

    def down(self, value: float) -> float:
        """Return the next step below."""
        return _short(math.floor(_short(value / self.step)) * self.step)

    def up(self, value: float) -> float:
        """Return the next step above."""
        return _short(math.ceil(_short(value / self.step)) * self.step)


def _short(value: float) -> float:
    """Return the number without its last digits, which are rounding errors."""
    return float(f"{value:.9g}")


def unit(metric: Metric, tried: Sequence[Trial]) -> Unit:
    """Return the scale of a metric: hundredths, or for errors about two digits of the error without a model."""
    guess = tried[0].guess(metric)
    if is_share(metric) or metric == "r2":
        return Unit(guess, 0.01, 0.05, 0.3)
    size = max(-guess, 1e-6)
    return Unit(-size, 10.0 ** math.floor(math.log10(size / 20)), size / 20, size)


def limits(tried: Sequence[Trial], rare: float) -> Iterator[Choice]:
    """Yield metric, floors and margins; `rare` is the share of the rarest label."""
    main, why = tried[0].task.suggest_metric(rare, [(trial.labels, trial.scores) for trial in tried])
    yield Choice("triggers.performance.metric", main, why)
    for metric in FLOOR_METRICS[tried[0].config.task]:
        yield from _floors(tried, metric, main=metric == main)
    yield from _margins(tried, main, unit(main, tried))
    newest = tried[0]
    latency = latency_p95(newest.estimator, newest.holdout.iloc[:10])
    yield Choice(
        "gates.max_p95_ms", max(100, math.ceil(latency / 10) * 50), f"{latency:.1f} ms for a row on this machine"
    )
    size = len(model_file.round_trip(newest.estimator)[0]) / 1e6
    yield Choice("gates.max_size_mb", max(10, math.ceil(5 * size)), f"the model has {size:.1f} MB now")


def _floors(tried: Sequence[Trial], metric: Metric, *, main: bool) -> Iterator[Choice]:
    """Yield the floor of a metric for candidates and, for the main metric, for the model in service."""
    values, measure = [trial.value(metric) for trial in tried], unit(metric, tried)
    if any(map(math.isnan, values)):
        return
    apart = max(values) - min(values)
    more = apart * APART[len(tried) > NEAR]  # seasons differ as much as spans do
    low = measure.down(min(min(values) - more, *(_lower_limit(trial, metric, measure) for trial in tried)))
    why = f"{_span(values)} in {_fits(tried)} on {len(tried[0].labels):,} rows; a guess has {_digits(measure.guess)}"
    if low > measure.guess:
        yield Choice(f"gates.{metric}", low, why)
    else:
        why += ", which may be as good: no gate"
    if main:
        # With a floor above the first model, the trigger would fire every night.
        floor = low if min(values) < measure.guess else max(low, measure.down(measure.guess))
        yield Choice("triggers.performance.floor", floor, why)
        drop = min(max(measure.up(measure.least), measure.up(apart + more)), measure.up(measure.most))
        yield Choice("triggers.performance.max_drop", drop, f"more than the fits differ: {_span(values)}")


def _margins(tried: Sequence[Trial], metric: Metric, measure: Unit) -> Iterator[Choice]:
    """Yield what a candidate may lose to the champion: with less, chance would block an equally good model."""
    newest = tried[0]
    config, widths = newest.config, [0.0]
    for trial in tried[1:NEAR]:  # older fits may be worse for a reason
        older = score(trial.estimator, newest.holdout, newest.task)
        difference, low, _ = newest.task.paired_difference(
            metric,
            newest.labels,
            older,
            newest.scores,
            confidence=config.gates.confidence,
            seed=config.training.seed,
        )
        widths.append(difference - low)
    if len(tried) == 1:
        widths.append(newest.value(metric) - newest.low(metric, config.gates.confidence))
    why = f"two equally good models differ by up to {_digits(max(widths))} by chance on {len(newest.labels):,} rows"
    loss = min(max(measure.step, measure.up(1.5 * max(widths))), measure.up(measure.most))
    yield Choice("gates.max_loss_to_champion", loss, why)
    if metric.startswith("neg_"):
        most = measure.up(max(2 * measure.least, loss))
        yield Choice("gates.max_slice_loss", most, f"applies if gates.slices names columns; in the unit of {metric}")


def _lower_limit(trial: Trial, metric: Metric, measure: Unit) -> float:
    """Return what the metric stays above with 99% confidence, as long as the data does not change."""
    value = trial.value(metric)
    apart = max(measure.least, SLACK * (value - trial.low(metric, CONFIDENCE)))
    if metric in {"balanced_accuracy", "roc_auc"}:
        rows = np.bincount(trial.labels)
        apart = max(apart, 6 / (np.count_nonzero(rows) * rows[rows > 0].min()))  # six rows of the rarest label
    return value - float(apart)


def _span(values: Sequence[float]) -> str:
    low, high = _digits(min(values)), _digits(max(values))
    return low if low == high else f"{low} to {high}"


def _digits(value: float) -> str:
    """Return a number with about three digits."""
    size = abs(value)
    if size and not 0.001 <= size < 1000:  # noqa: PLR2004 - as far as three decimals reach
        return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"  # noqa: PLR2004
    return f"{value:.3f}" if size < 10 else f"{value:.4g}"  # noqa: PLR2004


def _fits(tried: Sequence[Trial]) -> str:
    count = len(tried)
    return "1 quick fit" if count == 1 else f"{count} quick fits since {min(trial.day for trial in tried)}"
