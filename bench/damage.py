"""Small damage: how soon it is reported, and how often nothing is wrong when it is.

usage: python -m bench.damage [--times 100] [--json]

Each history has 60 days of baseline and a window of 7 days (`bench/nights.py`). Damage is on `SHARE` of the rows of one
column, in the last 1 to 7 days of the window. A line shows the share of histories in which that column is named after
that number of days, and the share in which anything is reported without damage. The last line has real flights in
random order (`bench/flights.py`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.flights import shuffled, year
from bench.nights import AXES, NUMBERS, WINDOW, Setting, seen, simulated
from core.config import DriftTrigger
from monitoring.axes import Axis
from monitoring.counting import ColumnTally, Counts, DayTally
from monitoring.drift import damage_report

SHARE, SEED = 0.03, 20261201
Change = Callable[[NDArray[np.int64], np.random.Generator], tuple[NDArray[np.int64], int]]


def moved(cells: NDArray[np.int64], rng: np.random.Generator, to: int) -> tuple[NDArray[np.int64], int]:
    """Return the counts with the damaged rows in another cell, and their number."""
    taken = rng.binomial(cells, SHARE)
    counts = cells - taken
    counts[to] += taken.sum()
    return counts, int(taken.sum())


def rescaled(cells: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """Return the counts with the damaged rows times 1,000: half are in the first bin, half in the last."""
    low, taken = moved(cells, rng, 0)
    half = rng.binomial(taken, 0.5)
    low[0] -= half
    low[NUMBERS.bins - 1] += half
    return low, taken


# Column, change of its counts, and whether the rows are out of its range.
DAMAGE: Mapping[str, tuple[str, Change, bool]] = {
    "nulls 0% to 3%": ("n00", partial(moved, to=NUMBERS.null), False),
    "nulls 10% to 13%": ("n29", partial(moved, to=NUMBERS.null), False),
    "a wrong unit (x 1,000)": ("n01", rescaled, True),
    "text in a column of numbers": ("n02", partial(moved, to=NUMBERS.invalid), False),
    "a new category": ("dozen", partial(moved, to=AXES["dozen"].bins), False),
    "a sensor that repeats a value": ("n03", partial(moved, to=40), False),
}
SETTINGS = {
    "independent": Setting(1000),
    "correlation 0.01": Setting(1000, 0.01),
    "correlation 0.02, serial 0.5": Setting(1000, 0.02, serial=0.5),
    "200 rows, correlation 0.01": Setting(200, 0.01),
}


def damaged(days: Sequence[DayTally], name: str, count: int, rng: np.random.Generator) -> tuple[DayTally, ...]:
    """Return the days with damage in the last `count` of them."""
    column, change, outside = DAMAGE[name]

    def one_day(day: DayTally) -> DayTally:
        cells, rows = change(day.columns[column].counts.array, rng)
        tally = ColumnTally(counts=Counts(cells), outside=rows if outside else 0, types=())
        return day.model_copy(update={"columns": {**day.columns, column: tally}})

    return (*days[:-count], *(one_day(day) for day in days[-count:]))


def named(days: Sequence[DayTally], axes: Mapping[str, Axis] = AXES) -> set[str]:
    """Return the columns that are reported."""
    baseline, window = seen(days, axes)
    return {item.column for item in damage_report(baseline, window, DriftTrigger(), ()) or ()}


def measure(times: int, settings: Mapping[str, Setting] = SETTINGS) -> list[dict[str, object]]:
    """Return a row per setting and damage: the share of histories in which it is named after 1, 3, 5 and 7 days."""
    results: list[dict[str, object]] = []
    for title, setting in settings.items():
        histories, rng = list(simulated(setting, times, SEED)), np.random.default_rng(SEED)
        results.append({"nights": title, "damage": "none", "7": np.mean([bool(named(days)) for days in histories])})
        for name, (column, _, _) in DAMAGE.items():
            shares = {
                f"{count}": np.mean([column in named(damaged(days, name, count, rng)) for days in histories])
                for count in (1, 3, 5, WINDOW)
            }
            results.append({"nights": title, "damage": name, **shares})
    quiet = np.mean([bool(named(days, year().axes)) for days in shuffled(times, SEED)])
    return [*results, {"nights": "real flights", "damage": "none", "7": quiet}]


def main() -> None:
    """Read the options, measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="histories per line (default: 100)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    results = measure(options.times)
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("| nights | damage | 1 day | 3 days | 5 days | 7 days |\n| --- | --- | --- | --- | --- | --- |")
    for result in results:
        cells = [f"{100 * float(result[key]):.0f}%" if key in result else "" for key in ("1", "3", "5", "7")]  # type: ignore[arg-type]
        print(f"| {result['nights']} | {result['damage']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
