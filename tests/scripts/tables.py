"""Tables of many kinds, of what scikit-learn ships or at random: with a time, an id, and a target of each task."""

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


def shipped(name: str) -> pd.DataFrame:
    """A data set as it is shipped."""
    rows: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return rows


def bundled(name: str, one: Callable[[pd.Series], Any]) -> pd.DataFrame:
    """A bundled data set; `one` says of its target which rows are 1."""
    rows = shipped(name)
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


def species() -> pd.DataFrame:
    """Three classes that are numbers, and few rows."""
    return timed(shipped("iris"), 60)


def grapes() -> pd.DataFrame:
    """Classes that are words, with blanks and other letters."""
    names = {0: "Barolo", 1: "Grignolino (rosé)", 2: "Barbera"}
    return timed(shipped("wine").assign(target=lambda rows: rows["target"].map(names)), 60)


def figures() -> pd.DataFrame:
    """Ten classes, of which some labels are not known: pandas writes them as 1.0; times with a zone."""
    rows = timed(shipped("digits").iloc[:900], 60, zone="America/New_York")
    return rows.assign(target=rows["target"].where(rows.index % 50 > 0))


def seldom() -> pd.DataFrame:
    """One row in five hundred is of the third class."""
    rows = rare()
    return rows.assign(target=np.where(rows["target"] == 1, "alarm", np.where(rows["a"] > 0, "up", "down")))


def broad() -> pd.DataFrame:
    """Five hundred features, three classes, and few rows."""
    rows = wide().iloc[::2]
    return rows.assign(target=np.digitize(rows["x0"] + rows["x1"], [-0.5, 0.7]))


def terms() -> pd.DataFrame:
    """Only categories, and as many classes."""
    rows = words()
    return rows.assign(target=rows["word0"].where(rows.index % 5 > 0, "z"))


def sizes() -> pd.DataFrame:
    """Missing values, dates, booleans, names of other alphabets; a class from a number."""
    rows = mixed()
    bands = pd.cut(rows["mean radius"], [0, 11, 15, 99], labels=["small", "médium", "große"])
    return rows.drop(columns=["outcome", "dose", "mean radius"]).assign(target=bands.astype(str))


def progress() -> pd.DataFrame:
    """A number that is whole: how far an illness went on in a year."""
    return timed(shipped("diabetes"), 80)


def alone() -> pd.DataFrame:
    """The same, of one feature."""
    return progress()[["row", "asked_at", "bmi", "target"]]


def prices() -> pd.DataFrame:
    """Amounts of money, of which few are large; a number with holes, a category, a flag."""
    rng, size = np.random.default_rng(5), 1500
    rows = pd.DataFrame(rng.normal(size=(size, 4)), columns=["größe", "age", "rooms", "noise"])
    rows = rows.assign(ward=rng.choice(list("abcdef"), size), garden=rng.random(size) < 0.3)
    told = 10 + 0.5 * rows["größe"] + 0.3 * rows["age"] + 0.4 * (rows["ward"] == "a") + 0.2 * rows["garden"]
    rows = rows.assign(target=np.exp(told + 0.3 * rng.normal(size=size)).round(2))
    rows.iloc[::5, 1] = np.nan
    return timed(rows, 200)


def deep() -> pd.DataFrame:
    """Five hundred features of a number."""
    rows = wide()
    return rows.assign(target=3 * rows["x0"] - rows["x1"])


def levels() -> pd.DataFrame:
    """A number of which categories tell."""
    rows = words()
    return rows.assign(target=rows["word0"].map(ord) * 10.5 + np.random.default_rng(6).normal(size=len(rows)))


def noise() -> pd.DataFrame:
    """A number of which nothing tells."""
    rows = alone()
    return rows.assign(target=1000 * np.random.default_rng(7).random(len(rows)))


MANY: dict[str, Callable[[], pd.DataFrame]] = {
    made.__name__: made for made in (species, grapes, figures, seldom, broad, terms, sizes)
}
NUMBERS: dict[str, Callable[[], pd.DataFrame]] = {
    made.__name__: made for made in (progress, alone, prices, deep, levels, noise)
}
