"""The cost of many models: one repository with fifty models, one registry, and a nightly run of each.

Plays five weeks of flights, then makes forty-nine copies of the model in service: each has a folder, a registered model
and a manifest, and reads the same monitoring rows. Every command runs in a process of its own, as in the matrix of the
nightly workflow, where the models run in parallel on machines of their own.

    python -m bench.fleet              # 50 models
    python -m bench.fleet --models 200 --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.startup import LAST, ROOT, run
from core.config import Settings, load_config
from registry import Origin
from scripts.demo.reviewer import Reviewer
from stages.clock import instant
from stages.context import Night

PLAN = 2.0  # limit in seconds of the job that lists the models


@dataclass(frozen=True)
class Passed:
    """A verdict that passed a version."""

    passed: bool = True

    def to_json(self) -> str:
        """Return an empty JSON object."""
        return "{}"


def settle(place: Path, models: int) -> list[str]:
    """Copy the model of the demo, declare the copies in git, promote them, and return all names."""
    night = Night(Settings.load(place, {}), load_config(place, "flights"), instant(LAST)[0], live=False)
    champion, registry, declared = night.champion, night.registry, night.manifest
    if champion is None or declared is None:
        raise SystemExit("the demo left no model in service")
    estimator, (example, _) = registry.load(champion), registry.example(champion)
    baseline = night.baseline(champion)
    origin = Origin(**{name: getattr(champion, name) for name in Origin.model_fields if name != "commit"})
    names = [f"twin_{number:03}" for number in range(1, models)]
    for name in names:
        version = registry.register(name, estimator, origin=origin, example=example, baseline=baseline)
        registry.mark(name, version.version, Passed())
        folder = place / "model" / name
        folder.mkdir()
        for file in ("model.toml", "pipeline.py"):
            text = (place / "model" / "flights" / file).read_text()
            text = text.replace('registry_name = "flights"', f'registry_name = "{name}"')
            (folder / file).write_text(text.replace('version = "model_version"', "", 1).replace(", }", " }"))
        fields = {"model": name, "champion": None, **{k: getattr(version, k) for k in ("version", "run_id", "digest")}}
        results = declared.model_copy(update={**fields, "records_digest": version.records_digest})
        (folder / "production.json").write_text(results.to_json())
    person = Reviewer(night)
    person.git("add", "--all")
    person.git("commit", "--quiet", "--message", "Add twins")
    run(place, ("promote", "--as-of", LAST))
    return ["flights", *names]


def files(place: Path) -> dict[str, int]:
    """Return when each file was last written, except in git's folder and the registry."""
    kept = (path for path in place.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(p.relative_to(place)): p.stat().st_mtime_ns for p in kept if "local/mlflow" not in str(p)}


def measured(place: Path, names: list[str]) -> dict[str, Any]:
    """Return the times of listing, of each nightly run and of a promotion with nothing to do, and the written files."""
    plan = min(run(place, ("models",))[0] for _ in range(5))
    night, shared = [], set()
    for name in names:
        before = files(place)
        night.append(run(place, ("check", "--pull", "--model", name, "--as-of", LAST)))
        written = {file for file, moment in files(place).items() if before.get(file) != moment}
        shared |= {file for file in written if name not in Path(file).parts}
    promote = run(place, ("promote", "--as-of", LAST))
    return {
        "models": len(names),
        "plan_wall": plan,
        "night_wall": statistics.median(seconds[0] for seconds in night),
        "night_cpu": statistics.median(seconds[1] for seconds in night),
        "last_to_first": statistics.median(o[1] for o in night[-5:]) / statistics.median(o[1] for o in night[:5]),
        "promote_all_cpu": promote[1],
        "registry_mb": (place / "local" / "mlflow.db").stat().st_size / 1e6,
        "shared_files": sorted(shared),
    }


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "fleet"
        run(ROOT, ("demo", "--folder", str(place), "--until", LAST))
        results = measured(place, settle(place, options.models))
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{results['models']} models, one SQLite registry of {results['registry_mb']:.1f} MB")
    print(f"  listing them for the matrix       {results['plan_wall']:.2f} s (at most {PLAN:.0f} s)")
    print(
        f"  one nightly run (check --pull)    {results['night_wall']:.1f} s, {results['night_cpu']:.1f} s of processor"
    )
    print(f"  ratio of the last ones to the first {results['last_to_first']:.2f}")
    print(f"  promote for all, nothing to do    {results['promote_all_cpu']:.1f} s of processor")
    print(f"  files written by nights of several models: {', '.join(results['shared_files']) or 'none'}")


if __name__ == "__main__":
    main()
