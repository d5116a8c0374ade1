"""Read all that matters of a place, straight from its files, in a form that is equal where two places agree.

What two trainings of the same rows cannot have in common (run ids, digests of files with a time in them, measured
latencies, commits that hold those) is replaced by what it stands for. MLflow's database is read with SQL, not through
our own code, which is what is tested here.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.github.double import Double

VERSIONS = (
    "SELECT version, run_id, current_stage, status FROM model_versions "
    "WHERE name = 'flights' AND current_stage <> 'Deleted_Internal' ORDER BY version"
)
PRODUCTION = "SELECT version FROM model_versions WHERE name = 'flights' AND current_stage = 'Production'"
EVENTS = (
    "SELECT r.run_uuid, t.value, r.status FROM runs r JOIN tags t USING (run_uuid) "
    "WHERE t.key = 'event' ORDER BY r.start_time, t.value"
)
TRAININGS = (
    "SELECT r.run_uuid FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'kind' AND t.value = 'training' "
    "WHERE (r.status = 'FINISHED' OR r.run_uuid IN (SELECT run_id FROM model_versions)) "
    "AND r.run_uuid NOT IN (SELECT run_uuid FROM tags WHERE key = 'event')"
)


def look(folder: Path) -> dict[str, Any]:
    """Production, aliases, versions with their evidence, trainings, events, records, proposals and branches."""
    with closing(sqlite3.connect(f"file:{folder}/local/mlflow.db?mode=rw", uri=True)) as db:
        found = _registry(folder, db)
        names = _names(db)
    found["records"] = {
        path.name: _stable(path.read_text()) for path in sorted((folder / "local/flights").glob("[!.]*.json"))
    }
    report = folder / "local/flights/report.html"
    found["report"] = _stable(report.read_text()) if report.exists() else None
    found["git"] = _git(folder, "status", "--porcelain"), _git(folder, "rev-parse", "HEAD^{tree}")
    found["forge"] = _forge(folder)
    text = json.dumps(found, indent=1, sort_keys=True, default=str)
    for name, meaning in names.items():
        text = text.replace(name, meaning).replace(f"{name[:12]}…", f"{meaning}…").replace(f"`{name[:12]}`", meaning)
    result: dict[str, Any] = json.loads(text.replace(str(folder), "HERE"))
    return result


def differences(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Where two looks differ, in words."""
    return [
        f"{name}: {_shortest(one.get(name), two.get(name))}"
        for name in sorted({*one, *two})
        if one.get(name) != two.get(name)
    ]


def in_production(database: Path) -> set[int]:
    """The versions in Production at this instant."""
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)) as db:
        return {int(row[0]) for row in db.execute(PRODUCTION)}


def alias(database: Path) -> int | None:
    """The version that services are given."""
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)) as db:
        found = db.execute("SELECT version FROM registered_model_aliases WHERE alias = 'production'").fetchone()
    return int(found[0]) if found else None


def events(database: Path) -> list[dict[str, Any]]:
    """The event log; what stands in it twice, letter by letter, is read once."""
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)) as db:
        return [json.loads(text) for text in dict.fromkeys(row[1] for row in db.execute(EVENTS))]


def github(double: Double) -> Any:
    """All that matters of a repository at GitHub."""
    pulls = [
        (pull.number, pull.state, pull.title, pull.body, pull.labels, pull.reviewers, pull.teams)
        for pull in double.pulls.values()
    ]
    manifest = double.read("model/flights/production.json", "promote/flights")
    branches = double.repository.git("for-each-ref", "--format=%(refname)", "refs/heads")
    return pulls, manifest, branches, len(double.comments), double.violations


def store(folder: Path) -> Path:
    """The registry of a place."""
    return folder / "local" / "mlflow.db"


def _registry(folder: Path, db: sqlite3.Connection) -> dict[str, Any]:
    versions = {}
    for version, run_id, stage, status in db.execute(VERSIONS):
        tags = dict(db.execute("SELECT key, value FROM model_version_tags WHERE version = ?", [version]))
        run = db.execute("SELECT status FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
        kept = folder / "local/artifacts/flights" / run_id / "artifacts"
        files = {path.name: _digest(path) for path in sorted(kept.glob("[!.]*"))}
        versions[str(version)] = {"stage": stage, "status": status, "run": run, "tags": tags, "files": files}
    events = []
    for run_id, text, status in db.execute(EVENTS).fetchall():
        metrics = sorted(db.execute("SELECT key, value FROM latest_metrics WHERE run_uuid = ?", [run_id]))
        events.append({"event": json.loads(text), "status": status, "metrics": metrics})
    aliases = dict(db.execute("SELECT alias, version FROM registered_model_aliases"))
    return {
        "versions": versions,
        "aliases": aliases,
        "production": [row[0] for row in db.execute(PRODUCTION)],
        "events": events,
        "trainings": len(db.execute(TRAININGS).fetchall()),
    }


def _names(db: sqlite3.Connection) -> dict[str, str]:
    """What stands for run ids and digests."""
    names = {row[1]: f"<run {row[0]}>" for row in db.execute(VERSIONS)}
    digests = db.execute("SELECT value, version FROM model_version_tags WHERE key = 'digest'")
    return {**names, **{digest: f"<digest {version}>" for digest, version in digests}}


def _forge(folder: Path) -> dict[str, Any]:
    forge = folder / "local/forge.git"
    if not forge.exists():
        return {}
    refs = dict(
        line.split(" ") for line in _git(forge, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    )
    found: dict[str, Any] = {}
    for ref, commit in refs.items():
        if ref.endswith("/meta"):
            pull = json.loads(_git(forge, "show", f"{commit}:pull.json"))
            body = _stable(_git(forge, "show", f"{commit}:body.md"))
            found[ref] = {**pull, "head": "", "base": "", "body": body, "branch": _files(forge, pull["head"])}
        else:
            found[ref] = _files(forge, commit)
    found["settings"] = sorted(_git(forge, "config", "--list", "--local").splitlines())
    return found


def _files(forge: Path, commit: str) -> str:
    """What git declares at a commit, and the subject of it."""
    manifests = _git(forge, "ls-tree", "-r", "--name-only", commit, "model").split()
    declared = [_git(forge, "show", f"{commit}:{path}") for path in manifests if path.endswith("production.json")]
    return "\n".join([_git(forge, "log", "-1", "--format=%s", commit), *(_stable(text) for text in declared)])


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def _digest(path: Path) -> str:
    text = path.read_text()
    return hashlib.sha256(_stable(re.sub(r'"run_id": ?"\w+"|"digest": ?"\w+"', "", text)).encode()).hexdigest()


def _stable(text: str) -> str:
    """Without what is measured: milliseconds, file sizes, and commits that hold the digest of a training."""
    text = re.sub(r'("latency_p95_ms"|"size_mb"): ?[\d.e-]+', r"\1: 0", text)
    text = re.sub(r'("name": "(?:latency|size)",\s*"state": "\w+",\s*"value"): [\d.e-]+', r"\1: 0", text)
    text = re.sub(r'("commit"): ?"[0-9a-f]{40}"', r'\1: "<commit>"', text)
    text = re.sub(r"(The gate allows at most [\d.,]+\. \| )[\d.]+", r"\g<1>0", text)
    return re.sub(r"[\d.]+ (ms|MB)\b", r"0 \1", text)


def _shortest(one: Any, two: Any) -> str:
    """The first place where they part."""
    if isinstance(one, dict) and isinstance(two, dict):
        key = next(key for key in [*one, *two] if one.get(key) != two.get(key))
        return f"{key}: {_shortest(one.get(key), two.get(key))}"
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        place = next(place for place in range(len(one)) if one[place] != two[place])
        return f"[{place}] {_shortest(one[place], two[place])}"
    said = [str(value) for value in (one, two)]
    begin = next((n for n, (a, b) in enumerate(zip(*said, strict=False)) if a != b), min(map(len, said)))
    return " is not ".join(repr(text[max(0, begin - 60) : begin + 100]) for text in said)
