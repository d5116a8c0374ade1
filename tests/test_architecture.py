"""The folder is the diagram: what import-linter cannot say of it, and that import-linter would see a wrong import."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("core", "monitoring", "training", "registry", "review", "stages", "scripts")
PICKLES = {"pickle", "cloudpickle", "joblib", "dill", "shelve"}
LOADS_NOTHING = {"training.dask": {"joblib"}}  # only says where joblib computes
HEAVY = ("mlflow", "great_expectations", "sklearn", "pandas", "scipy", "matplotlib", "numpy", "pyarrow")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
FOLDERS = sorted({path.parent for path in SOURCES})
READS_THE_CLOCK = {"stages.clock"}
MOST_LINES, MOST_OF_FUNCTION, MOST_MODULES, MOST_OF_FACE = 400, 50, 16, 40
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
# An import that each contract must refuse: by its id, the file it is planted in, and the line.
PLANTED = {
    "rooms": ("core/days.py", "from scripts import app"),
    "core": ("core/config/gates.py", "from core.arrow import times"),
    "monitoring": ("monitoring/axes/grid.py", "from monitoring import triggers"),
    "decisions": ("monitoring/drift/report.py", "from monitoring.sources import open_source"),
    "training": ("training/artifact/zip_index.py", "from training import fit"),
    "registry": ("registry/version.py", "from registry.promotion import manifest"),
    "review": ("review/text/scales.py", "from review.pages import site"),
    "stages": ("stages/clock.py", "from stages import pull"),
    "commands": ("scripts/status.py", "from scripts.pull import pull"),
    "databases": ("training/frame.py", "import sqlite3"),
    "mlflow": ("stages/pull.py", "import mlflow"),
    "great_expectations": ("training/fit.py", "import great_expectations"),
    "dask": ("training/fit.py", "import distributed"),
    "github": ("review/pages/site.py", "import github"),
    "processes": ("review/github/api.py", "import subprocess"),
    "apprise": ("scripts/alert.py", "import apprise"),
    "sockets": ("registry/store.py", "import socket"),
}


def module(path: Path) -> str:
    """The dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module}
    return names


def lint(folder: Path) -> str:
    """What import-linter reports of the tree in a folder."""
    linter = Path(sys.executable).with_name("lint-imports")
    call = subprocess.run([linter, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return " ".join(call.stdout.split())


def test_each_contract_sees_a_planted_import(tmp_path: Path) -> None:
    """Every contract in pyproject.toml is kept by the tree, and broken by an import that it forbids."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in lint(tmp_path)
    assert set(PLANTED) == {contract["id"] for contract in CONTRACTS}
    for file, line in PLANTED.values():
        place = tmp_path / file
        place.write_text(f"{place.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    report = lint(tmp_path)
    for contract in CONTRACTS:
        assert f"{' '.join(contract['name'].split())} BROKEN" in report, contract["id"]


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_other_rooms_are_entered_by_their_face(path: Path) -> None:
    """Code outside a sub-package imports from the package, never from a module in it."""
    sub_packages = {module(folder) for folder in FOLDERS if len(folder.relative_to(ROOT).parts) > 1}
    faced = sub_packages | {"training", "registry"}
    own = module(path.parent)
    past_the_face = {
        name
        for name in imports(path)
        if (parent := name.rpartition(".")[0]) in faced
        and not (own + ".").startswith(f"{parent}.")
        and name not in faced
    }

    assert set() == past_the_face


@pytest.mark.parametrize("folder", FOLDERS, ids=module)
def test_a_folder_holds_one_idea(folder: Path) -> None:
    """A folder has at most 16 modules beside its face; a face has at most 40 lines, and nothing but names."""
    face = folder / "__init__.py"
    tree = TREES[face]
    code = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr)]

    assert len([path for path in folder.glob("*.py") if path != face]) <= MOST_MODULES
    assert len(face.read_text(encoding="utf-8").splitlines()) <= MOST_OF_FACE
    assert [] == code


def test_a_class_name_has_one_meaning() -> None:
    """No public class name is used twice."""
    names = Counter(
        node.name
        for tree in TREES.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )

    assert {} == {name: count for name, count in names.items() if count > 1}


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has at most 400 lines, a function 50 beside its docstring, and a module says what is in it."""
    tree = TREES[path]
    long = {
        node.name: size
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or 0) - node.lineno + 1 - len((ast.get_docstring(node) or "").splitlines()))
        > MOST_OF_FUNCTION
    }

    assert {} == long
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", [p for p in SOURCES if "scripts" not in p.parts], ids=module)
def test_the_clock_is_an_argument(path: Path) -> None:
    """Below scripts only stages.clock asks what time it is, so that a year can be replayed."""
    asked = {
        node.func.attr
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today", "time_ns"}
    }

    assert not asked or module(path) in READS_THE_CLOCK


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_nothing_is_pickled(path: Path) -> None:
    """Loading a pickle runs whatever is in it: no module imports one of its kind."""
    used = {name.split(".")[0] for name in imports(path)} & PICKLES

    assert LOADS_NOTHING.get(module(path), set()) == used


def test_model_holds_models_only() -> None:
    """The folder of a team's models has no file of the engine, and is no package."""
    listed = subprocess.run(["git", "ls-files", "model"], cwd=ROOT, capture_output=True, text=True, check=True)

    folders = {Path(name).parts[1] for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert [] == [name for name in folders if not (ROOT / "model" / name / "model.toml").is_file()]


def test_help_loads_nothing_heavy() -> None:
    """`mlops --help` answers at once because it imports none of the large libraries."""
    code = (
        "import sys\nfrom scripts.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(sorted(set({HEAVY!r}) & set(sys.modules))))"
    )
    call = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "" == call.stderr.strip()
    assert "promote" in call.stdout
