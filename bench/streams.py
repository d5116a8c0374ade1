"""Streams with a known change, from a published generator in its own environment, and a model folder for them."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import venv
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "local" / "bench"
RIVER = ("river==0.26.1", "pyarrow")
FIRST = dt.date(2024, 1, 1)
DAY = dt.timedelta(days=1)
MODEL = "loans"
# Triggers, limits and gates are left out on purpose: the bench measures the defaults.
CONFIG = """\
task = "binary"
registry_name = "loans"

[data]
source = "unused"
numeric = ["salary", "commission", "age", "hvalue", "hyears", "loan"]
categorical = ["elevel", "car", "zipcode"]
"""
PIPELINE = '''\
"""Gradient-boosted trees on numbers; what Agrawal calls categories are small integers."""

from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def build(config):
    unseen = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer(
        ("passthrough", list(config.data.numeric)), (unseen, list(config.data.categorical))
    )
    trees = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, class_weight="balanced", early_stopping=False, random_state=config.training.seed
    )
    return make_pipeline(columns, trees)
'''


@dataclass(frozen=True)
class Stream:
    """The settings of a stream; see `draw_stream.py`.

    Args:
        rows: rows per night.
        nights: number of nights with rows; the first 62 train the first model.
        night: the night on which the change begins, counted from 0.
        over: number of nights that the change takes; 0: at once.
        before: the number in river of the function that gives the label: 1 uses age and salary.
        after: the number of the function after the change: 2 uses age and level of education.
        moved: what is added to inputs from the change on.
        perturbation: noise added to the numbers after the label is computed, as a share of their range.
        flips: the share of labels that are flipped.
    """

    rows: int = 200
    nights: int = 202
    night: int = 102
    over: int = 0
    before: int = 1
    after: int = 1
    moved: dict[str, float] = field(default_factory=dict)
    perturbation: float = 0.05
    flips: float = 0.1

    @property
    def truth(self) -> dt.date:
        """Return the day on which the change begins."""
        return FIRST + self.night * DAY

    @property
    def concept(self) -> bool:
        """Return whether the change is in how labels follow from inputs."""
        return self.before != self.after


STREAMS = {
    "abrupt": Stream(after=2),
    "gradual": Stream(after=2, over=28),
    "irrelevant": Stream(moved={"hyears": 4.0}),  # of 1 to 30 years: a shift of 0.46 standard deviations
    "stationary": Stream(),
}


def written(stream: Stream, seed: int, folder: Path) -> Path:
    """Return the Parquet file with the rows of a stream, in `folder`.

    Raises:
        RuntimeError: the generator's environment cannot be made, or it fails.
    """
    path = folder / "rows.parquet"
    ran([_python(), ROOT / "bench" / "draw_stream.py", path, json.dumps({**asdict(stream), "seed": seed})])
    return path


def model_folder(root: Path) -> Path:
    """Write a repository at `root` with the model of the streams; triggers and gates are the defaults."""
    place = root / "model" / MODEL
    place.mkdir(parents=True)
    (place / "model.toml").write_text(CONFIG, encoding="utf-8")
    (place / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    return root


def _python() -> Path:
    """Return the Python of the generator's environment, which is made if missing."""
    folder = PLACE / "river"
    if not (folder / "ready").exists():
        print("river: making its environment (minutes, once)", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        ran([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *RIVER])
        (folder / "ready").touch()
    return folder / "bin" / "python"


def ran(command: list[str | Path]) -> None:
    """Run a command without the packages of this environment, and return its output.

    Raises:
        RuntimeError: the command failed; the message has the end of its output.
    """
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    call = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if call.returncode:
        shown = " ".join(str(part) for part in command)
        msg = f"{shown} failed: {call.stderr.strip()[-500:]}"
        raise RuntimeError(msg)
