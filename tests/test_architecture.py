"""The folder is the diagram: these tests keep the code to the order, the edges and the sizes that it promises."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("core", "monitoring", "model", "review", "scripts")
EDGES = {
    "monitoring.source": {"sqlite3", "adbc_driver_manager"},
    "monitoring.sqlite": {"sqlite3"},
    "monitoring.files": {"sqlite3"},
    "monitoring.adbc": {"adbc_driver_manager"},
    "monitoring.warehouse": {"adbc_driver_manager"},
    "monitoring.tables": {"sqlite3", "adbc_driver_postgresql"},
    "monitoring.log": {"sqlite3", "adbc_driver_postgresql"},
    "model.store": {"mlflow"},
    "model.tracking": {"mlflow"},
    "model.trainings": {"mlflow"},
    "model.kept": {"mlflow"},
    "model.registry": {"mlflow"},
    "model.stages": {"mlflow"},
    "model.events": {"mlflow"},
    "model.quality": {"great_expectations"},
    "review.git": {"subprocess"},
    "review.local": {"subprocess"},
    "review.api": {"github", "requests"},
    "review.commits": {"github"},
    "review.github": {"github"},
    "review.threads": {"github"},
    "review.setup": {"github"},
    "review.notify": {"apprise"},
}
OUTSIDE = {"mlflow", "great_expectations", "sqlite3", "subprocess", "requests", "socket", "github", "apprise"} | {
    "adbc_driver_manager",
    "adbc_driver_postgresql",
}
CALLS = {"urllib.request", "http.client"}
PICKLES = {"pickle", "cloudpickle", "joblib", "dill", "shelve"}
HEAVY = ("mlflow", "great_expectations", "sklearn", "pandas", "scipy", "matplotlib", "numpy", "pyarrow")
SOURCES = sorted(p for part in ORDER for p in (ROOT / part).rglob("*.py") if "pipeline.py" not in p.name)
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def module(path: Path) -> str:
    """The dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """The nodes below `if TYPE_CHECKING:`, which do nothing when the program runs."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return {node for block in blocks for node in ast.walk(block)}


def imports(path: Path, *, at_run_time: bool = False) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    tree = TREES[path]
    skipped = for_types_only(tree) if at_run_time else set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_imports_point_down(path: Path) -> None:
    """A part imports only itself and the parts below it: core <- monitoring <- model <- review <- scripts."""
    rank = ORDER.index(path.relative_to(ROOT).parts[0])
    upwards = {name for name in imports(path) if name.split(".")[0] in ORDER[rank + 1 :]}

    assert set() == upwards


def test_there_are_no_cycles() -> None:
    """No module needs, at run time, a module that needs it."""
    known = {module(path): path for path in SOURCES}
    needs = {name: imports(path, at_run_time=True) & set(known) - {name} for name, path in known.items()}
    while free := [name for name, other in needs.items() if not other & set(needs)]:
        for name in free:
            del needs[name]

    assert {} == needs


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_only_edges_talk_to_the_outside(path: Path) -> None:
    """MLflow, Great Expectations, databases and processes are each reached from their own module only."""
    if path.is_relative_to(ROOT / "scripts"):
        return
    used = imports(path, at_run_time=True)
    outside = ({name.split(".")[0] for name in used} & OUTSIDE) | (used & CALLS)

    assert outside <= EDGES.get(module(path), set())


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_only_scripts_import_edges(path: Path) -> None:
    """What decides is pure: edges are imported by scripts, and by the other edges of the same system."""
    if path.is_relative_to(ROOT / "scripts"):
        return
    own = EDGES.get(module(path), set())
    used = {name for name in imports(path, at_run_time=True) & set(EDGES) if not EDGES[name] & own}

    assert set() == used


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has at most 200 lines, a function 40 beside its docstring, and a module says why it exists."""
    tree = TREES[path]
    long = {
        node.name: size
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := node.end_lineno - node.lineno + 1 - len((ast.get_docstring(node) or "").splitlines())) > 40  # type: ignore[operator]
    }

    assert {} == long
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 200
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", [p for p in SOURCES if "scripts" not in p.parts], ids=module)
def test_the_clock_is_an_argument(path: Path) -> None:
    """Below scripts nobody asks what time it is, so that a year can be replayed."""
    asked = {
        node.attr
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "time_ns"}
    }

    assert set() == asked


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_nothing_is_pickled(path: Path) -> None:
    """Loading a pickle runs whatever is in it: no module imports one of its kind."""
    assert set() == {name.split(".")[0] for name in imports(path)} & PICKLES


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
