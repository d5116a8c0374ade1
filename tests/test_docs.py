"""README and docs cannot lie: what they name exists, and what exists is in them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from core import errors
from core.config.model import ModelConfig
from core.config.settings import parse_config
from scripts.app import COMMANDS, app

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "tests" / "example"  # pages may name the example also where model/ has it no longer
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLES = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
KEYS = (ROOT / "docs" / "your-model.md").read_text(encoding="utf-8")
NAMES = [name for names in COMMANDS.values() for name in names]
CLI = typer.main.get_command(app)
DOCS = sorted((ROOT / "docs").glob("*.md"))
ROOMS = "core|monitoring|training|registry|review|stages|scripts|model|dags|bench|tests|docs"
PLANTS = {"test_upgrade.py", "test_ci_scope.py"}  # they name files that they make up
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LISTED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
TEXTS = [ROOT / name for name in LISTED if name.endswith((".py", ".md", ".toml", ".yml", ".jinja", "Makefile"))]
TEXTS = [path for path in TEXTS if path.is_file() and path.name not in PLANTS]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_documented(name: str) -> None:
    """A command has a row in docs/commands.md, a help text with an example, and help for each option."""
    command = CLI.commands[name]  # type: ignore[attr-defined]

    assert f"| `mlops {name}` |" in TABLES
    assert f"Example: mlops {name}" in (command.help or "")
    assert [] == [option.name for option in command.params if not getattr(option, "help", None)]
    assert [] == [option.name for option in command.params if "[" in getattr(option, "help", "")]  # taken for markup


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    """What a page tells the reader to type can be typed."""
    typed = re.findall(r"mlops ([a-z]+)((?: --[a-z-]+(?: [A-Z]+)?)*)", page.read_text(encoding="utf-8"))

    for name, options in typed:
        assert name in NAMES
        known = {opt for param in CLI.commands[name].params for opt in param.opts}  # type: ignore[attr-defined]
        assert {word for word in options.split() if word.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_recipe_in_the_docs_exists(page: Path) -> None:
    """A `make` recipe that a page names is in the Makefile."""
    recipes = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text(encoding="utf-8"))) <= recipes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_in_the_docs_exists(page: Path) -> None:
    """Links to files of the repository, and paths of code, lead somewhere."""
    text = page.read_text(encoding="utf-8").replace("NAME", "flights")
    linked = {page.parent / path for path in re.findall(r"\]\(([^)#:]+)\)", text)}
    named = {ROOT / path for path in re.findall(rf"`((?:{ROOMS})/[\w./]+)`", text)}

    absent = [path.resolve() for path in linked | named if not path.exists() and path.name != "production.json"]
    assert [] == [str(path) for path in absent if not (EXAMPLE / path.relative_to(ROOT)).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_in_the_docs_exists(page: Path) -> None:
    """A test that a page names as proof can be run."""
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8")):
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """The table of docs/commands.md lists exactly the codes that commands end with."""
    listed = {int(code) for code in re.findall(r"^\| (\d) \|", TABLES, re.MULTILINE)}
    used = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert used | {0} == listed


def test_the_readme_is_short() -> None:
    """It has at most 120 lines, with its tables and examples."""
    assert len(README.splitlines()) <= 120


def test_every_workflow_is_documented() -> None:
    """docs/commands.md has a row for each workflow, and names none that does not exist."""
    rows = TABLES.partition("## Workflows")[2].partition("\n## ")[0]

    assert {path.stem for path in WORKFLOWS} == set(re.findall(r"^\| `([a-z-]+)` \|", rows, re.MULTILINE))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_in_a_text_exists(path: Path) -> None:
    """A file of a room that a page, workflow, comment or docstring names exists where the text says."""
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"(?<![\w/.}}-])(?:{ROOMS})/[\w./-]+\.(?:py|md|toml|jinja)\b", text)

    paths = [Path(name.replace("NAME", "flights")) for name in named]
    assert [] == [str(path) for path in paths if not (ROOT / path).exists() and not (EXAMPLE / path).exists()]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_opens_with_what_it_is_for(page: Path) -> None:
    """The first paragraph below the title says what the page explains, and who reads it when."""
    title, opening = page.read_text(encoding="utf-8").split("\n\n")[:2]

    assert title.startswith("# ")
    assert re.match(
        r"This page (explains|shows|lists) .+\. Read it (before|when|if|to|once) ", " ".join(opening.split())
    )


def test_the_index_lists_every_page_once() -> None:
    """docs/README.md has a line for each page of docs/, in four groups."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\| \[([\w-]+\.md)\]\(\1\) \|", index)

    assert ["Start", "Operate", "Understand", "Extend"] == re.findall(r"^## (.+)", index, re.MULTILINE)
    assert sorted(listed) == [page.name for page in DOCS if page.name != "README.md"]


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_anchor_in_the_docs_exists(page: Path) -> None:
    """A link to a part of a page leads to a heading of that page."""
    links = re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text(encoding="utf-8"))

    assert [] == [link for link in links if link[1] not in headings(page.parent / link[0] if link[0] else page)]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_links_a_word_to_the_glossary_once(page: Path) -> None:
    """Only where the word is used first: more links would make the page harder to read."""
    terms = re.findall(r"\(glossary\.md#([\w-]+)\)", page.read_text(encoding="utf-8"))

    assert len(terms) == len(set(terms))


def test_the_readme_says_of_others_what_their_page_says() -> None:
    """A row about others is a row of docs/peers.md, where a test shows it or where others are ahead."""
    rows = re.findall(r"^(\| [^`|]+(?: \| [a-z ]+){7}) \|$", README, re.MULTILINE)
    page = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8").splitlines()

    assert 5 == len(rows)
    assert [] == [row for row in rows if not any(line.startswith(f"{row} | `tests/") for line in page)]
    ahead = README.partition("| who is ahead | here |\n| --- | --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    assert 3 == len(ahead)
    assert set(ahead) <= set(page)


def keys(section: object, path: str = "") -> list[tuple[str, object]]:
    """Every key of the config with its default."""
    found: list[tuple[str, object]] = []
    for name, field in section.model_fields.items():  # type: ignore[attr-defined]
        if hasattr(field.annotation, "model_fields") and name != "columns":
            found += keys(field.annotation, f"{path}{name}.")
        elif path + name != "name":
            found.append((path + name, field.default))
    return found


@pytest.mark.parametrize(("key", "default"), keys(ModelConfig))
def test_every_key_is_documented_with_its_default(key: str, default: object) -> None:
    """docs/your-model.md has a row for each key, and the default it names is the one in the code."""
    row = next((line for line in KEYS.splitlines() if line.startswith("|") and f"`{key}`" in line.split("|")[1]), "")

    assert row
    if isinstance(default, bool | int | float | str):
        assert str(default).lower() == row.split("|")[2].strip().strip("`")


@pytest.mark.parametrize("excerpt", re.findall(r"```toml\n(.*?)```", KEYS, re.DOTALL))
def test_every_excerpt_of_a_config_is_valid(excerpt: str) -> None:
    """What docs/your-model.md says to write in model.toml is accepted, with what every model needs put before it."""
    needed = 'registry_name = "m"\ndata.source = "m.db"\ndata.numeric = ["a"]\n'
    body = re.sub(r"^\[data\]\n(\w+)", r"data.\1", excerpt, flags=re.MULTILINE)
    head, *tables = re.split(r"(?=^\[)", body, flags=re.MULTILINE)

    assert parse_config(needed + head + "".join(tables), "m").name == "m"
