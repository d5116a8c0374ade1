"""Commands in copies of a loaded process are as apart from one another as those of a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MLOPS = Path(__file__).parent / "standins" / "local" / "setup" / "mlops"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose mlops says what it is given."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "__init__.py").write_text("")
    (tmp_path / "scripts" / "__main__.py").write_text(
        "import os, subprocess, sys\n"
        "loaded = 'mlflow' in sys.modules\n"
        "print(loaded, sys.argv[1:], os.environ.get('MARK'), os.getcwd(), sys.stdin.read())\n"
        "print('an error', file=sys.stderr)\n"
        "assert subprocess.run(['false']).returncode == 1\n"
        "os.environ['MARK'] = sys.argv[1]\n"
        "sys.exit({'no': 3, 'text': 'a text'}.get(sys.argv[1], 0)) if sys.argv[1] != 'raise' else 1 / 0\n"
    )
    return tmp_path


def run(checkout: Path, socket: Path | str, *words: str) -> subprocess.CompletedProcess[str]:
    """A step that calls mlops."""
    own = {"PATH": os.environ["PATH"], "ACT_PYTHON": sys.executable, "GITHUB_WORKSPACE": str(checkout)}
    env = {**own, "ACT_WARM": str(socket)}
    return subprocess.run(
        (MLOPS, *words), cwd=checkout, env=env, input="given", capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("word", "code"), [("yes", 0), ("no", 3), ("text", 1), ("raise", 1)])
def test_a_command_is_the_same_with_libraries_loaded(loaded: Path, checkout: Path, word: str, code: int) -> None:
    """Words, folder, streams, environment and exit code are those of a process of its own, and stay its own."""
    cold, warm = (run(checkout, socket, word, "two words") for socket in ("", loaded))

    assert f"False ['{word}', 'two words'] None {checkout} given\n" == cold.stdout
    assert cold.stdout.replace("False", "True", 1) == warm.stdout
    assert code == cold.returncode == warm.returncode
    assert "an error" in warm.stderr
    assert ("a text" in cold.stderr) == ("a text" in warm.stderr)
    assert ("ZeroDivisionError" in cold.stderr) == ("ZeroDivisionError" in warm.stderr)
