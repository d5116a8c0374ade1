"""Rows of a stream with a known change, drawn in an environment with river.

usage: draw_stream.py FILE JSON

Loan applications of Agrawal, Imielinski and Swami (1993), as river generates them: nine inputs, and a label that one of
their functions derives from some of the inputs. `perturbation` then changes the numbers and `flips` the labels. From
one night on, at once or over several nights (river's ConceptDriftStream), the function changes, or an input that the
functions used here ignore is shifted.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import sys
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from river.datasets.synth import Agrawal, ConceptDriftStream

FIRST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def drawn(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows, the same number per night, spread evenly over the day."""
    rows, nights, noise, seed = spec["rows"], spec["nights"], spec["perturbation"], spec["seed"]
    before = Agrawal(classification_function=spec["before"], seed=seed, perturbation=noise)
    after = Agrawal(classification_function=spec["after"], seed=seed + 1, perturbation=noise)
    if spec["over"]:
        # A sigmoid of this width has 2% before the first of these nights and 2% after the last.
        middle, width = int((spec["night"] + spec["over"] / 2) * rows), int(spec["over"] / 2 * rows)
        stream = iter(ConceptDriftStream(before, after, position=middle, width=width, seed=seed + 2))
    else:  # ConceptDriftStream overflows if the change is abrupt
        stream = itertools.chain(before.take(spec["night"] * rows), after.take((nights - spec["night"]) * rows))
    chance = random.Random(seed + 3)  # noqa: S311 - a simulation
    stream = []
    for number, (inputs, label) in enumerate(itertools.islice(stream, rows * nights)):
        night, place = divmod(number, rows)
        row = dict(inputs)
        if night >= spec["night"]:
            for name, shift in spec["moved"].items():
                row[name] += shift
        flipped = chance.random() < spec["flips"]
        stream.append({**row, "timestamp": FIRST + night * DAY + place * DAY / rows, "target": int(label) ^ flipped})
    return stream


pq.write_table(pa.Table.from_pylist(drawn(json.loads(sys.argv[2]))), sys.argv[1])
