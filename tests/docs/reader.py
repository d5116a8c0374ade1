"""Somebody who types what a page says, in a folder of their own."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from scripts.demo.reviewer import WHO
from tests.place import ROOT, STEERS, Place

BIN = Path(sys.executable).parent
ASSIGNMENT = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)


class Reader:
    """A person at a prompt.

    Args:
        folder: where the first command is typed. GitHub is the folder `github.com` beside it.
        env: variables that are set before it.
        words: what the person writes where a page has a word in capitals, such as NAME.
        lay: puts the person's own files into a folder that `cd` enters.
        active: whether the project's environment is active, so that `mlops` is found.
    """

    def __init__(
        self,
        folder: Path,
        env: dict[str, str] | None = None,
        words: dict[str, str] | None = None,
        *,
        lay: Callable[[Path], None] | None = None,
        active: bool = True,
    ) -> None:
        self.folder, self.env, self.words, self.lay, self.active = folder, env or {}, words or {}, lay, active
        self.hub = folder.parent / "github.com"

    def means(self, text: str) -> str:
        """A text of the page with the person's own words."""
        for word, meant in self.words.items():
            text = re.sub(rf"\b{word}\b", meant, text)
        return text

    def types(self, command: str) -> str:
        """What a command says; it must end with exit code 0."""
        command = self.means(command)
        words, given = ([] if "<<" in command else shlex.split(command)), {}
        while words and (found := ASSIGNMENT.fullmatch(words[0])):
            given[found[1]] = found[2]
            words.pop(0)
        match words:
            case ["export", *variables]:
                self.env = {**self.env, **dict(word.split("=", 1) for word in variables)}
            case ["source", ".venv/bin/activate"]:
                self.active = (BIN / "activate").exists()
            case ["cd", folder]:
                self.folder /= folder
                if self.lay:
                    self.lay(self.folder)
            case ["mlops", *rest]:
                assert self.active, f"{command}: mlops is in .venv/bin, which nobody has activated"
                ran = Place(self.folder).mlops(*rest, day=None, env={**self.env, **given})
                assert 0 == ran.code, f"{command}\n{ran.out[-2000:]}\n{ran.err[-2000:]}"
                return ran.out
            case [".venv/bin/python", "-m", module, *rest] if module.startswith("bench."):
                return self.measures(module, rest)
            case ["uvicorn", *_]:
                return self.serves(command)
            case _:
                with self.start(command) as child:
                    out, err = child.communicate()
                assert 0 == child.returncode, f"{command}\n{out[-2000:]}\n{err[-2000:]}"
                return out
        return ""

    def measures(self, module: str, words: list[str]) -> str:
        """What a bench prints; in this process, in which all that it imports is there already."""
        out = io.StringIO()
        with patch.object(sys, "argv", [module, *words]), contextlib.redirect_stdout(out):
            importlib.import_module(module).main()
        return out.getvalue()

    def serves(self, command: str) -> str:
        """What a service says until it answers; then it is stopped."""
        said = []
        with self.start(f"exec env {command}") as child:
            for line in child.stderr or ():
                said.append(line)
                if "Uvicorn running" in line:
                    child.terminate()
        assert any("Uvicorn running" in line for line in said), "".join(said[-20:])
        return "".join(said)

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start anything that is not ours in a shell; `.venv` is the environment of this test."""
        command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
        # GitHub is a folder, so that addresses are typed as they stand; an editor keeps the text that it is given.
        git = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{self.hub}/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
            "GIT_EDITOR": "true",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith((*STEERS, "MAKE"))}
        path = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**kept, **WHO, **git, **path, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
