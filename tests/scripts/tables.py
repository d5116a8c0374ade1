"""Tables of many kinds, made of the data sets that scikit-learn ships: with a time, an id, and a target of 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

START = pd.Timestamp("2024-01-01")


def timed(rows: pd.DataFrame, days: int, *, zone: str | None = None) -> pd.DataFrame:
    """The rows in random order, spread over so many days."""
    rng = np.random.default_rng(0)
    shuffled = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    moments = START.tz_localize(zone) + pd.to_timedelta(np.sort(rng.random(len(rows))) * days, unit="D").round("s")
    shuffled.insert(0, "asked_at", moments)
    shuffled.insert(0, "row", [f"r{number}" for number in range(len(rows))])
    return shuffled


def bundled(name: str, one: Callable[[pd.Series], Any]) -> pd.DataFrame:
    """A bundled data set; `one` says of its target which rows are 1."""
    rows: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return rows.assign(target=np.asarray(one(rows["target"])).astype(int))


def cancer() -> pd.DataFrame:
    """Thirty numbers, no category."""
    return timed(bundled("breast_cancer", lambda kind: kind == 0), 100)


def wine() -> pd.DataFrame:
    """Few rows, names with a slash."""
    return timed(bundled("wine", lambda kind: kind == 1), 60)


def iris() -> pd.DataFrame:
    """Fewer rows, names with brackets, and two columns that nearly tell the target."""
    return timed(bundled("iris", lambda kind: kind == 2), 60)


def digits() -> pd.DataFrame:
    """Whole numbers, some of few values, some constant; times with a zone, a target of false and true."""
    rows = timed(bundled("digits", lambda kind: kind >= 5), 100, zone="America/New_York")
    return rows.assign(target=rows["target"] == 1)


def diabetes() -> pd.DataFrame:
    """A target that was a number."""
    return timed(bundled("diabetes", lambda number: number > number.median()), 80)


def one() -> pd.DataFrame:
    """One feature only."""
    return cancer()[["row", "asked_at", "mean radius", "target"]]


def wide() -> pd.DataFrame:
    """Five hundred features."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(400, 500))
    rows = pd.DataFrame(values, columns=[f"x{number}" for number in range(500)])
    return timed(rows.assign(target=(values[:, 0] + values[:, 1] > 0).astype(int)), 60)


def words() -> pd.DataFrame:
    """Only categories."""
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({f"word{number}": rng.choice(list("abcdef"), 900) for number in range(3)})
    return timed(rows.assign(target=(rows["word0"] < "c").astype(int) ^ (rng.random(900) < 0.2)), 70)


def rare() -> pd.DataFrame:
    """One row in five hundred is 1."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(10_000, 3))
    told = values[:, 0] + rng.normal(size=10_000)
    return timed(pd.DataFrame(values, columns=list("abc")).assign(target=(told > np.sort(told)[-21]).astype(int)), 200)


def mixed() -> pd.DataFrame:
    """Missing values, dates, booleans, names of other alphabets, and everything that no model should see."""
    rng, rows = np.random.default_rng(4), bundled("breast_cancer", lambda kind: kind == 0).iloc[:, [0, 1, 2, 30]]
    size = len(rows)
    rows.iloc[::7, 1] = np.nan
    found = rows.assign(**{
        "größe (cm)": rng.normal(size=size),
        "年齢": rng.integers(18, 90, size),
        "smokes": rng.random(size) < 0.3,
        "ward_code": rng.integers(100, 120, size),
        "stage": rng.integers(1, 5, size),
        "born": START - pd.to_timedelta(rng.integers(0, 9000, size), unit="D"),
        "visited": (START - pd.to_timedelta(rng.integers(0, 9000, size), unit="D")).strftime("%Y-%m-%d"),
        "country": "NL",
        "empty": pd.Series([None] * size, dtype="string"),
        "rarely": np.where(rng.random(size) < 0.1, 1.5, np.nan) * rng.random(size),
        "note": [f"note {number}" for number in rng.integers(0, 1000, size)],
        "outcome": np.where(rows["target"] == 1, "ill", "well"),
        "dose": rows["target"] + rng.random(size) / 2,
        "amount": [f"{number:.2f}" for number in rng.random(size)],
        "parts": [[1, 2]] * size,
        'say "hi" | <b>': rng.normal(size=size),
    })  # fmt: skip
    whole = timed(found, 90)
    return whole.assign(counter=np.arange(size) * 3 + rng.integers(0, 3, size), patient_id=rng.permutation(size))


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    made.__name__: made for made in (cancer, wine, iris, digits, diabetes, one, wide, words, rare, mixed)
}
