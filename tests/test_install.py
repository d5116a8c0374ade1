"""`make setup` installs what the lock file names, by its hashes, and nothing else; so do the jobs of the workflows."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
INSTALLERS = ["pip", "uv"]


def wheel(folder: Path, *needs: str) -> str:
    """Write the wheel of a package `tiny`, and give its hash."""
    files = {
        "tiny.py": "",
        "tiny-1.0.dist-info/METADATA": "\n".join(
            ["Metadata-Version: 2.1", "Name: tiny", "Version: 1.0", *(f"Requires-Dist: {need}" for need in needs), ""]
        ),
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        for name, text in files.items()
    }
    record = [f"{name},sha256={digests[name]},{len(text)}" for name, text in files.items()]
    files["tiny-1.0.dist-info/RECORD"] = "\n".join([*record, "tiny-1.0.dist-info/RECORD,,", ""])
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment, which pip needs seconds to make: the refusals below begin with copies of it."""
    folder = tmp_path_factory.mktemp("pip") / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


def setup(folder: Path, lock: str, installer: str, environment: Path | None = None) -> tuple[str, bool]:
    """Run the Makefile's own recipe, with a folder as the only index; what it said, and whether `tiny` is there.

    Without uv a copy of `environment`, if it is given, takes the place of the one that the recipe would make.
    """
    uv = shutil.which("uv") if installer == "uv" else ""
    if uv is None:
        pytest.skip("uv is not installed")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "some.lock").write_text(lock)
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE"))}
    words = ["make", "setup", "LOCK=some.lock", f"UV={uv}", f"PYTHON={sys.executable}"]
    if environment and installer == "pip":
        words.append(f"venv=cp -R '{environment}' $(1)")
    ran = subprocess.run(words, cwd=folder, env={**kept, **index}, check=False, capture_output=True, text=True)
    assert ran.returncode != 0, "the project itself cannot be installed from here"
    assert not (folder / ".venv" / ".installed").exists()
    return ran.stdout + ran.stderr, bool(list(folder.glob(".venv/lib/*/site-packages/tiny.py")))


@pytest.mark.parametrize("installer", INSTALLERS)
def test_what_the_lock_names_is_installed(tmp_path: Path, installer: str) -> None:
    """With the right hash a package is installed: the refusals below are about hashes."""
    _, there = setup(tmp_path, f"tiny==1.0 --hash=sha256:{wheel(tmp_path)}\n", installer)

    assert there


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize("lock", [f"tiny==1.0 --hash=sha256:{'0' * 64}\n", "tiny==1.0\n"])
def test_another_hash_or_none_is_refused(tmp_path: Path, environment: Path, lock: str, installer: str) -> None:
    """A package that is not the one whose hash was written down, or for which none was, is not installed."""
    wheel(tmp_path)
    said, there = setup(tmp_path, lock, installer, environment)

    assert not there
    assert re.search(r"hash|==", said, re.IGNORECASE), said


@pytest.mark.parametrize("installer", INSTALLERS)
def test_what_the_lock_does_not_name_is_refused(tmp_path: Path, environment: Path, installer: str) -> None:
    """What a locked package asks for besides is not fetched: the whole is refused."""
    _, there = setup(tmp_path, f"tiny==1.0 --hash=sha256:{wheel(tmp_path, 'more')}\n", installer, environment)

    assert not there


def test_jobs_install_by_the_same_recipe() -> None:
    """No workflow and no action installs in another way: each `pip` and `uv` in them would be another one."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / ".github").rglob("*.yml")}
    others = [str(path) for path, text in texts.items() if re.search(r"\b(pip|uv|uvx|pipx|npm|npx) \w", text)]
    setups = [path.parent.name for path, text in texts.items() if "make setup" in text]

    assert ([], ["setup"]) == (others, setups)


def test_every_requirement_of_the_locks_has_hashes() -> None:
    """Each line of both lock files pins one version, and is followed by hashes."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

        assert lines
        assert [] == [line[:80] for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]


def test_the_sbom_lists_what_jobs_install(tmp_path: Path) -> None:
    """`make sbom` writes each package of the shorter lock with its version and hashes, and no other."""
    pytest.importorskip("cyclonedx_py", reason="the environment is older than the lock: type `make setup`")
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "installed").touch()
    words = ["make", "sbom", "STAMP=installed", "LOCK=requirements.lock", f"BIN='{Path(sys.executable).parent}'"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    found = json.loads((tmp_path / "dist" / "sbom.json").read_text())
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)

    assert "CycloneDX" == found["bomFormat"]
    assert sorted(locked) == sorted((one["name"], one["version"]) for one in found["components"])
    assert [] == [one["name"] for one in found["components"] if not hashes(one)]


def hashes(component: dict[str, Any]) -> list[str]:
    """The hashes of a component's files."""
    places = component.get("externalReferences", [])
    return [one["content"] for place in places for one in place.get("hashes", [])]
