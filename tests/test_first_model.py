"""The transcript in docs/your-model.md is what a newcomer types, from a table to a first version in Production."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import load_config
from model import manifest
from scripts.demo import prepare
from scripts.demo_git import WHO
from tests.place import FLIGHTS, ROOT, Place

PAGE = (ROOT / "docs" / "your-model.md").read_text(encoding="utf-8")
PART = PAGE.split("## Your own table")[1].split("\n## ")[0]


def transcript() -> list[tuple[str, list[str]]]:
    """Each command of the page, and the lines that it shows of the output."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PART, re.DOTALL):
        for typed in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            cut = typed.index("\nEND\n") + 4 if "<<" in typed else typed.index("\n")
            shown = typed[cut:].splitlines()
            found.append((typed[:cut], [line for line in shown if line not in {"", "..."}]))
    return found


class Reader:
    """Somebody who types what the page says, in a copy of the template."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.env: dict[str, str] = {}

    def types(self, command: str) -> str:
        """The output of a command, or of several joined by &&."""
        if command.startswith("export "):
            self.env |= dict(word.split("=", 1) for word in shlex.split(command)[1:])
            return ""
        if "<<" in command:
            return self.shell(command.replace(".venv/bin/python", sys.executable))
        return "".join(
            self.mlops(shlex.split(part)[1:]) if part.startswith("mlops ") else self.shell(part)
            for part in command.split(" && ")
        )

    def mlops(self, words: list[str]) -> str:
        """Run a command of ours."""
        ran = self.place.mlops(*words, day=None, env=self.env)
        assert 0 == ran.code, ran.err
        return ran.out

    def shell(self, command: str) -> str:
        """Run anything else."""
        env = {**os.environ, **WHO}
        ran = subprocess.run(
            ["bash", "-c", command], cwd=self.place.folder, env=env, capture_output=True, text=True, check=False
        )
        assert 0 == ran.returncode, ran.stderr
        return ran.stdout


@pytest.fixture
def copy(tmp_path: Path, mlflow_store: Path) -> Place:
    """A repository made from the template, with an empty registry."""
    place = Place(prepare(ROOT, tmp_path / "repo"))
    place.person.start()
    (place.folder / "local").mkdir()
    (place.folder / "local" / "mlflow.db").write_bytes(mlflow_store.read_bytes())
    return place


def test_the_page_leads_to_a_first_version_in_production(copy: Place) -> None:
    """Every command works as it stands, prints what the page shows, and git and registry agree on version 1."""
    reader = Reader(copy)
    typed = transcript()
    for command, shown in typed:
        said = reader.types(command).splitlines()
        assert [] == [line for line in shown if line not in said], command

    assert {"new", "doctor", "pull", "check", "train", "validate", "propose", "replay"} <= {
        command.split()[1] for command, _ in typed
    }
    declared = manifest.read(copy.folder, "patients")
    assert declared is not None
    assert 1 == declared.version
    assert "agrees with git" in reader.mlops(["status"])


def test_a_table_with_history_of_a_year_goes_the_same_way(copy: Place) -> None:
    """The flights, as a Parquet file and under another name, are promoted and replayed without an edit."""
    reader = Reader(copy)
    for words in (
        f"mlops new delays --from {shlex.quote(str(FLIGHTS))} --time timestamp --target target",
        f"export MLOPS_MODEL=delays MLOPS_AS_OF=2013-12-30 MONITORING_URL={shlex.quote(str(FLIGHTS))}",
        "mlops pull && mlops check && mlops train && mlops validate && mlops propose",
        "git pull -q local/forge.git promote/delays && mlops promote",
        "mlops replay --last 3",
    ):
        reader.types(words)

    assert "${MONITORING_URL}" == load_config(copy.folder, "delays").data.source
    assert "agrees with git" in reader.mlops(["status"])
