"""The cost of years of versions: the commands that read the registry, without their imports, by number of versions.

Type: .venv/bin/python -m bench.versions [--versions 1000] [--json]
Each version has its tags, its training run and its events, as if a version had been trained and promoted each day.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.limits import peak

COMMANDS = (("promote", "--verify"), ("promote",), ("status",), ("history",))


def measure(folder: Path, versions: int) -> list[dict[str, Any]]:
    """Return the measurements of the commands on a registry of `count` versions whose newest is to be promoted."""
    import tests.chaos.warm  # noqa: F401 - imports of the commands are not measured
    from registry import store
    from tests.chaos import years
    from tests.place import FIRST, Place

    store.create(folder / "mlflow.db", folder / "artifacts")
    place = Place.make(folder / "repo", store=folder / "mlflow.db")
    place.retrain(FIRST)
    place.person.merge()
    years.pass_by(place.folder, versions)
    results = []
    for words in COMMANDS:
        start, used = time.perf_counter(), time.process_time()
        ran = place.mlops(*words)
        results.append(
            {
                "command": " ".join(words),
                "versions": versions,
                "code": ran.code,
                "seconds": round(time.perf_counter() - start, 1),
                "cpu_seconds": round(time.process_time() - used, 1),
                "peak_mb": peak(),
            }
        )
    return results


def main() -> None:
    """Measure, and print a line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="versions-") as folder:
        results = measure(Path(folder), given.versions)
    if given.json:
        print(json.dumps(results, indent=1))
        return
    for result in results:
        line = "{command:22} {versions:>12,} versions {seconds:>8} s {cpu_seconds:>8} s CPU {peak_mb:>6} MB"
        print(line.format(**result))


if __name__ == "__main__":
    main()
