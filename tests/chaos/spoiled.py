"""Spoil a place as somebody may who can write to the registry, to its files and to git, in all the ways we know."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.chaos import looks
from tests.chaos.conftest import WHOLE
from tests.chaos.nights import BY_NAME
from training.artifact import model_file

STEP = BY_NAME["promote" if WHOLE else "first promote"]
NEWEST = 2 if WHOLE else 1
OWNED_AT = Path("/tmp/owned-by-a-model")  # noqa: S108 - what a path out of an archive would write
OWNED = b"x"


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

    def agree(self, digest: str | None = None) -> None:
        """Make tag and manifest say a digest, or the one that the files have now."""
        digest = digest or model_file.tree_digest(self.files)
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
    place.tag("digest", model_file.tree_digest(place.files))


def crafted(place: Spoiled) -> None:
    """A tree of allowed types that leads out of its own memory, with every digest brought up to date."""
    import skops.io

    path = place.files / "model.skops"
    model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    nodes = model.steps[-1][1]._predictors[0][0].nodes
    nodes["left"][0] = nodes["right"][0] = 2**31
    place.keep(model)
    place.agree()


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


def entry(place: Spoiled, name: str, mode: int = 0) -> None:
    """One more file in the archive, whose name, or which as the link that it says it is, leads elsewhere."""
    more = zipfile.ZipInfo(name)
    more.external_attr = mode << 16
    with zipfile.ZipFile(place.files / "model.skops", "a") as archive:
        archive.writestr(more, OWNED)
    place.agree()


def bomb(place: Spoiled, claimed: int) -> None:
    """Some kilobytes that unpack to 64 megabytes for a reader, whose index says that they are so many bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(2**26))
    data = bytearray(file.getvalue())
    index = data.index(b"PK\x01\x02")
    data[index + 24 : index + 28] = struct.pack("<I", claimed)
    (place.files / "model.skops").write_bytes(bytes(data))
    place.agree()


def array_of_pickles(place: Spoiled) -> None:
    """An array inside the archive that numpy would unpickle."""
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(place.files / "model.skops") as source:
        kept = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(place.files / "model.skops", "w") as target:
        for name, data in kept.items():
            target.writestr(name, file.getvalue() if name.endswith(".npy") else data)
    place.agree()


def linked(place: Spoiled) -> None:
    """A link out of the folder, with the digest that the folder has for whoever follows it."""
    (place.repo / "secret").write_text("not to be read")
    (place.files / "extra").symlink_to(place.repo / "secret")
    followed = place.repo.parent / "followed"
    shutil.copytree(place.files, followed)
    place.agree(model_file.tree_digest(followed))


def elsewhere(place: Spoiled) -> None:
    """The registry says that the files lie above the artifacts, where somebody else can write."""
    other = place.repo.parent / "elsewhere"
    shutil.copytree(place.files, other)
    flipped(other / "model.skops")
    way = "/".join([".."] * len(place.files.relative_to(place.repo.parent).parts))
    place.sql("UPDATE model_versions SET storage_location = ?", f"file://{place.files}/{way}/elsewhere")


def explosive(place: Spoiled) -> None:
    """An MLmodel whose few lines stand for a list of a billion."""
    parts = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}' if n else 'x'] * 10)}]\n" for n in range(9)]
    place.rewrite("MLmodel", "code: null", "code: *l8")
    (place.files / "MLmodel").write_text("".join(parts) + (place.files / "MLmodel").read_text())
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
    "the manifest names another score": (lambda place: place.declare(score=0.99), "score is 0.99, not"),
    "the manifest names another champion": (lambda place: place.declare(champion=7), "champion is 7, not"),
    "the manifest names another time": (
        lambda place: place.declare(data_until="2013-01-02T00:00:00Z"),
        "data_until is 2013-01-02",
    ),
    "the manifest has a key of its own": (lambda place: place.declare(approved=True), "approved"),
    "the manifest is half a file": (lambda place: place.declared.write_text('{"record": "Mani'), "production.json"),
    "MLmodel names another loader": (loader, "loader_module"),
    "MLmodel names code": (code, "code"),
    "MLmodel names pickle": (format_of_pickles, "serialization_format"),
    "a pickle beside the model": (pickled, "files that a training does not write: model.pkl"),
    "a type that can run code": (own_code, "outside the allow-list: functools.partial"),
    "no skops file": (not_a_model, "is not a skops file"),
    "a path out of the archive": (
        partial(entry, name=f"../../../..{OWNED_AT}"),
        f"model.skops of the model has invalid names: ../../../..{OWNED_AT}",
    ),
    "an absolute path in the archive": (
        partial(entry, name=str(OWNED_AT)),
        f"model.skops of the model has invalid names: {OWNED_AT}",
    ),
    "a link in the archive": (
        partial(entry, name="link.npy", mode=stat.S_IFLNK | 0o777),
        "model.skops of the model has links: link.npy",
    ),
    "a link beside the model": (linked, "a path leads out of them: The following failures"),
    "another place for the files": (elsewhere, "files have the digest"),
    "a tree with nodes that are not there": (crafted, "model.skops is refused: a process that opens it"),
    "an array of pickles": (array_of_pickles, "Object arrays cannot be loaded"),
    "an MLmodel of billions": (explosive, "code [[[...], [...]"),
    "a zip bomb": (partial(bomb, claimed=2**26), "model.skops of the model has compressed files: schema.json"),
    "a zip bomb that plays small": (partial(bomb, claimed=1000), "unpack to 1,000)"),
    "a zip bomb that boasts": (partial(bomb, claimed=3 * 2**30), "unpack to 3,221,225,472)"),
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
