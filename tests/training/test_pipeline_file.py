"""What an owner writes in pipeline.py is run, and every mistake in it is named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.config.model import ModelConfig
from core.errors import ConfigError
from training.pipeline_file import load_build, pipeline_digest

GOOD = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Model:
    seed: int
    def fit(self, x, y): return self
    def predict_proba(self, x): return None

def build(config):
    return Model(config.training.seed)
"""


def write(root: Path, text: str) -> Path:
    """A repository at `root` with one model whose pipeline.py is `text`."""
    path = root / "model" / "mine" / "pipeline.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_build_is_found_by_path(tmp_path: Path, config: ModelConfig) -> None:
    """`build` of the model's own file is called with the config; a dataclass in it works."""
    write(tmp_path, GOOD)

    assert config.training.seed == load_build(tmp_path, "mine")(config).seed


def test_an_edited_file_is_run_anew(tmp_path: Path, config: ModelConfig) -> None:
    """What was compiled of an older text of the same size is never used."""
    write(tmp_path, GOOD.replace("config.training.seed", "111"))
    load_build(tmp_path, "mine")
    write(tmp_path, GOOD.replace("config.training.seed", "222"))

    assert 222 == load_build(tmp_path, "mine")(config).seed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def build(:", "does not run: SyntaxError"),
        ("import no_such_package", "does not run: ModuleNotFoundError"),
        ("1 / 0", "does not run: ZeroDivisionError"),
        ("\0", "does not run"),
        ("x = 1", "has no function build"),
        ("build = 1", "has no function build"),
    ],
)
def test_a_broken_file_is_a_config_error(tmp_path: Path, text: str, said: str) -> None:
    """A file that does not run, or has no `build`, is named with the reason."""
    write(tmp_path, text)

    with pytest.raises(ConfigError, match=said):
        load_build(tmp_path, "mine")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('temp')", "failed: KeyError: 'temp'"),
        ("return None", "returns NoneType, which has no fit and no predict_proba"),
        ("return type('Half', (), {'fit': print})()", "returns Half, which has no predict_proba"),
    ],
)
def test_a_build_without_an_estimator_is_a_config_error(
    tmp_path: Path, config: ModelConfig, body: str, said: str
) -> None:
    """A `build` that fails, or returns something that cannot be judged by probabilities, is named."""
    write(tmp_path, f"def build(config):\n    {body}\n")

    with pytest.raises(ConfigError, match=said):
        load_build(tmp_path, "mine")(config)


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    """A model folder without pipeline.py is an error that says what to copy."""
    with pytest.raises(ConfigError, match=r"Cannot read .*pipeline\.py"):
        load_build(tmp_path, "mine")


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    """The digest of a pipeline is the SHA-256 of its file."""
    path = write(tmp_path, GOOD)

    assert hashlib.sha256(path.read_bytes()).hexdigest() == pipeline_digest(tmp_path, "mine")
