"""Choose what a new model's rows must look like, from the table's own days."""

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


def quality(days: Days, sample: Sample, numeric: Sequence[str], categorical: Sequence[str]) -> Iterator[Choice]:
    """The limits of a day, where they are not the defaults."""
    counts = days.counts[1:-1, 0] if len(days.counts) > 2 else days.counts[:, 0]  # noqa: PLR2004 - ends may be cut
    least = int(counts.min())
    yield Choice("quality.min_rows_per_day", least // 2, f"half of the poorest whole day, which has {least:,} rows")
    yield _nulls(days, [sample.column(name) for name in (*numeric, *categorical)])
    three, said = min(math.ceil(300 / days.a_day) / 100, 1.0), f"three rows of the {days.a_day:,.0f} of a usual day"
    news = {name: new_share(sample.column(name), sample.times) for name in categorical}
    yield from _new("quality.max_unseen_share", news, "with a new", three, said)
    far = {name: outside(sample.column(name), sample) for name in numeric}
    yield from _new("quality.max_out_of_range_share", far, "outside of the earlier", three, said)


def _nulls(days: Days, columns: Sequence[Column]) -> Choice:
    worst = max(columns, key=lambda one: one.missing)
    share = worst.missing
    chance = 2 * math.sqrt(share * (1 - share) / days.a_day)
    limit = math.ceil(20 * (share + 0.1 + chance)) / 20 if share else 0.0
    key = "quality.max_null_share"
    if not share:
        return Choice(key, USUAL_NULLS, "nothing is missing now")
    return Choice(key, min(max(limit, USUAL_NULLS), 1.0), f"{worst.name} is missing in {share:.1%} of the rows")


def _new(key: str, shares: dict[str, float], how: str, three: float, said: str) -> Iterator[Choice]:
    """Of values that no training knew."""
    worst = max(shares, key=lambda name: shares[name], default=None)
    if worst is None:
        return
    limit = math.ceil(200 * shares[worst]) / 100
    if limit > max(three, USUAL_NEW):
        said = f"twice the share of the latest rows {how} {worst}, {shares[worst]:.1%}"
    if max(limit, three) > USUAL_NEW:
        yield Choice(key, min(max(limit, three), 1.0), said)


def outside(column: Column, sample: Sample) -> float:
    """The share of the latest fifth of the rows whose number is smaller or larger than all the earlier ones."""
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
SURE = 0.99
APART = (1.0, 0.5)  # of what fits differ by, the next may lie beyond them: where they are few, and many
SLACK = 1.5  # how many times the distance to the lower bound a floor is under the value


@dataclass(frozen=True)
class Unit:
    """How a metric is measured: without a model, in steps, and what is a small and a large difference."""

    guess: float
    step: float
    least: float
    most: float

    def down(self, value: float) -> float:
        """The next step below."""
        return _short(math.floor(_short(value / self.step)) * self.step)

    def up(self, value: float) -> float:
        """The next step above."""
        return _short(math.ceil(_short(value / self.step)) * self.step)


def _short(value: float) -> float:
    """Without the last digits, which are an accident of arithmetic."""
    return float(f"{value:.9g}")


def unit(metric: Metric, tried: Sequence[Trial]) -> Unit:
    """That of a metric: hundredths, or for errors about two digits of what they are without a model."""
    guess = tried[0].guess(metric)
    if is_share(metric) or metric == "r2":
        return Unit(guess, 0.01, 0.05, 0.3)
    size = max(-guess, 1e-6)
    return Unit(-size, 10.0 ** math.floor(math.log10(size / 20)), size / 20, size)


def limits(tried: Sequence[Trial], rare: float) -> Iterator[Choice]:
    """Metric, floors and margins; `rare` is the share of the rarest label."""
    main, why = tried[0].task.suggest_metric(rare, [(trial.labels, trial.said) for trial in tried])
    yield Choice("triggers.performance.metric", main, why)
    for metric in FLOOR_METRICS[tried[0].config.task]:
        yield from _floors(tried, metric, main=metric == main)
    yield from _margins(tried, main, unit(main, tried))
    newest = tried[0]
    latency = latency_p95(newest.estimator, newest.holdout.iloc[:10])
    yield Choice("gates.max_p95_ms", max(100, math.ceil(latency / 10) * 50), f"{latency:.1f} ms here")
    size = len(model_file.round_trip(newest.estimator)[0]) / 1e6
    yield Choice("gates.max_size_mb", max(10, math.ceil(5 * size)), f"{size:.1f} MB now")


def _floors(tried: Sequence[Trial], metric: Metric, *, main: bool) -> Iterator[Choice]:
    """The floor of a metric for candidates; and for the model in service, where it is the main one."""
    values, measure = [trial.value(metric) for trial in tried], unit(metric, tried)
    if any(map(math.isnan, values)):
        return
    apart = max(values) - min(values)
    more = apart * APART[len(tried) > NEAR]  # seasons differ as spans do
    low = measure.down(min(min(values) - more, *(_lasting(trial, metric, measure) for trial in tried)))
    said = (
        f"{_span(values)} in {_fits(tried)} on {len(tried[0].labels):,} later rows; a guess has {_said(measure.guess)}"
    )
    if low > measure.guess:
        yield Choice(f"gates.{metric}", low, said)
    else:
        said += "; later models may score no better than that: no gate"
    if main:
        # A floor that the first model is under would fire every night.
        floor = low if min(values) < measure.guess else max(low, measure.down(measure.guess))
        yield Choice("triggers.performance.floor", floor, said)
        drop = min(max(measure.up(measure.least), measure.up(apart + more)), measure.up(measure.most))
        yield Choice("triggers.performance.max_drop", drop, f"more than what lies between {_span(values)}")


def _margins(tried: Sequence[Trial], metric: Metric, measure: Unit) -> Iterator[Choice]:
    """What a candidate may lose to the champion: else chance alone would refuse a model that is as good."""
    newest = tried[0]
    config, wide = newest.config, [0.0]
    for trial in tried[1:NEAR]:  # older ones may be worse for good
        older = score(trial.estimator, newest.holdout, newest.task)
        found = newest.task.paired_difference(
            metric,
            newest.labels,
            older,
            newest.said,
            confidence=config.gates.confidence,
            seed=config.training.seed,
        )
        wide.append(found[0] - found[1])
    if len(tried) == 1:
        wide.append(newest.value(metric) - newest.low(metric, config.gates.confidence))
    why = f"two models that are as good differ by up to {_said(max(wide))} by chance on {len(newest.labels):,} rows"
    loss = min(max(measure.step, measure.up(1.5 * max(wide))), measure.up(measure.most))
    yield Choice("gates.max_loss_to_champion", loss, why)
    if metric.startswith("neg_"):
        most = measure.up(max(2 * measure.least, loss))
        yield Choice("gates.max_slice_loss", most, f"once gates.slices names columns; in the unit of {metric}")


def _lasting(trial: Trial, metric: Metric, measure: Unit) -> float:
    """The value that later scores are expected to stay over: the lower bound, moved down by `SLACK`."""
    value = trial.value(metric)
    apart = max(measure.least, SLACK * (value - trial.low(metric, SURE)))
    if metric in {"balanced_accuracy", "roc_auc"}:
        rows = np.bincount(trial.labels)
        apart = max(apart, 6 / (np.count_nonzero(rows) * rows[rows > 0].min()))  # six rows of the rarest label
    return value - float(apart)


def _span(values: Sequence[float]) -> str:
    low, high = _said(min(values)), _said(max(values))
    return low if low == high else f"{low} to {high}"


def _said(value: float) -> str:
    """With about as many digits as matter."""
    size = abs(value)
    if size and not 0.001 <= size < 1000:  # noqa: PLR2004 - what three decimals tell
        return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"  # noqa: PLR2004
    return f"{value:.3f}" if size < 10 else f"{value:.4g}"  # noqa: PLR2004


def _fits(tried: Sequence[Trial]) -> str:
    count = len(tried)
    return "1 quick fit" if count == 1 else f"{count} quick fits since {min(trial.day for trial in tried)}"
