from __future__ import annotations

import hashlib
import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from core.errors import ConfigError, RegistryError
from training.artifact import model_file

MLMODEL = """
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.skops
    predict_fn: predict_proba
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    serialization_format: skops
    sklearn_version: 1.9.1
    skops_trusted_types: [numpy.dtype]
mlflow_version: 3.17.2
"""


def rows() -> pd.DataFrame:
    """Numbers with a missing one, and texts."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    frame.loc[3, "a"] = np.nan
    return frame.assign(c=pd.Series(["x", "y", "z"] * 20, dtype=object))


def fitted(classifier: Any, encoder: Any) -> Any:
    """A pipeline of the usual kind around a classifier."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("numbers", numbers, ["a", "b"]), ("texts", encoder, ["c"])])
    return make_pipeline(columns, classifier).fit(rows(), [0, 1] * 30)


def keep(estimator: Any, folder: Path) -> str:
    """Write a model's folder as MLflow does, and give its digest."""
    folder.mkdir(exist_ok=True)
    skops.io.dump(estimator, folder / model_file.MODEL_FILE)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "requirements.txt").write_text("scikit-learn\n")
    return model_file.tree_digest(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a small model."""
    keep(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=["one-hot", "ordinal"])
@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(),
        HistGradientBoostingClassifier(max_iter=3),
        RandomForestClassifier(n_estimators=3),
        GradientBoostingClassifier(n_estimators=3),
        VotingClassifier([("one", LogisticRegression())], voting="soft"),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_the_usual_pipelines_come_back_the_same(tmp_path: Path, classifier: Any, encoder: Any) -> None:
    """What people build of scikit-learn's own parts is on the allow-list, and says the same after a round trip."""
    model = fitted(classifier, encoder)
    digest = keep(model, tmp_path / "model")
    back = model_file.load(tmp_path / "model", digest)

    assert set(model_file.trusted_types(model)) <= model_file.ALLOWED_TYPES
    np.testing.assert_array_equal(model.predict_proba(rows()), back.predict_proba(rows()))


def test_the_example_model_is_on_the_list(model: Any) -> None:
    """The flights pipeline as shipped can be kept without pickle."""
    assert set(model_file.trusted_types(model)) <= model_file.ALLOWED_TYPES


def own(values: Any) -> Any:
    """A function of the model's owner, of which a file only holds the name."""
    return values


@pytest.mark.parametrize("function", [own, partial(np.clip, a_min=0, a_max=1)], ids=["own function", "partial"])
def test_types_outside_the_list_are_refused_when_kept(function: Callable[..., Any]) -> None:
    """A pipeline with code of its own is refused at training (exit code 2), and its types are named for review."""
    with pytest.raises(ConfigError, match="outside the allow-list: ") as caught:
        model_file.trusted_types(FunctionTransformer(function))

    assert 2 == caught.value.exit_code
    assert "ALLOWED_TYPES" not in caught.value.what
    assert "training/artifact/model_file.py" in caught.value.fix


def test_types_outside_the_list_are_refused_when_loaded(tmp_path: Path) -> None:
    """A file with other types is not loaded, although its digest is right, and its types are named for review."""
    digest = keep(FunctionTransformer(partial(np.clip, a_min=0, a_max=1)), tmp_path / "model")

    with pytest.raises(RegistryError, match=r"outside the allow-list: .*functools\.partial"):
        model_file.load(tmp_path / "model", digest)


def test_the_digest_tells_files_apart(folder: Path) -> None:
    """Every byte, name and cut between files counts; what a download adds does not."""
    before = model_file.tree_digest(folder)
    (folder / "registered_model_meta").write_text("model_name: flights\n")
    assert before == model_file.tree_digest(folder)

    (folder / "requirements.txt").write_text("scikit-learm\n")
    assert before != model_file.tree_digest(folder)

    digests = set()
    for number, (one, two) in enumerate([("ab", "c"), ("a", "bc"), ("abc", "")]):
        place = folder / str(number)
        place.mkdir()
        (place / "1").write_text(one)
        (place / "2").write_text(two)
        digests.add(model_file.tree_digest(place))
    assert 3 == len(digests)


def test_the_digest_never_changes_its_meaning(tmp_path: Path) -> None:
    """Manifests in git hold digests of years ago: a known tree has a known digest."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"")

    assert hashlib.sha256(b"1 a 1 1" + b"3 b/c 0 ").hexdigest() == model_file.tree_digest(tmp_path)


def test_changed_files_are_not_loaded(folder: Path) -> None:
    """One flipped byte anywhere, and the model is refused before anything of it is read as a model."""
    digest = model_file.tree_digest(folder)
    data = bytearray((folder / model_file.MODEL_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / model_file.MODEL_FILE).write_bytes(bytes(data))

    with pytest.raises(RegistryError, match="expected") as caught:
        model_file.load(folder, digest)
    assert 5 == caught.value.exit_code


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    """A link could change what it points to after the look at it."""
    (tmp_path / "elsewhere").write_text("x")
    (folder / "conda.yaml").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RegistryError, match="not a plain file"):
        model_file.tree_digest(folder)


@pytest.mark.parametrize("name", ["model.pkl", "code/helper.py", "python_model.pkl", "model.joblib"])
def test_a_pickle_or_code_beside_the_model_is_refused(folder: Path, name: str) -> None:
    """Only the files that our training writes may be there, whatever the digest says."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\x80\x04.")

    with pytest.raises(RegistryError, match="files that a training does not write"):
        model_file.load(folder, model_file.tree_digest(folder))


@pytest.mark.parametrize("name", ["MLmodel", "model.skops"])
def test_a_missing_file_is_said(folder: Path, name: str) -> None:
    """Without its model file or its MLmodel it is not a model."""
    (folder / name).unlink()

    with pytest.raises(RegistryError, match=f"lacks {name}"):
        model_file.load(folder, model_file.tree_digest(folder))


# Each line names the list of the one before ten times: written out, the last one has 10 ** 9 parts.
PARTS = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}' if n else 'x'] * 10)}]" for n in range(9)]
BILLIONS = "\n".join([*PARTS, ""])
ENTRIES = {
    "another loader": ("loader_module: mlflow.sklearn", "loader_module: mlflow.pyfunc.model"),
    "code": ("code: null", "code: code"),
    "code of the wrapper": ("    predict_fn", "    code: code\n    predict_fn"),
    "data of the wrapper": ("    predict_fn", "    data: /tmp\n    predict_fn"),
    "another format": ("serialization_format: skops", "serialization_format: cloudpickle"),
    "another file": ("pickled_model: model.skops", "pickled_model: model.pkl"),
    "another path": ("model_path: model.skops", "model_path: /tmp/model.pkl"),
    "another flavor": ("  sklearn:", "  pytorch: {}\n  sklearn:"),
    "more trust": ("[numpy.dtype]", "[numpy.dtype, functools.partial]"),
    "no flavor": ("flavors:", "flavours:"),
    "not yaml": ("flavors:", "\t{"),
    "an object": ("flavors:", "other: !!python/object/apply:os.getcwd []\nflavors:"),
    "empty": (MLMODEL, ""),
    "no date": ("code: null", "code: 2013-99-99"),
    "without end": ("code: null", f"code: {'[' * 5000}"),
}


@pytest.mark.parametrize(("old", "new"), ENTRIES.values(), ids=ENTRIES)
def test_an_mlmodel_that_says_otherwise_is_refused(folder: Path, old: str, new: str) -> None:
    """Whoever serves with MLflow follows MLmodel, so it must name skops, MLflow's own loader, and no code."""
    (folder / "MLmodel").write_text(MLMODEL.replace(old, new))

    with pytest.raises(RegistryError, match="MLmodel"):
        model_file.load(folder, model_file.tree_digest(folder))


def test_a_few_lines_that_stand_for_billions_are_not_written_out(folder: Path) -> None:
    """YAML can name parts of itself: the refusal shows the beginning of such a value."""
    text = MLMODEL.replace("flavors:", f"{BILLIONS}flavors:").replace("code: null", "code: *l8")
    (folder / "MLmodel").write_text(text)

    with pytest.raises(RegistryError, match="code") as caught:
        model_file.load(folder, model_file.tree_digest(folder))
    assert len(str(caught.value)) < 2000


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], deflate: bool = False) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as target,
    ):
        for name, data in entries:
            target.writestr(name, data)
    return file.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    """An entry that is a link."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def edited(data: bytes, *fields: tuple[int, int]) -> bytes:
    """A zip in whose index the first entry has other 32-bit numbers, by their offset."""
    changed, entry = bytearray(data), data.index(b"PK\x01\x02")
    for offset, value in fields:
        changed[entry + offset : entry + offset + 4] = struct.pack("<I", value)
    return bytes(changed)


PACKED, UNPACKED = 20, 24  # offsets in an entry of the index
BOMB = archive(("schema.json", bytes(10**7)), deflate=True)
ARCHIVES = {
    "no zip": (b"\x80\x04.", "not a skops file"),
    "a way out": (archive(("../../etc/passwd", b"")), "model.skops of the model has invalid names: ../../etc/passwd"),
    "an absolute path": (archive(("/schema.json", b"")), "model.skops of the model has invalid names: /schema.json"),
    "a folder": (archive(("a/b.npy", b"")), "invalid names"),
    "a link": (archive((link("a.npy"), b"/etc/passwd")), "has links: a.npy"),
    "a name twice": (archive(("schema.json", b"{}"), ("schema.json", b"{")), "duplicate names: schema.json"),
    "a zip bomb": (BOMB, r"compressed files: schema.json \([\d,]+ bytes that unpack to 10,000,000\)"),
    "a zip bomb that plays small": (edited(BOMB, (UNPACKED, 100)), "compressed files: .* unpack to 100"),
    "more than there is": (
        edited(archive(("schema.json", b"{}")), (PACKED, 3 * 2**30), (UNPACKED, 3 * 2**30)),
        "would unpack to 3,221,225,472 bytes",
    ),
    "no schema": (archive(("1.npy", b"")), "cannot be loaded"),
    "broken schema": (archive(("schema.json", b"{")), "cannot be loaded"),
    "a schema without end": (archive(("schema.json", b"[" * 10**5)), "cannot be loaded"),
}


@pytest.mark.parametrize(("data", "said"), ARCHIVES.values(), ids=ARCHIVES)
def test_a_strange_archive_is_refused(folder: Path, data: bytes, said: str) -> None:
    """A model file is a zip of plainly named files with a schema, stored as they are; what is wrong is named."""
    (folder / model_file.MODEL_FILE).write_bytes(data)

    with pytest.raises(RegistryError, match=said):
        model_file.load(folder, model_file.tree_digest(folder))


def rewritten(folder: Path, arrays: Callable[[bytes], bytes]) -> None:
    """Put something else in the place of each array of a model."""
    with zipfile.ZipFile(folder / model_file.MODEL_FILE) as source:
        files = {name: source.read(name) for name in source.namelist()}
    assert any(name.endswith(".npy") for name in files)
    entries = ((name, arrays(data) if name.endswith(".npy") else data) for name, data in files.items())
    (folder / model_file.MODEL_FILE).write_bytes(archive(*entries))


def pickles(_: bytes) -> bytes:
    """An array of objects, which numpy keeps as a pickle."""
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


def endless(data: bytes) -> bytes:
    """An array that says it has ten trillion numbers."""
    header = np.lib.format.magic(1, 0) + struct.pack("<H", 118)
    told = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"
    return header + told.ljust(117) + b"\n" + data[-16:]


@pytest.mark.parametrize("arrays", [pickles, endless])
def test_an_array_that_would_do_harm_is_not_loaded(folder: Path, arrays: Callable[[bytes], bytes]) -> None:
    """An array inside the archive that is a pickle, or claims more numbers than there is memory, ends in a refusal."""
    rewritten(folder, arrays)

    with pytest.raises(RegistryError, match=r"model\.skops (cannot be loaded|is refused)"):
        model_file.load(folder, model_file.tree_digest(folder))
