from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from scripts.cli import github_runner, output


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of a workflow run; where its summary goes."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output.txt"))
    return tmp_path / "summary.md"


def parsed(text: str) -> dict[str, str]:
    """Outputs as the runner reads them: NAME<<MARK, lines, MARK."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, mark = line.split("<<", 1)
        value = []
        for part in lines:
            if part == mark:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200))
def test_an_output_is_what_was_given(text: str) -> None:
    """Whatever an output holds, newlines and marks included, the runner reads that one output and no other."""
    import os
    import tempfile
    from unittest.mock import patch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        with patch.dict(os.environ, {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(path)}):
            github_runner.output("value", text)
        read = path.read_bytes().decode()

    assert {"value": text} == parsed(read)


def test_outside_of_a_workflow_nothing_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a laptop there are no commands, and no files are written."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with github_runner.disable_workflow_commands():
        github_runner.output("a", "b")
        github_runner.summary("text")

    assert "" == capsys.readouterr().out


def test_a_summary_stays_under_its_limit(page: Path) -> None:
    """GitHub drops a summary over 1 MiB whole: ours is cut at a line, once, and says so."""
    for _ in range(5):
        github_runner.summary("a line of some length\n" * 20_000)

    text = page.read_text()
    assert len(text.encode()) <= 2**20
    assert 1 == text.count("cut here")
    assert {"a line of some length"} == set(text.split("\n\n_The")[0].split("\n")) - {""}


@pytest.mark.usefixtures("page")
def test_text_from_data_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything printed stands between stop-commands and its token, which cannot be foreseen."""
    with github_runner.disable_workflow_commands():
        output.say("::set-output name=retrain::true", "::add-mask::x")
    out = capsys.readouterr().out.splitlines()

    token = out[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert f"::{token}::" == out[-1]
    assert ["::set-output name=retrain::true", "::add-mask::x"] == out[1:-1]


def test_an_error_marks_the_file_it_is_about(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error about a model's file is an annotation on that file, in one line, and stands in the summary."""
    with github_runner.disable_workflow_commands():
        output.error(ConfigError("model/flights/model.toml: unknown key 'a,b'.\n::error::x", fix="Mend it."))
    out = capsys.readouterr().out.splitlines()

    marked = [line for line in out if line.startswith("::error ")]
    assert 1 == len(marked)
    assert "file=model/flights/model.toml" in marked[0]
    assert "%0A%3A%3Aerror" in marked[0]
    assert "::error::x" not in [line.strip() for line in out]
    assert "Mend it" in page.read_text()


def test_lines_after_the_first_are_folded(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A result of several lines is a group under its first line; the summary has them all, escaped."""
    output.show({}, ["flights: retrain", "  because <b>@you</b>"], as_json=False)
    out = capsys.readouterr().out

    assert "::group::flights: retrain" in out
    assert "### flights: retrain" in page.read_text()
    assert "<b>" not in page.read_text().replace("\\<b", "")
