"""The share of nights on which drift is reported, when there is none and when there is some.

usage: python -m bench.false_alarms [--quick] [--nights N] [--json] [--only TEXT] [--jobs N] [--peers]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict

from bench.flights import shuffled, year
from bench.nights import AXES, Setting, simulated
from bench.peers import ask
from bench.peers import table as peer_table
from bench.rules import RULES, verdicts

SEED = 20130101
LENGTHS = (7, 1)
QUICK, FULL = 10, 100
PEER_QUICK, PEER_FULL = 4, 20
TARGETS = {"independent": (0.01, "<="), "clustered": (0.02, "<="), "serial": (0.05, "<="), "power": (0.9, ">=")}


def settings() -> Iterator[tuple[str, str, Setting | None]]:
    """Yield group, name and setting of each line. Without a setting, the line uses real flights in random order."""
    for rows in (200, 1000, 10_000):
        yield "independent", f"{rows:,} rows, independent", Setting(rows=rows)
    for rows in (200, 1000, 10_000):
        for correlation in (0.002, 0.01, 0.05):
            yield "clustered", f"{rows:,} rows, correlation {correlation}", Setting(rows, correlation)
    for rows in (1000, 10_000):
        for serial in (0.3, 0.6):
            yield "serial", f"{rows:,} rows, 0.01, AR(1) {serial}", Setting(rows, 0.01, serial)
    yield "independent", "200 to 3,000 rows, independent", Setting((200, 3000))
    yield "clustered", "200 to 3,000 rows, correlation 0.01", Setting((200, 3000), 0.01)
    yield "clustered", "days of flights in random order", None
    for shift in (0.25, 0.5):
        yield "power", f"one column moves {shift} sd", Setting(1000, 0.01, shift=shift)
    for moving in ("five", "dozen"):
        yield "power", f"a level of {moving} moves 10 points", Setting(1000, 0.01, points=0.1, moving=moving)


def line(group: str, name: str, setting: Setting | None, nights: int) -> dict[str, object]:
    """Return the share of nights on which each rule fires, by length of the window."""
    began = time.perf_counter()
    fired = {length: dict.fromkeys(RULES, 0) for length in LENGTHS}
    axes = AXES if setting else year().axes
    for days in simulated(setting, nights, SEED) if setting else shuffled(nights, SEED):
        for length in LENGTHS:
            for rule, cries in verdicts(days, axes, length).items():
                fired[length][rule] += cries
    shares = {f"{length} d": {rule: n / nights for rule, n in results.items()} for length, results in fired.items()}
    met = judge(group, shares["7 d"]["mlops"], nights) and (
        group == "power" or judge(group, shares["1 d"]["mlops"], nights)
    )
    return {
        "group": group,
        "name": name,
        "setting": asdict(setting) if setting else {},
        "nights": nights,
        "share": shares,
        "target": " ".join(str(part) for part in reversed(TARGETS[group])),
        "met": met,
        "seconds": round(time.perf_counter() - began, 1),
    }


def judge(group: str, share: float, nights: int) -> bool:
    """Return whether a share reaches its target, or misses it by at most two standard errors."""
    target, way = TARGETS[group]
    slack = 2 * math.sqrt(target * (1 - target) / nights)
    return share <= target + slack if way == "<=" else share >= target - slack


def measured(nights: int, only: str, jobs: int) -> list[dict[str, object]]:
    """Return all lines in order; progress goes to standard error."""
    selected = [entry for entry in settings() if only in f"{entry[0]} {entry[1]}"]
    began, results = time.perf_counter(), {}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(line, *entry, nights): entry[1] for entry in selected}
        for done, future in enumerate(as_completed(waiting), 1):
            results[waiting[future]] = future.result()
            used = time.perf_counter() - began
            left = used / done * (len(selected) - done)
            print(
                f"{done} of {len(selected)} lines, {used:.0f} s, about {left:.0f} s left: {waiting[future]}",
                file=sys.stderr,
            )
    return [results[name] for _, name, _ in selected]


def table(lines: list[dict[str, object]]) -> str:
    """Return a Markdown table: percent of nights, 7-day window / 1-day window."""
    head = ["nights", *RULES, "aim", "met"]
    rows = []
    for line in lines:
        week, day = line["share"]["7 d"], line["share"]["1 d"]  # type: ignore[index]
        cells = [f"{100 * week[rule]:.1f} / {100 * day[rule]:.1f}" for rule in RULES]
        rows.append([str(line["name"]), *cells, str(line["target"]), "yes" if line["met"] else "**no**"])
    parts = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(part)} |" for part in parts)


def main() -> None:
    """Read the options, measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} nights per line instead of {FULL}")
    parser.add_argument("--nights", type=int, help="number of nights per line")
    parser.add_argument("--only", default="", metavar="TEXT", help="only lines whose group or name contains this")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument(
        "--peers", action="store_true", help="also run Evidently and NannyML, in environments of their own"
    )
    options = parser.parse_args()
    lines = measured(options.nights or (QUICK if options.quick else FULL), options.only, options.jobs)
    selected = PEER_QUICK if options.quick else PEER_FULL
    peers = ask(SEED, selected) if options.peers else []
    if options.json:
        print(json.dumps({"lines": lines, "peers": peers}, indent=1))
        return
    if not lines:
        sys.exit(f"No line holds {options.only!r}.")
    print(f"Percent of nights on which drift is cried, window of 7 days / 1 day, {lines[0]['nights']} nights a line\n")
    print(table(lines))
    if peers:
        print(
            f"\nPeers as they come, window of 7 days, percent of {PEER_QUICK if options.quick else PEER_FULL} nights\n"
        )
        print(peer_table(peers))


if __name__ == "__main__":
    main()
