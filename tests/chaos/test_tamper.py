"""What was changed after its review is refused by name before anything moves, even where all digests agree with it."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import modelfile
from tests.chaos import looks, process
from tests.chaos.conftest import WHOLE
from tests.chaos.nights import BY_NAME, Nights

STEP = BY_NAME["promote" if WHOLE else "first promote"]
NEWEST = 2 if WHOLE else 1


class Spoiled:
    """A place with a version that is declared and not promoted yet, in the hands of somebody who may write all."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.declared = repo / "model" / "flights" / "production.json"
        self.files = self.artifacts(NEWEST)

    def sql(self, text: str, *values: Any) -> list[Any]:
        """Change MLflow's database."""
        with closing(sqlite3.connect(looks.store(self.repo))) as db, db:
            return db.execute(text, values).fetchall()

    def artifacts(self, version: int) -> Path:
        """The folder of a version's model."""
        places = "SELECT storage_location FROM model_versions WHERE version = ?"
        (place,) = self.sql(places, version)[0]
        return Path(str(place).removeprefix("file://"))

    @property
    def run(self) -> Path:
        """The folder of the run that made it."""
        (run_id,) = self.sql("SELECT run_id FROM model_versions WHERE version = ?", NEWEST)[0]
        return self.repo / "local" / "artifacts" / "flights" / str(run_id) / "artifacts"

    def tag(self, key: str, value: str) -> None:
        """Change a tag of the version."""
        self.sql("UPDATE model_version_tags SET value = ? WHERE key = ? AND version = ?", value, key, NEWEST)

    def declare(self, **change: object) -> None:
        """Edit the manifest; None takes a key out."""
        manifest = {**json.loads(self.declared.read_text()), **change}
        kept = {key: value for key, value in manifest.items() if key not in change or value is not None}
        self.declared.write_text(json.dumps(kept, indent=2))

    def agree(self) -> None:
        """Make tag and manifest say the digest that the files have now."""
        digest = modelfile.tree_digest(self.files)
        self.tag("digest", digest)
        self.declare(digest=digest)

    def rewrite(self, file: str, old: str, new: str) -> None:
        """Change a text file of the model."""
        text = (self.files / file).read_text()
        assert old in text
        (self.files / file).write_text(text.replace(old, new, 1))

    def keep(self, estimator: Any) -> None:
        """Put another estimator in its place."""
        import skops.io

        skops.io.dump(estimator, self.files / "model.skops")


def flipped(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def another(place: Spoiled) -> Any:
    """A harmless estimator that is not the one that was reviewed: the same one, with all its scores moved."""
    import skops.io

    path = place.files / "model.skops"
    model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    model.steps[-1][1]._baseline_prediction += 1
    return model


def own_code(place: Spoiled) -> None:
    """A type that can call what it is given, with every digest brought up to date."""
    from sklearn.preprocessing import FunctionTransformer

    place.keep(FunctionTransformer(partial(np.clip, a_min=0, a_max=1)))
    place.agree()


def swapped(place: Spoiled) -> None:
    """Another model, with every digest brought up to date."""
    place.keep(another(place))
    place.agree()


def replaced(place: Spoiled) -> None:
    """Another model under the same version, with the digest that MLflow has brought up to date."""
    place.keep(another(place))
    place.tag("digest", modelfile.tree_digest(place.files))


def pickled(place: Spoiled) -> None:
    """A pickle beside the model."""
    (place.files / "model.pkl").write_bytes(b"\x80\x04.")
    place.agree()


def loader(place: Spoiled) -> None:
    """Who serves with MLflow would load by another module."""
    place.rewrite("MLmodel", "loader_module: mlflow.sklearn", "loader_module: os")
    place.agree()


def code(place: Spoiled) -> None:
    """Who serves with MLflow would import code that lies beside the model."""
    place.rewrite("MLmodel", "code: null", "code: code")
    place.agree()


def format_of_pickles(place: Spoiled) -> None:
    """Who serves with MLflow would unpickle."""
    place.rewrite("MLmodel", "serialization_format: skops", "serialization_format: cloudpickle")
    place.agree()


def way_out(place: Spoiled) -> None:
    """A file that unpacking would write elsewhere."""
    with zipfile.ZipFile(place.files / "model.skops", "a") as archive:
        archive.writestr("../../../../tmp/owned", b"x")
    place.agree()


def bomb(place: Spoiled) -> None:
    """An archive whose index says that a few bytes are three gigabytes unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(1000))
    data = bytearray(file.getvalue())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 3 * 2**30)
    (place.files / "model.skops").write_bytes(bytes(data))
    place.agree()


def not_a_model(place: Spoiled) -> None:
    """A pickle under the name of the model."""
    (place.files / "model.skops").write_bytes(b"\x80\x04.")
    place.agree()


def edited_record(place: Spoiled, file: str, key: str, value: object) -> None:
    """Change a key of a record that was kept at the training."""
    record = json.loads((place.run / file).read_text())
    assert key in record
    (place.run / file).write_text(json.dumps({**record, key: value}, indent=1))


def other_version(place: Spoiled) -> None:
    """Declare a version that was not reviewed."""
    place.declare(version=1 if NEWEST > 1 else 7)


CHANGES: dict[str, tuple[Callable[[Spoiled], object], str]] = {
    "one byte of the model": (lambda place: flipped(place.files / "model.skops"), "files have the digest"),
    "one byte of its requirements": (lambda place: flipped(place.files / "requirements.txt"), "files have the digest"),
    "the manifest names another version": (other_version, "has the run" if NEWEST > 1 else "is not in the registry"),
    "the manifest names another run": (lambda place: place.declare(run_id="0" * 32), "has the run"),
    "the manifest names another digest": (lambda place: place.declare(digest="0" * 64), "has the digest"),
    "the manifest names other data": (lambda place: place.declare(data_digest="0" * 64), "has the data digest"),
    "the manifest names another model": (lambda place: place.declare(model="boats"), "declares a version of 'boats'"),
    "the manifest names no records": (lambda place: place.declare(records_digest=None), "but none was reviewed"),
    "the manifest has a key of its own": (lambda place: place.declare(approved=True), "approved"),
    "the manifest is half a file": (lambda place: place.declared.write_text('{"record": "Mani'), "production.json"),
    "MLmodel names another loader": (loader, "loader_module"),
    "MLmodel names code": (code, "code"),
    "MLmodel names pickle": (format_of_pickles, "serialization_format"),
    "a pickle beside the model": (pickled, "files that our training does not write: model.pkl"),
    "a type that can run code": (own_code, "outside the allow-list: functools.partial"),
    "no skops file": (not_a_model, "is not a skops file"),
    "a path out of the archive": (way_out, "strange names in its model.skops: ../../../../tmp/owned"),
    "a zip bomb": (bomb, "unpack to 3,221,225,472 bytes"),
    "another model under the same version": (replaced, "has the digest"),
    "another model, all digests changed": (swapped, "gives other probabilities"),
    "the version is gone": (
        lambda place: place.sql("DELETE FROM model_versions WHERE version = ?", NEWEST),
        "is not in the registry",
    ),
    "the verdict was taken back": (lambda place: place.tag("validation", "blocked"), "has the validation 'blocked'"),
    "the baseline": (lambda place: edited_record(place, "baseline.json", "days", []), "over its baseline"),
    "the example": (lambda place: edited_record(place, "example.json", "scores", [0.5] * 64), "other probabilities"),
    "an example that says nothing": (
        lambda place: (place.run / "example.json").write_text(
            (place.run / "example.json").read_text().replace("\n", "\n\n", 1)
        ),
        "over its baseline, example and times",
    ),
    "when it was trained": (lambda place: place.tag("trained_at", "2013-12-31T00:00:00Z"), "over its baseline"),
    "what it was fit on": (lambda place: place.tag("fit_until", "2013-01-02T00:00:00Z"), "over its baseline"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_is_refused_by_name(nights: Nights, tmp_path: Path, name: str) -> None:
    """Exit code 5, the change is named in the error and in the record that the issue is made of, and nothing moved."""
    spoil, said = CHANGES[name]
    repo = nights.copy(STEP, tmp_path / "place")
    before = looks.in_production(looks.store(repo)), looks.alias(looks.store(repo))
    spoil(Spoiled(repo))
    ended = process.mlops(repo, "promote", day=STEP.day)
    failure = json.loads((repo / "local" / "flights" / "failure-promote.json").read_text())

    assert 5 == ended.code, ended
    assert said in " ".join(ended.err.split())
    assert said in failure["what"]
    assert before == (looks.in_production(looks.store(repo)), looks.alias(looks.store(repo)))
    assert not Path("/tmp/owned").exists()  # noqa: S108 - where the archive would have written


def test_an_old_manifest_is_still_read(nights: Nights, tmp_path: Path) -> None:
    """Where neither version nor manifest has the digest of the records, as before there was one, it is promoted."""
    repo = nights.copy(STEP, tmp_path / "place")
    place = Spoiled(repo)
    place.declare(records_digest=None)
    place.sql("DELETE FROM model_version_tags WHERE key = 'records_digest'")
    ended = process.mlops(repo, "promote", day=STEP.day)

    assert 0 == ended.code, ended.err
    assert {NEWEST} == looks.in_production(looks.store(repo))


def test_untouched_it_is_promoted(nights: Nights, tmp_path: Path) -> None:
    """The same place, left alone, is promoted: the refusals above are about the changes."""
    repo = nights.copy(STEP, tmp_path / "place")
    Spoiled(repo).agree()

    assert 0 == process.mlops(repo, "promote", day=STEP.day).code
    assert {NEWEST} == looks.in_production(looks.store(repo))
