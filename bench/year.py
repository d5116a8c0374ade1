"""Measure a year of nightly performance triggers: false alarms with 13 promotions, and nights to find a fall.

usage: python -m bench.year [--quick] [--years N] [--seed N] [--only TABLE] [--json]

Tables: `goals` (the shipped rules and today's), `references` and `rules` (each alternative, with the shipped choice of
the other), `spans` (Cochran's Q). A year has 13 promotions, one every 28 days, each with a holdout of 12 days; labels
are 2 days late; floor .60, max_drop .05, true score .70. Nights to find a fall count from the first nightly run that
sees a label of the fall; add 2 for the calendar. A fall not found in 60 nights counts as 61.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.year_rules import (
    CHOSEN,
    CHOSEN_REFERENCE,
    REFERENCES,
    RULES,
    TODAY,
    TODAY_REFERENCE,
    Rule,
    holdout_scores,
)
from bench.year_world import CALM, DECAY, EVERY, HOLDOUT, MATURITY, SCORE, Setting, World, fall, shares, year
from training.scaffold.agreement import ALPHA, cochran_q, proposed_max_drop

SEED = 20131130
QUICK, FULL, COMPARED = 100, 2000, 500
TABLES = ("goals", "references", "rules", "spans")
CALM_YEARS = [Setting("flat", rows, icc) for rows in (15, 50, 200, 1000) for icc in (0.0, 0.01, 0.02)]
SEASONS = [Setting("season", rows, icc) for rows in (50, 200, 1000) for icc in (0.0, 0.02)]
WANDERS = [Setting("wander", 200, icc) for icc in (0.0, 0.02)]
DECAYS = [Setting("decay", 200, icc) for icc in (0.0, 0.02)]
FALLS = [(drop, rows, icc) for rows in (200, 15, 50, 1000) for icc in (0.0, 0.02) for drop in (0.10, 0.25)]
# What alternatives are compared on: the settings that are hardest.
HARD = [Setting("flat", rows, 0.02) for rows in (15, 50, 200, 1000)]
HARD += [Setting("season", 200, 0.02), Setting("season", 1000, 0.02), Setting("season", 1000, 0.0)]
HARD_FALLS = [(drop, 200, icc) for icc in (0.0, 0.02) for drop in (0.10, 0.25)]
CROSSED = math.ceil(365 * 0.05 / DECAY)

Line = dict[str, object]


def alarms(world: World, rule: Rule, reference: str) -> np.ndarray:
    """Whether each nightly run of a year fires, (years, nights)."""
    fired = rule.fires(world, REFERENCES[reference](*holdout_scores(world)))
    late = np.zeros_like(fired)
    late[..., MATURITY:] = fired[..., :-MATURITY]  # labels of a day are two nights late
    return late.reshape(len(late), -1)


def false_years(world: World, rule: Rule, reference: str) -> float:
    """The share of years with an alarm, in percent."""
    return round(100 * float(alarms(world, rule, reference).any(1).mean()), 1)


def first_alarm(world: World, rule: Rule, reference: str) -> float:
    """The median night of the first alarm; a year without one counts as its end."""
    found = alarms(world, rule, reference)
    return float(np.median(np.where(found.any(1), found.argmax(1), found.shape[1])))


def nights_to_find(world: World, rule: Rule, reference: str) -> tuple[float, float, float]:
    """Mean, median and 90% quantile of the nights that see a label of the fall, up to the first alarm."""
    fired = rule.fires(world, REFERENCES[reference](*holdout_scores(world)))[:, 0, CALM:]
    found = np.where(fired.any(1), fired.argmax(1) + 1, fired.shape[1] + 1)
    return round(float(found.mean()), 1), float(np.median(found)), float(np.quantile(found, 0.9))


def aim(setting: Setting) -> str:
    """The goal of a setting, in percent of years."""
    if setting.kind == "flat":
        return "10" if setting.rows < 50 else "5"  # noqa: PLR2004 - as the goals are worded
    return "15" if setting.kind == "season" else ""


def goals(years: int, seed: int) -> Iterator[Line]:
    """The shipped rules and today's in every setting."""
    both = {"now": (RULES[CHOSEN], CHOSEN_REFERENCE), "today": (RULES[TODAY], TODAY_REFERENCE)}
    for setting in (*CALM_YEARS, *SEASONS, *WANDERS):
        world = year(setting, years, seed)
        found = {name: false_years(world, *one) for name, one in both.items()}
        yield {"setting": _name(setting), "what": "years with an alarm, %", **found, "goal": aim(setting)}
    for setting in DECAYS:
        world = year(setting, years, seed)
        found = {name: first_alarm(world, *one) for name, one in both.items()}
        yield {"setting": _name(setting), "what": "night of the first alarm", **found, "goal": f"after {CROSSED}"}
    limits = {(0.10, 0.0): "7", (0.25, 0.0): "3", (0.10, 0.02): "12", (0.25, 0.02): "4"}
    for drop, rows, icc in FALLS:
        world = fall(drop, rows, icc, years, seed)
        found = {name: "{:.1f} ({:.0f}; {:.0f})".format(*nights_to_find(world, *one)) for name, one in both.items()}
        goal = limits[drop, icc] if rows == 200 else ""  # noqa: PLR2004 - the goals are for 200 rows a night
        name = f"fall of {drop:.2f}, {rows:,} rows, ICC {icc:g}"
        yield {"setting": name, "what": "nights to find it: mean (median; 90%)", **found, "goal": goal}


def compared(pairs: Mapping[str, tuple[Rule, str]], years: int, seed: int) -> Iterator[Line]:
    """Each alternative on the settings that are hardest, a line each."""
    worlds = {_name(setting): year(setting, years, seed) for setting in HARD}
    decays = {_name(setting): year(setting, years, seed) for setting in DECAYS}
    falls = {f"{drop:.2f} ICC {icc:g}": fall(drop, rows, icc, years, seed) for drop, rows, icc in HARD_FALLS}
    for name, pair in pairs.items():
        line: Line = {"alternative": name}
        line |= {key: false_years(world, *pair) for key, world in worlds.items()}
        line |= {key: first_alarm(world, *pair) for key, world in decays.items()}
        line |= {key: "{:.1f} ({:.0f})".format(*nights_to_find(world, *pair)[:2]) for key, world in falls.items()}
        yield line


def spans(years: int, seed: int) -> Iterator[Line]:
    """How often Cochran's Q rejects six spans, what `max_drop` follows, and what 1.5 times their range would be."""
    for rows in (50, 200, 1000):
        for icc in (0.0, 0.02):
            for change in (0.0, 0.05, 0.15):
                rng = np.random.default_rng(seed)
                chance = np.full((years, 6, HOLDOUT), SCORE)
                chance[:, 3:] -= change
                days = shares(chance, rows, icc, rng)
                score = days.mean(-1)
                effect = np.maximum(1.0, days.var(-1, ddof=1) * rows / (score * (1 - score)))
                error = np.sqrt(effect * score * (1 - score) / (rows * HOLDOUT))
                pairs = list(zip(score.tolist(), error.tolist(), strict=True))
                plain = np.mean([cochran_q(*pair)[1] < ALPHA for pair in pairs])
                welch = np.mean([cochran_q(*pair, HOLDOUT - 1)[1] < ALPHA for pair in pairs])
                drop = np.median([proposed_max_drop(*pair) for pair in pairs])
                today = np.median(np.maximum(0.05, 1.5 * (score.max(1) - score.min(1))))
                yield {
                    "setting": f"{rows:,} rows, ICC {icc:g}, change of {change:g} in the middle",
                    "Q rejects, %": round(100 * float(welch), 1),
                    "without Welch, %": round(100 * float(plain), 1),
                    "max_drop": round(float(drop), 3),
                    "today": round(float(today), 3),
                }


def measured(tables: Sequence[str], years: int, fewer: int, seed: int) -> dict[str, list[Line]]:
    """The tables asked for; progress goes to standard error."""
    found: dict[str, list[Line]] = {}
    makers = {
        "goals": lambda: goals(years, seed),
        "references": lambda: compared({name: (RULES[CHOSEN], name) for name in REFERENCES}, fewer, seed),
        "rules": lambda: compared({name: (rule, CHOSEN_REFERENCE) for name, rule in RULES.items()}, fewer, seed),
        "spans": lambda: spans(fewer, seed),
    }
    for name in tables:
        began = time.perf_counter()
        found[name] = list(makers[name]())
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return found


def table(lines: Sequence[Line]) -> str:
    """Markdown."""
    head = list(lines[0])
    rows = [head, ["---"] * len(head), *([str(line[key]) for key in head] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _name(setting: Setting) -> str:
    return f"{setting.kind}, {setting.rows:,} rows, ICC {setting.correlation:g}"


def main() -> None:
    """Read the options, measure, print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} years a line")
    parser.add_argument("--years", type=int, help=f"years a line (default: {FULL}; {COMPARED} for alternatives)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")
    parser.add_argument("--only", choices=TABLES, help="one table")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    options = parser.parse_args()
    years = options.years or (QUICK if options.quick else FULL)
    fewer = options.years or (QUICK if options.quick else COMPARED)
    found = measured([options.only] if options.only else TABLES, years, fewer, options.seed)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"Seed {options.seed}; {years:,} years a line of goals, {fewer:,} of the others; {EVERY} days a version")
    for name, lines in found.items():
        print(f"\n## {name}\n\n{table(lines)}")


if __name__ == "__main__":
    main()
