"""Whatever stands in model.toml and production.json, it is read as it is meant, or refused by our own error."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.config.model import ModelConfig
from core.config.settings import load_config, parse_config
from core.errors import ConfigError, MlopsError, RecordError, RegistryError, UsageError
from monitoring.counting.window import Window
from monitoring.sources.source import open_source
from registry.promotion import manifest
from registry.promotion.manifest import Manifest
from stages.clock import instant
from tests.fuzz.damage import DEEP, OPENINGS, as_toml, attempt, damaged_bytes, damaged_trees, odd_values
from tests.fuzz.making import made
from tests.place import EXAMPLE

GOOD = (EXAMPLE / "model" / "flights" / "model.toml").read_text()
damaged_configs = damaged_bytes(GOOD) | damaged_trees(tomllib.loads(GOOD)).map(
    lambda tree: as_toml(tree).encode("utf-8", "surrogatepass")
)


@given(damaged_configs)
@example(b"a = " + b"[" * 10_000)
@example(b"a = " + b"9" * 5_000)
@example(b"a" + b".a" * 10_000 + b" = 1")
def test_a_damaged_config_is_refused_or_read_whole(text: bytes) -> None:
    """A damaged model.toml ends in ConfigError, or in a config that says the same when it is written and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model" / "flights" / "model.toml"
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
        read = attempt(lambda: load_config(Path(folder), "flights"), ConfigError)

    assert read is None or read == ModelConfig.from_json(read.to_json())


@given(made(ModelConfig))
def test_every_config_can_be_written_as_toml(config: ModelConfig) -> None:
    """What the fields of a config allow, its file can say: written as TOML and read, it is the same."""
    told = config.model_dump(mode="python", exclude={"name"}, exclude_none=True)

    assert config == parse_config(as_toml(told), config.name)


@given(odd_values.filter(lambda value: isinstance(value, str)) | st.from_regex(r"[a-z+]{1,9}://[^\n]{0,30}"))
@example("postgresql://[::1")
@example("duckdb:///" + "x" * 5000)
@example("local/" + "x" * 5000)
@example("a\0b.parquet")
def test_any_source_is_opened_or_refused(source: str) -> None:
    """A path or an address that is none, that is too long or that the system cannot spell is our error."""
    data = parse_config(GOOD, "flights").data
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        assert attempt(lambda: open_source(source, data, root, patience=0.0), MlopsError) is None


@given(st.text(max_size=40) | odd_values.map(str))
@example("../../etc/passwd")
@example("flights\n::set-output name=model::x")
def test_only_a_model_that_is_there_is_opened(name: str) -> None:
    """A model's name never leads out of the folder model/, and becomes no option, no path and no branch of its own."""
    with pytest.raises(UsageError):
        load_config(EXAMPLE, f"{name}?")
    if name != "flights":
        with pytest.raises(UsageError):
            load_config(EXAMPLE, name)


@given(st.datetimes().map(lambda moment: moment.isoformat()) | st.text(max_size=30) | odd_values.map(str))
@example("0001-01-01T00:00:00+14:00")
@example("9999-12-31T23:59:59-14:00")
def test_any_instant_is_read_or_refused(text: str) -> None:
    """--as-of is an instant in UTC with room for the windows before it, or a usage error."""
    read = attempt(lambda: instant(text), UsageError)

    assert read is None or (read[0].tzinfo == dt.UTC and 1970 <= read[0].year < 9000)


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_hundred_thousand_brackets_are_refused(opening: bytes) -> None:
    """Nesting that is deeper than Python's stack is our error in every kind of file, not a crash."""
    text = (opening * DEEP).decode()

    for read, refusal in (
        (lambda: parse_config(f"a = {text}", "flights"), ConfigError),
        (lambda: parse_config(text, "flights"), ConfigError),
        (lambda: manifest.parse(text, "flights"), RegistryError),
        (lambda: Window.from_json(text), RecordError),
    ):
        with pytest.raises(refusal):
            read()


@given(made(Manifest), st.data())
def test_a_damaged_manifest_is_refused_or_whole(made_: Manifest, data: st.DataObject) -> None:
    """A damaged production.json ends in RegistryError, or declares something that is written and read as the same."""
    text = manifest.dump(made_)
    assert made_ == manifest.parse(text, "flights")

    trees = damaged_trees(json.loads(text)).map(lambda tree: json.dumps(tree).encode())
    damaged = data.draw(trees | damaged_bytes(text))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / manifest.path("flights")
        path.parent.mkdir(parents=True)
        path.write_bytes(damaged)
        read = attempt(lambda: manifest.read(Path(folder), "flights"), RegistryError)

    assert read is None or read == manifest.parse(manifest.dump(read), "flights")
