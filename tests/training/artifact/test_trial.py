"""A model of allowed types with bad contents is refused by name, and the process that asked lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from core.errors import RegistryError
from tests.training.artifact.test_model_file import keep
from training.artifact import model_file, trial

ROWS = np.arange(40, dtype=float).reshape(20, 2)
LABELS = [0, 1] * 10


def crafted(tree: DecisionTreeClassifier, **nodes: int) -> None:
    """Give the root of a tree children that are not there, or the root itself."""
    state = tree.tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    for name, value in nodes.items():
        state["nodes"][name][0] = value
    tree.tree_.__setstate__(state)


def forest(**nodes: int) -> Any:
    """A forest whose first tree was crafted."""
    model = RandomForestClassifier(n_estimators=2, random_state=0).fit(ROWS, LABELS)
    crafted(model.estimators_[0], **nodes)
    return model


def tree(**nodes: int) -> Any:
    """A crafted tree."""
    model = DecisionTreeClassifier().fit(ROWS, LABELS)
    crafted(model, **nodes)
    return model


@pytest.mark.parametrize("craft", [tree, forest])
def test_nodes_that_are_not_there_are_refused_and_crash_nobody(tmp_path: Path, craft: Any) -> None:
    """Scoring would end this interpreter by a signal: the error names the file and the signal."""
    digest = keep(craft(left_child=2**40, right_child=2**40), tmp_path / "model")

    with pytest.raises(RegistryError, match=r"^model\.skops is refused: .* and scores 20 rows crashes \(SIG"):
        model_file.load(tmp_path / "model", digest, ROWS)


@pytest.mark.parametrize("craft", [tree, forest])
def test_a_model_that_never_ends_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, craft: Any
) -> None:
    """A node that is its own child is followed for ever: refused after the limit."""
    monkeypatch.setattr(trial, "SECONDS", 1)
    digest = keep(craft(left_child=0, right_child=0), tmp_path / "model")

    with pytest.raises(RegistryError, match=r"model\.skops is refused: .* does not end within 1 seconds"):
        model_file.load(tmp_path / "model", digest, ROWS)


def test_a_model_that_needs_more_memory_than_any_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is that of the process that tries, so this one keeps its memory."""
    monkeypatch.setattr(trial, "MEMORY", 1 << 28)

    with pytest.raises(RegistryError, match="needs more than 0 GB of memory"):
        trial.attempt("model.skops", 0, lambda: bytearray(1 << 30), None)


def test_a_sound_model_and_an_ordinary_error_pass_the_trial(tmp_path: Path) -> None:
    """Nothing else is refused: what raises is met again where it can be reported."""
    model = LogisticRegression().fit(ROWS, LABELS)
    digest = keep(model, tmp_path / "model")

    loaded = model_file.load(tmp_path / "model", digest, ROWS)
    np.testing.assert_array_equal(model.predict(ROWS), loaded.predict(ROWS))
    trial.attempt("model.skops", 0, lambda: 1 // 0, None)
    trial.attempt("model.skops", 0, lambda: model, ROWS[:, :1])
