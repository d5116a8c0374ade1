"""The example model takes whatever a night can bring, and what it is made of can be stored without pickle."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from core.config.model import Data, ModelConfig
from tests.place import EXAMPLE, ROOT
from training.fit import Split
from training.frame import features
from training.pipeline_file import load_build
from training.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path("model") / "flights"
OWN, COPY = ROOT / FOLDER, EXAMPLE / FOLDER
PARTS = {"training", "triggers", "quality", "gates"}
ALLOWED = {
    "numpy.dtype",
    "numpy.nan_to_num",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
}


def odd(n: int, seed: int) -> pd.DataFrame:
    """Rows with everything that is legal: nulls, infinities, one value, none, and more categories than can be kept."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "null": np.full(n, np.nan), "one": np.ones(n)})
    frame.loc[: n // 3, "x"] = np.inf
    frame.loc[n // 2 :, "x"] = -np.inf
    frame.loc[:5, "x"] = np.nan
    frame["kind"] = pd.Series(rng.choice(np.array(["a", "b", None], object), n), dtype=object)
    frame["many"] = pd.Series([f"m{v}" for v in rng.integers(0, 2000, n)], dtype=object)
    frame["never"] = pd.Series([None] * n, dtype=object)
    return frame


ODD = Data(source="s", numeric=("x", "null", "one"), categorical=("kind", "many", "never"))


def test_the_model_is_better_than_guessing(model: Any, parts: Split, config: ModelConfig) -> None:
    """On its first holdout the balanced accuracy is the one that the thresholds were chosen with."""
    from sklearn.metrics import balanced_accuracy_score

    scores = score(model, features(parts.holdout, config.data))

    assert pytest.approx(0.656, abs=0.01) == balanced_accuracy_score(parts.holdout["actual"], scores >= 0.5)


@pytest.mark.skipif(not OWN.exists(), reason="the example was deleted")
@pytest.mark.parametrize("path", sorted(path.relative_to(COPY) for path in COPY.rglob("*.*")), ids=str)
def test_the_example_is_the_one_that_the_tests_use(path: Path) -> None:
    """The tests have a copy, because a team deletes the example; as long as it is there, both are the same."""
    assert (COPY / path).read_bytes() == (OWN / path).read_bytes(), f"cp {OWN / path} {COPY / path}"


def test_odd_rows_are_fitted_and_scored(root: Path, config: ModelConfig) -> None:
    """Nulls, infinities, constant and empty columns can be fitted; unseen categories and values can be scored."""
    odd_config = config.model_copy(update={"data": ODD})
    rows, labels = odd(2000, 0), np.random.default_rng(1).integers(0, 2, 2000)
    estimator = load_build(root, "flights")(odd_config).fit(rows, labels)
    night = odd(50, 2).assign(null=np.inf, one=np.nan, kind="new", many=None, never="now")

    assert np.isfinite(score(estimator, night)).all()


@pytest.mark.parametrize("data", [Data(source="s", numeric=("null",)), Data(source="s", categorical=("kind", "never"))])
def test_features_may_be_of_one_kind_only(root: Path, config: ModelConfig, data: Data) -> None:
    """A copy of the pipeline for a table without numbers, or without categories, works."""
    estimator = load_build(root, "flights")(config.model_copy(update={"data": data}))
    estimator.fit(odd(200, 0), np.arange(200) % 2)

    assert np.isfinite(score(estimator, odd(9, 1))).all()


def test_the_columns_of_a_frame_may_come_in_any_order(model: Any, parts: Split, config: ModelConfig) -> None:
    """Columns are found by name, and others are ignored."""
    rows = features(parts.holdout, config.data)
    turned = rows[rows.columns[::-1]].assign(other=1)

    assert (score(model, rows) == score(model, turned)).all()


def test_a_stored_model_says_the_same(model: Any, parts: Split, config: ModelConfig, tmp_path: Path) -> None:
    """It is stored by skops with a short list of types, none of which runs code, and loads to the same model."""
    import skops.io

    rows, file = features(parts.holdout, config.data), tmp_path / "model.skops"
    skops.io.dump(model, file)

    assert ALLOWED >= set(skops.io.get_untrusted_types(file=file))
    assert (score(model, rows) == score(skops.io.load(file, trusted=sorted(ALLOWED)), rows)).all()


def test_build_takes_its_seed_from_the_config(root: Path, config: ModelConfig) -> None:
    """Nothing is left to chance: the trees have the seed of model.toml."""
    build: Callable[[ModelConfig], Any] = load_build(root, "flights")

    assert config.training.seed == build(config)[-1].random_state


def told(root: Path) -> dict[str, Any]:
    """The choices that the folder's README lists with their values, each with the number that led to it."""
    text = (root / FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| .+ \|$", text, re.MULTILINE)
    return {choice: tomllib.loads(f"value = {value}")["value"] for choice, value in rows}


def leaves(table: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The values of a table by their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= leaves(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}": value}
    return found


def test_the_readme_tells_every_choice(root: Path) -> None:
    """Each number of model.toml that is a choice has its line, with its value."""
    chosen = leaves(tomllib.loads((root / FOLDER / "model.toml").read_text(encoding="utf-8")))
    chosen = {key: value for key, value in chosen.items() if key.partition(".")[0] in PARTS}

    assert chosen == {choice: value for choice, value in told(root).items() if "pipeline" not in choice}


def test_the_readme_tells_the_trees_as_they_are(root: Path, config: ModelConfig) -> None:
    """What it says of the estimator is what `build` sets."""
    trees = load_build(root, "flights")(config)[-1].get_params()
    found = {choice.split()[1]: value for choice, value in told(root).items() if "pipeline" in choice}

    assert {"max_iter", "max_leaf_nodes", "min_samples_leaf", "class_weight"} == set(found)
    assert found == {name: trees[name] for name in found}
