"""Model files, loaded without trust in who wrote them: bound by a digest, and limited to an allow-list of types."""

from __future__ import annotations

import hashlib
import reprlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import ConfigError, RegistryError
from training.artifact import trial, zip_index
from training.artifact.zip_index import RETRAIN, TAMPERED

if TYPE_CHECKING:
    import pandas as pd

MODEL_FILE = "model.skops"
ENTRY_FILE = "MLmodel"
ADDED_BY_DOWNLOADS = "registered_model_meta"
KNOWN_FILES = frozenset(
    {MODEL_FILE, ENTRY_FILE, ADDED_BY_DOWNLOADS, "conda.yaml", "python_env.yaml", "requirements.txt"}
)
ALLOWED_TYPES = frozenset(
    {
        # Types in scikit-learn's estimators that skops does not trust by default. Each of them only stores numbers or
        # computes on them: none reads a file, opens a connection or calls its arguments. Anything that can call its
        # arguments (functools.partial, operator.methodcaller, your own types) does not belong here.
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
    """Return the types in `estimator` that a reader must trust by name, sorted; all are in `ALLOWED_TYPES`.

    Raises:
        ConfigError: the estimator cannot be saved as skops, or contains types that are not allowed.
    """
    import skops.io

    try:
        types = set(skops.io.get_untrusted_types(data=skops.io.dumps(estimator)))
    except Exception as err:
        raise ConfigError(
            f"{type(estimator).__name__} cannot be saved as skops: {type(err).__name__}: {str(err)[:300]}",
            why="Models are stored without pickle, so a model may only contain types that skops knows.",
            fix="Change build() in the model's pipeline.py.",
        ) from err
    not_allowed = sorted(types - ALLOWED_TYPES)
    if not_allowed:
        raise ConfigError(
            f"{type(estimator).__name__} contains types outside the allow-list: {', '.join(not_allowed)}.",
            why="A model may only contain types that were reviewed: a type can run code when it is loaded.",
            fix="Change build() in the model's pipeline.py, or review the types and add them to ALLOWED_TYPES in "
            "training/artifact/model_file.py.",
        )
    return sorted(types)


def round_trip(estimator: Any) -> tuple[bytes, Any]:
    """Return the bytes of an estimator, and the estimator loaded from them; errors as in `trusted_types`."""
    import skops.io

    types, data = trusted_types(estimator), skops.io.dumps(estimator)
    return data, skops.io.loads(data, trusted=types)


def tree_digest(folder: Path) -> str:
    """Return the SHA-256 of the relative name, length and bytes of every file below `folder`, ordered by name.

    The file that MLflow adds to downloads is left out.

    Raises:
        RegistryError: there is something other than plain files, such as a link.
    """
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise RegistryError(
                f"The model's folder contains {name!r}, which is not a plain file.", why=TAMPERED, fix=RETRAIN
            )
        if path.is_file() and name != ADDED_BY_DOWNLOADS:
            data = path.read_bytes()
            digest.update(f"{len(name.encode())} {name} {len(data)} ".encode() + data)
    return digest.hexdigest()


def require_digest(folder: Path, digest: str) -> None:
    """Make sure that the files in `folder` have this digest.

    Raises:
        RegistryError: they have another one.
    """
    actual = tree_digest(folder)
    if actual != digest:
        raise RegistryError(
            f"The model's files have the digest {actual[:12]}…, expected {digest[:12]}….", why=TAMPERED, fix=RETRAIN
        )


def load(folder: Path, digest: str, rows: pd.DataFrame | None = None) -> Any:
    """Return the estimator in `folder`, after its digest, files and types were checked and a trial ended well.

    Args:
        folder: with the model's files.
        digest: that the files must have.
        rows: scored in the trial; None to only load there.

    Raises:
        RegistryError: a check failed, or the file cannot be loaded.
    """
    import skops.io

    require_digest(folder, digest)
    _check_files(folder)
    _check_entry(folder / ENTRY_FILE)
    data = (folder / MODEL_FILE).read_bytes()
    zip_index.check(MODEL_FILE, data)
    try:
        types = set(skops.io.get_untrusted_types(data=data))
        _refuse(sorted(types - ALLOWED_TYPES), "contains types outside the allow-list")
        trusted = sorted(types)
        trial.attempt(MODEL_FILE, len(data), lambda: skops.io.loads(data, trusted=trusted), rows)
        return skops.io.loads(data, trusted=trusted)
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
            why="Loading it could run code that was not reviewed.",
            fix="Do not serve it. Add types that are harmless to ALLOWED_TYPES in training/artifact/model_file.py.",
        )


def _check_files(folder: Path) -> None:
    """Make sure that there are only the files that a training writes: no pickle, no code."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    _refuse(sorted(names - KNOWN_FILES), "has files that a training does not write")
    missing = {MODEL_FILE, ENTRY_FILE} - names
    if missing:
        raise RegistryError(f"The model lacks {', '.join(sorted(missing))}.", why=TAMPERED, fix=RETRAIN)


def _check_entry(path: Path) -> None:
    """Make sure that MLmodel has MLflow load the model as skops, with MLflow's own loader and without other code.

    This module does not read MLmodel to load a model, but MLflow's serving functions do.
    """
    try:
        flavors = yaml.safe_load(path.read_bytes())["flavors"]
        wrapper, own = flavors.pop("python_function", {}), flavors.pop("sklearn")
        entries = {
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
        raise RegistryError(
            f"{ENTRY_FILE} is not a file that MLflow writes for skops.", why=TAMPERED, fix=RETRAIN
        ) from err
    # A few lines of YAML can expand to a list of billions, so values are shortened.
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring = 2, 100
    unexpected = [f"{key} {brief.repr(actual)}" for key, (actual, expected) in entries.items() if actual != expected]
    _refuse(unexpected, f"has unexpected entries in its {ENTRY_FILE}")
