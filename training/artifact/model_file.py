"""Load a model's files without trusting whoever wrote them: by their digest, and by our own list of types."""

from __future__ import annotations

import hashlib
import reprlib
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigError, RegistryError
from training.artifact import zip_index
from training.artifact.zip_index import RETRAIN, TAMPERED

MODEL_FILE = "model.skops"
ENTRY_FILE = "MLmodel"
ADDED_BY_DOWNLOADS = "registered_model_meta"
KNOWN_FILES = frozenset(
    {MODEL_FILE, ENTRY_FILE, ADDED_BY_DOWNLOADS, "conda.yaml", "python_env.yaml", "requirements.txt"}
)
ALLOWED_TYPES = frozenset(
    {
        # What scikit-learn's estimators hold besides what skops trusts by itself. Each of these only keeps numbers, or
        # computes on them: none reads a file, opens a connection or calls what it is given. Anything that can call
        # what it is given (functools.partial, operator.methodcaller, types of your own) does not belong here.
        "numpy.dtype",
        "numpy.nan_to_num",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


def trusted_types(estimator: Any) -> list[str]:
    """The types in `estimator` that a reader must trust by name, sorted; all are on our list.

    Raises:
        ConfigError: it cannot be saved as skops, or holds types that are not on our list.
    """
    import skops.io

    try:
        found = set(skops.io.get_untrusted_types(data=skops.io.dumps(estimator)))
    except Exception as err:
        raise ConfigError(
            f"{type(estimator).__name__} cannot be saved as skops: {type(err).__name__}: {str(err)[:300]}",
            why="Models are kept without pickle, so only types that skops knows can be in one.",
            fix="Change build() in the model's pipeline.py.",
        ) from err
    strange = sorted(found - ALLOWED_TYPES)
    if strange:
        raise ConfigError(
            f"{type(estimator).__name__} holds types outside the allow-list: {', '.join(strange)}.",
            why="A model may only hold types that were reviewed: a type can run code when it is loaded.",
            fix="Change build() in the model's pipeline.py, or review them and add them in "
            "training/artifact/model_file.py.",
        )
    return sorted(found)


def round_trip(estimator: Any) -> tuple[bytes, Any]:
    """The bytes that are kept of an estimator, and what they are loaded back to; errors as in `trusted_types`."""
    import skops.io

    types, data = trusted_types(estimator), skops.io.dumps(estimator)
    return data, skops.io.loads(data, trusted=types)


def tree_digest(folder: Path) -> str:
    """SHA-256 over the relative name, length and bytes of every file below `folder`, in the order of the names.

    The file that MLflow adds to downloads is left out.

    Raises:
        RegistryError: there is something else than plain files, such as a link.
    """
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise RegistryError(
                f"The model's folder holds {name!r}, which is no plain file.", why=TAMPERED, fix=RETRAIN
            )
        if path.is_file() and name != ADDED_BY_DOWNLOADS:
            data = path.read_bytes()
            digest.update(f"{len(name.encode())} {name} {len(data)} ".encode() + data)
    return digest.hexdigest()


def require_digest(folder: Path, digest: str) -> None:
    """Make sure that the files in `folder` have this digest; a RegistryError says that they do not."""
    found = tree_digest(folder)
    if found != digest:
        raise RegistryError(
            f"The model's files have the digest {found[:12]}…, expected {digest[:12]}….", why=TAMPERED, fix=RETRAIN
        )


def load(folder: Path, digest: str) -> Any:
    """The estimator in `folder`, if its files have this digest and hold nothing but what is on our lists.

    Raises:
        RegistryError: they do not; the message says which.
    """
    import skops.io

    require_digest(folder, digest)
    _check_files(folder)
    _check_entry(folder / ENTRY_FILE)
    data = (folder / MODEL_FILE).read_bytes()
    zip_index.check(MODEL_FILE, data)
    try:
        types = set(skops.io.get_untrusted_types(data=data))
        _refuse(sorted(types - ALLOWED_TYPES), "holds types outside the allow-list")
        return skops.io.loads(data, trusted=sorted(types))
    except RegistryError:
        raise
    except Exception as err:
        raise RegistryError(
            f"{MODEL_FILE} cannot be loaded: {type(err).__name__}: {str(err)[:300]}",
            why="The file is damaged, or was written with other versions of skops or scikit-learn.",
            fix="Install the versions of requirements.lock, or train again.",
        ) from err


def _refuse(problems: list[str], what: str) -> None:
    if problems:
        raise RegistryError(
            f"The model {what}: {', '.join(problems)}.",
            why="Loading it could run code that nobody has reviewed.",
            fix="Do not serve it. Types that are harmless can be added to ALLOWED_TYPES in "
            "training/artifact/model_file.py.",
        )


def _check_files(folder: Path) -> None:
    """Only the files that our training writes: no pickle, no code."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    _refuse(sorted(names - KNOWN_FILES), "comes with files that our training does not write")
    missing = {MODEL_FILE, ENTRY_FILE} - names
    if missing:
        raise RegistryError(f"The model lacks {', '.join(sorted(missing))}.", why=TAMPERED, fix=RETRAIN)


def _check_entry(path: Path) -> None:
    """MLmodel tells MLflow how to load the model: only as skops, by MLflow's own loader, without code of its own.

    We do not follow it, but whoever serves the model with MLflow's functions does.
    """
    try:
        flavors = yaml.safe_load(path.read_bytes())["flavors"]
        wrapper, own = flavors.pop("python_function", {}), flavors.pop("sklearn")
        answers = {
            "flavors": (sorted(flavors), []),
            "loader_module": (wrapper.get("loader_module", "mlflow.sklearn"), "mlflow.sklearn"),
            "model_path": (wrapper.get("model_path", MODEL_FILE), MODEL_FILE),
            "pickled_model": (own["pickled_model"], MODEL_FILE),
            "serialization_format": (own["serialization_format"], "skops"),
            "code": (wrapper.get("code") or own.get("code"), None),
            "data": (wrapper.get("data"), None),
            "skops_trusted_types": (sorted(set(own.get("skops_trusted_types") or ()) - ALLOWED_TYPES), []),
        }
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise RegistryError(f"{ENTRY_FILE} is not what MLflow writes for skops.", why=TAMPERED, fix=RETRAIN) from err
    # A few lines of YAML can stand for a list of billions, so nothing of it is written out as a whole.
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring = 2, 100
    strange = [f"{key} {brief.repr(found)}" for key, (found, fine) in answers.items() if found != fine]
    _refuse(strange, f"is to be loaded in another way than ours by its {ENTRY_FILE}")
