"""Measure whether bounds hold as often as they promise, in simulated worlds whose rows of one day resemble each other.

usage: python -m bench.coverage [--quick] [--repetitions N] [--only TEXT] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bench.worlds import (
    Classes,
    Decisions,
    Numbers,
    Ranks,
    World,
    decided_pair,
    named_pair,
    numbered_pair,
    ranked_pair,
)
from monitoring.tasks import Binary, PairedRows, Task, day_bounds, day_spread, paired_bounds, slice_bounds

SEED = 20261130
QUICK, FULL = 60, 1000
CONFIDENCE = 0.95
EARLIER, HOLDOUT = 30, 12  # days
MARGIN, SLICE_MARGIN, SLICES = 0.02, 0.1, 10
MOST_ROWS = 70_000  # that are drawn row by row in one repetition
GOALS = {
    "coverage": (93, 97),
    "coverage, few positives": (93, 100),
    "power, 200": (72, 100),
    "power, 1000": (85, 100),
    "power, shared luck": (0, 100),
    "type I": (3, 7),
    "type I, few positives": (3, 7),
    "equal passes": (80, 100),
    "slices": (0, 5),
    "slices, harm": (0, 100),
}

Rng = np.random.Generator


class Case(NamedTuple):
    """A row of the table. `run` returns named outcomes of one repetition; None: cannot be judged."""

    group: str
    name: str
    run: Callable[[Rng], dict[str, bool | None]]


def covered(
    world: World, metric: str, days: int, rows: int, *, learned: bool
) -> Callable[[Rng], dict[str, bool | None]]:
    """Return whether the truth is inside either bound, with or without earlier days."""
    truth = world.truth[metric]

    def run(rng: Rng) -> dict[str, bool | None]:
        counts = world.days(rng, days + EARLIER * learned, rows)
        earlier = [day_spread(world.task, metric, counts[days:])] if learned else []
        found = day_bounds(world.task, metric, counts[:days], CONFIDENCE, 1, earlier)
        if found.missing:
            return {"lower": None, "upper": None}
        return {"lower": found.low <= truth, "upper": found.high >= truth}

    return run


def power(rows: int, *, shared: bool) -> Callable[[Rng], dict[str, bool | None]]:
    """Return whether a fall to 0.70 is seen under a limit of 0.75 in one look at 7 days."""
    after, before = (Decisions(right=right, icc=0.02, shared=shared) for right in (0.70, 0.80))

    def run(rng: Rng) -> dict[str, bool | None]:
        now = after.days(rng, 7, rows)
        earlier = day_spread(before.task, "balanced_accuracy", before.days(rng, EARLIER, rows))
        learned = day_bounds(after.task, "balanced_accuracy", now, CONFIDENCE, 1, [earlier])
        alone = day_bounds(after.task, "balanced_accuracy", now, CONFIDENCE, 1)
        return {"learned": learned.high < 0.75, "7 days alone": alone.high < 0.75}  # noqa: PLR2004 - the limit

    return run


def passing(
    task: Task, metric: str, margin: float, draw: Callable[[Rng], PairedRows]
) -> Callable[[Rng], dict[str, bool | None]]:
    """Return whether a challenger passes the comparison with the champion."""

    def run(rng: Rng) -> dict[str, bool | None]:
        found = paired_bounds(task, metric, draw(rng), confidence=CONFIDENCE, seed=1)
        return {"passes": None if found.missing else found.low >= -margin}

    return run


def sliced(positives: float, icc: float, harm: float) -> Callable[[Rng], dict[str, bool | None]]:
    """Return whether slices refuse a challenger, by bounds and by the loss alone; `harm` is done to one slice."""

    def run(rng: Rng) -> dict[str, bool | None]:
        rows = decided_pair(rng, positives, 0.0, icc, HOLDOUT, 3000)
        hurt = decided_pair(rng, positives, -harm, icc, HOLDOUT, 3000, max(0.12, harm + 0.06))
        which = rng.integers(SLICES, size=3000)
        first = which == 0
        sides = ("labels", "champion", "challenger", "days")
        mixed = PairedRows(*(np.where(first, getattr(hurt, side), getattr(rows, side)) for side in sides))
        places = {str(number): np.flatnonzero(which == number) for number in range(SLICES)}
        found = slice_bounds(
            Binary(), "balanced_accuracy", mixed, places, margin=SLICE_MARGIN, confidence=CONFIDENCE, seed=1
        ).values()
        return {
            "refused": any(one.harmed for one in found),
            "refused by the loss alone": any(one.bounds.value < -SLICE_MARGIN for one in found),
        }

    return run


def worlds() -> Iterator[tuple[World, Sequence[str]]]:
    """Every task, with metrics of each kind."""
    yield Decisions(), ("accuracy", "balanced_accuracy", "f1")
    yield Decisions(positives=0.1, right=0.9), ("balanced_accuracy",)
    yield Ranks(positives=0.3), ("roc_auc", "average_precision")
    yield Classes(), ("balanced_accuracy", "f1_macro")
    yield Numbers(), ("neg_mean_absolute_error", "neg_root_mean_squared_error")


def coverage_cases() -> Iterator[Case]:
    """Rows a day, days, correlation, and whether earlier days help."""
    for base, metrics in worlds():
        by_rows = isinstance(base, Ranks | Numbers)
        for icc in (0.0, 0.005, 0.02, 0.05):
            world = replace(base, icc=icc)  # type: ignore[type-var]
            for days, rows in ((7, 50), (7, 200), (7, 1000), (7, 10_000), (14, 200), (28, 50), (28, 1000)):
                for learned in (False, True):
                    if by_rows and rows * (days + EARLIER * learned) > MOST_ROWS:
                        continue
                    for metric in metrics:
                        kind = type(base).__name__ + (f" {base.positives:g}" if hasattr(base, "positives") else "")
                        history = "earlier days" if learned else "alone"
                        name = f"{kind} {metric}, {history}: ICC {icc:g}, {days} days of {rows}"
                        yield Case("coverage", name, covered(world, metric, days, rows, learned=learned))


def decision_cases() -> Iterator[Case]:
    """Few positives, power, the champion gate, and slices."""
    yield from rare_cases()
    for rows in (200, 1000):
        name = f"0.70 under 0.75, ICC 0.02, 7 days of {rows}"
        yield Case(f"power, {rows}", f"{name}, own luck of each class", power(rows, shared=False))
        yield Case("power, shared luck", f"{name}, luck shared by both classes", power(rows, shared=True))
    for gain, group, margin in ((-MARGIN, "type I", MARGIN), (0.0, "equal passes", MARGIN)):
        yield from champion_cases(group, gain, margin)
    for positives in (2, 4, 10, 20, 60):
        name = f"roc_auc, {positives} positives in {50 * positives}, worse by the margin"
        draw = lambda rng, ones=positives: ranked_pair(rng, ones, 50 * ones, (0.82, 0.80), 0.02, HOLDOUT)  # noqa: E731
        yield Case("type I, few positives", name, passing(Binary(), "roc_auc", MARGIN, draw))
    yield from slice_cases()


def rare_cases() -> Iterator[Case]:
    """Rankings with few positives."""
    for positives in (4, 10, 20, 60):
        for share in (0.1, 0.02):
            for area in (0.7, 0.9):
                rows = round(positives / share / 7)
                for metric in ("roc_auc", "average_precision"):
                    name = f"{metric} of about {positives} positives, 1 in {1 / share:.0f}, area {area:g}"
                    run = covered(Ranks(share, area), metric, 7, rows, learned=False)
                    yield Case("coverage, few positives", name, run)


def slice_cases() -> Iterator[Case]:
    """Ten slices of which none or one is harmed."""
    for positives in (0.1, 0.5):
        for icc in (0.0, 0.02):
            for harm in (0.0, 0.15, 0.3):
                group = "slices, harm" if harm else "slices"
                name = f"10 slices of 3,000 rows, positives {positives:.0%}, ICC {icc:g}, loss {harm:g} in one"
                yield Case(group, name, sliced(positives, icc, harm))


def champion_cases(group: str, gain: float, margin: float) -> Iterator[Case]:
    """Challengers that are worse by exactly the margin, or equally good."""
    for positives, rows in ((0.5, 500), (0.5, 3000), (0.1, 3000), (0.02, 1500), (0.02, 3000)):
        for icc in (0.0, 0.02, 0.05):
            name = f"balanced accuracy, positives {positives:.0%}, {rows:,} rows, ICC {icc:g}, gain {gain:g}"
            draw = lambda rng, p=positives, n=rows, i=icc: decided_pair(rng, p, gain, i, HOLDOUT, n)  # noqa: E731
            yield Case(group, name, passing(Binary(), "balanced_accuracy", margin, draw))
    for icc in (0.0, 0.05):
        draw = lambda rng, i=icc: named_pair(rng, gain, i, HOLDOUT, 3000)  # noqa: E731
        run = passing(Classes.task, "balanced_accuracy", margin, draw)
        yield Case(group, f"four classes, 3,000 rows, ICC {icc:g}, gain {gain:g}", run)
        draw = lambda rng, i=icc: numbered_pair(rng, gain, i, HOLDOUT, 3000)  # noqa: E731
        run = passing(Numbers.task, "neg_mean_absolute_error", margin, draw)
        yield Case(group, f"absolute error, 3,000 rows, ICC {icc:g}, gain {gain:g}", run)


def measure(case: Case, repetitions: int) -> dict[str, Any]:
    """Return percentages of repetitions by outcome. The seed depends on the name, so that cases can run alone."""
    began, seed = time.perf_counter(), SEED + zlib.crc32(case.name.encode()) % 10**6
    rng = np.random.default_rng(seed)
    outcomes = [case.run(rng) for _ in range(repetitions)]
    shares = {}
    for name in outcomes[0]:
        known = [bool(one[name]) for one in outcomes if one[name] is not None]
        shares[name] = round(100 * float(np.mean(known)), 1) if len(known) >= repetitions / 2 else None
    seconds = round(time.perf_counter() - began, 1)
    return {"group": case.group, "name": case.name, "percent": shares, "seed": seed, "seconds": seconds}


def met(line: dict[str, Any], repetitions: int) -> bool:
    """Return whether the first outcome (of coverage: all) is within two standard errors of its goal."""
    low, high = GOALS[line["group"]]
    values = list(line["percent"].values())
    values = values if line["group"].startswith("coverage") else values[:1]
    slack = 200 * (0.05 * 0.95 / repetitions) ** 0.5
    return all(value is None or low - slack <= value <= high + slack for value in values)


def summary(lines: list[dict[str, Any]], repetitions: int) -> str:
    """Return a table: coverage as smallest to largest by world and metric, all others one by one."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        name = line["name"].split(":")[0] if line["group"] == "coverage" else line["name"]
        groups.setdefault((line["group"], name), []).append(line)
    rows = ["| group | case | percent | goal | met |", "| --- | --- | --- | --- | --- |"]
    for (group, name), members in groups.items():
        texts = []
        for outcome in members[0]["percent"]:
            values = [m["percent"][outcome] for m in members if m["percent"][outcome] is not None]
            ends = sorted({min(values), max(values)}) if values else []
            texts.append(f"{outcome} " + (" to ".join(f"{end:g}" for end in ends) or "cannot judge"))
        good = sum(met(member, repetitions) for member in members)
        low, high = GOALS[group]
        rows.append(f"| {group} | {name} | {'; '.join(texts)} | {low} to {high} | {good} of {len(members)} |")
    return "\n".join(rows)


def main() -> None:
    """Read the options, measure, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} repetitions instead of {FULL}")
    parser.add_argument("--repetitions", type=int, metavar="N", help="repetitions of each case")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose group or name contains TEXT")
    parser.add_argument("--json", action="store_true", help="JSON with every case instead of a table")
    options = parser.parse_args()
    repetitions = options.repetitions or (QUICK if options.quick else FULL)
    cases = [c for c in (*coverage_cases(), *decision_cases()) if options.only in f"{c.group} {c.name}"]
    if not cases:
        sys.exit(f"No case contains {options.only!r}.")
    lines = []
    for number, case in enumerate(cases, 1):
        lines.append(measure(case, repetitions))
        print(f"{number} of {len(cases)}: {case.name}, {lines[-1]['seconds']} s", file=sys.stderr)
    if options.json:
        print(json.dumps({"seed": SEED, "repetitions": repetitions, "lines": lines}, indent=1))
        return
    print(f"Seed {SEED}, {repetitions} repetitions of each case, one-sided bounds at {CONFIDENCE:.0%}\n")
    print(summary(lines, repetitions))


if __name__ == "__main__":
    main()
