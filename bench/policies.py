"""Gain and cost of retraining policies, on a year of flights and on streams with a known change.

usage: python -m bench.policies [--quick] [--seeds N] [--only TEXT] [--also FILE ...] [--jobs N] [--json]

river draws the streams in an environment of its own (`bench/streams.py`), and the functions of `mlops replay` replay
them. The model configures no triggers and no gates, so that the template's defaults apply. Each stream has 62 nights
for the first model, 40 before the change and 100 after it. Figures are means over the seeds. If the change is one of
the concept, with m the metric over the seven days before a night (balanced accuracy):

    delay     nights from the change to the first night on which the performance trigger fires
    recovery  sum (m - m_never) / sum (m_weekly - m_never), over the nights after the change

Processor time of a stream: about 65 s a seed; of the year: 210 s.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.outcomes import Outcome, aims, delay, drift_after, mean, of_data, recovery
from bench.streams import MODEL, ROOT, STREAMS, model_folder, written
from core.config import ModelConfig, Settings, load_config
from core.days import midnight
from scripts.replay.command import prepare_replay
from stages.context import Night
from stages.replay import PolicyHistory

SEEDS, REVIEW = 2, 1
POLICIES = ("default", "never", "weekly", "monthly", "seed")
EXAMPLE = ROOT / "tests" / "example"
FLIGHTS = EXAMPLE / "model" / "flights" / "data" / "flights_sample.parquet"
SHORT = dt.date(2013, 5, 1)


@dataclass(frozen=True)
class Found:
    """The outcomes of the policies on one stream with one seed."""

    stream: str
    seed: int
    outcomes: dict[str, Outcome]
    aims: dict[str, bool]
    seconds: float


def tasks(only: str, seeds: int) -> Iterator[tuple[str, int]]:
    """Yield stream and seed of each replay; the year of flights is one stream and has no seed."""
    for name in ("flights", *STREAMS):
        if only in name:
            yield from ((name, seed) for seed in range(1, 2 if name == "flights" else seeds + 1))


def replayed(stream: str, seed: int, also: Sequence[str], *, quick: bool) -> Found:
    """Return the outcomes of all policies on one stream."""
    os.environ["OMP_NUM_THREADS"] = "1"
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if stream == "flights":
            root, model, source, truth, last = EXAMPLE, "flights", FLIGHTS, None, SHORT if quick else None
        else:
            drawn = replace(STREAMS[stream], nights=142, night=82) if quick else STREAMS[stream]
            root, model, truth, last = model_folder(folder), MODEL, drawn.truth, None
            source = written(drawn, seed, folder)
        tales, aucs = _played(root, model, source, also, last)
    concept = stream in STREAMS and STREAMS[stream].concept
    outcomes = _outcomes(tales, aucs, truth if stream != "stationary" else None, concept=concept)
    return Found(stream, seed, outcomes, aims(stream, outcomes), time.process_time() - began)


def _played(
    root: Path, model: str, source: Path, also: Sequence[str], last: dt.date | None
) -> tuple[dict[str, PolicyHistory], dict[str, PolicyHistory]]:
    """Return all nights as `mlops replay` plays them, once by the model's own metric and once by AUC."""
    config = load_config(root, model)
    night = Night(Settings.load(root, {}), config, midnight(SHORT), live=False)
    replay, first, end = prepare_replay(night, [*POLICIES, *also], (str(source), None), (None, last, False), REVIEW)
    chosen = [run.policy for run in replay.runs]
    tales = {policy.name: PolicyHistory(policy.name, config) for policy in chosen}
    aucs = {policy.name: PolicyHistory(policy.name, _by_auc(config)) for policy in chosen}
    for played in replay.nights(first, end):
        for policy, summary in zip(chosen, played, strict=True):
            tales[policy.name].add(summary)
            aucs[policy.name].add(summary)
    return tales, aucs


def _by_auc(config: ModelConfig) -> ModelConfig:
    """Return the config with the area under the curve as metric."""
    performance = config.triggers.performance.model_copy(update={"metric": "roc_auc"})
    triggers = config.triggers.model_copy(update={"performance": performance})
    return config.model_copy(update={"triggers": triggers})


def _outcomes(
    tales: dict[str, PolicyHistory], aucs: dict[str, PolicyHistory], truth: dt.date | None, *, concept: bool
) -> dict[str, Outcome]:
    """Return the outcome of each policy; without a change of the concept, delay and recovery are None."""
    lost = truth if concept else None
    never, weekly = tales["never"].nights, tales["weekly"].nights
    return {
        name: Outcome(
            result=tale.result(truth),
            auc=aucs[name].result(truth).mean,
            delay=delay(tale.nights, lost) if lost else None,
            recovery=recovery(tale.nights, never, weekly, lost),
            of_data=of_data(tale.nights),
            drift_after=drift_after(tale.nights, truth),
        )
        for name, tale in tales.items()
    }


def measured(selected: Sequence[tuple[str, int]], also: Sequence[str], jobs: int, *, quick: bool) -> list[Found]:
    """Return all replays in order; progress goes to standard error."""
    began, results = time.perf_counter(), {}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(replayed, *task, also, quick=quick): task for task in selected}
        for done, future in enumerate(as_completed(waiting), 1):
            task = waiting[future]
            results[task] = future.result()
            left = (time.perf_counter() - began) / done * (len(selected) - done)
            print(f"{done} of {len(selected)} replays, about {left:.0f} s left: {task[0]} {task[1]}", file=sys.stderr)
    return [results[task] for task in selected]


def table(results: Sequence[Found]) -> str:
    """Return a Markdown table with a row per stream and policy: means over the seeds."""
    head = ["stream", "policy", "perf.", "drift", "age", "retrains", "not by age", "promoted", "refused"]
    head += ["mean", "AUC", "delay", "recovery"]
    rows = [head, ["---"] * len(head)]
    for stream in dict.fromkeys(one.stream for one in results):
        of = [one.outcomes for one in results if one.stream == stream]
        rows += [[stream, name, *cells([outcomes[name] for outcomes in of])] for name in of[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cells(of: Sequence[Outcome]) -> list[str]:
    """Return the figures of one policy on one stream."""
    results = [outcome.result for outcome in of]
    counts = [[r.alarms.performance for r in results], [r.alarms.drift for r in results]]
    counts += [[r.alarms.age for r in results], [r.retrains for r in results], [outcome.of_data for outcome in of]]
    counts += [[r.promotions for r in results], [r.refusals for r in results]]
    scores = [mean([r.mean for r in results]), mean([outcome.auc for outcome in of])]
    late, back = mean([outcome.delay for outcome in of]), mean([outcome.recovery for outcome in of])
    return [
        *(f"{mean(count):.3g}" for count in counts),
        *("" if score is None else f"{score:.3f}" for score in scores),
        "" if late is None else f"{late:.3g}",
        "" if back is None else f"{back:.0%}",
    ]


def judged(results: Sequence[Found]) -> str:
    """Return a Markdown table of the aims for the default policy, and how often each is reached."""
    rows = ["| stream | expected of the default | holds in |", "| --- | --- | --- |"]
    for stream in dict.fromkeys(one.stream for one in results):
        of = [one.aims for one in results if one.stream == stream]
        rows += [f"| {stream} | {aim} | {sum(held[aim] for held in of)} of {len(of)} |" for aim in of[0]]
    return "\n".join(rows)


def main() -> None:
    """Read the options, measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short streams, two months of flights, one seed")
    parser.add_argument("--seeds", type=int, help=f"number of seeds per stream (default: {SEEDS})")
    parser.add_argument("--only", default="", metavar="TEXT", help="only streams whose name contains this")
    parser.add_argument("--also", action="append", default=[], metavar="FILE", help="another policy file to try")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    options = parser.parse_args()
    selected = list(tasks(options.only, options.seeds or (1 if options.quick else SEEDS)))
    if not selected:
        sys.exit(f"No stream holds {options.only!r}: there are flights, {', '.join(STREAMS)}.")
    results = measured(selected, options.also, options.jobs, quick=options.quick)
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=1, default=lambda record: record.model_dump()))
        return
    print(f"{table(results)}\n")
    if any(result.aims for result in results):
        print(f"{judged(results)}\n")
    print(f"{sum(result.seconds for result in results):.0f} s of processor time.")


if __name__ == "__main__":
    main()
