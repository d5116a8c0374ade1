"""Draw the rows of a stream with a known change; runs in river's own environment.

usage: draw_stream.py FILE JSON

Loan applications of Agrawal, Imielinski and Swami (1993) as river generates them: nine inputs, and a label that one of
their functions derives from some of them, with `perturbation` of the numbers after that and `flips` of the labels.
The function changes at a night, at once or over some nights (river's ConceptDriftStream), or an input that no function
used here looks at is moved from that night on.
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
    """The rows: so many a night, evenly over the day."""
    rows, nights, noise, seed = spec["rows"], spec["nights"], spec["perturbation"], spec["seed"]
    before = Agrawal(classification_function=spec["before"], seed=seed, perturbation=noise)
    after = Agrawal(classification_function=spec["after"], seed=seed + 1, perturbation=noise)
    if spec["over"]:
        # Of a sigmoid of this width 2 % lie before the first of these nights, and 2 % after the last.
        middle, width = int((spec["night"] + spec["over"] / 2) * rows), int(spec["over"] / 2 * rows)
        stream = iter(ConceptDriftStream(before, after, position=middle, width=width, seed=seed + 2))
    else:  # ConceptDriftStream overflows where it is to be abrupt
        stream = itertools.chain(before.take(spec["night"] * rows), after.take((nights - spec["night"]) * rows))
    chance = random.Random(seed + 3)  # noqa: S311 - a simulation
    found = []
    for number, (inputs, label) in enumerate(itertools.islice(stream, rows * nights)):
        night, place = divmod(number, rows)
        row = dict(inputs)
        if night >= spec["night"]:
            for name, shift in spec["moved"].items():
                row[name] += shift
        flipped = chance.random() < spec["flips"]
        found.append({**row, "timestamp": FIRST + night * DAY + place * DAY / rows, "target": int(label) ^ flipped})
    return found


pq.write_table(pa.Table.from_pylist(drawn(json.loads(sys.argv[2]))), sys.argv[1])
