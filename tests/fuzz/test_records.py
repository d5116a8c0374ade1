"""Every record that is written to a file comes back whole, or is refused by our own error."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.github import GitHubContext
from core.config.settings import Settings
from core.errors import RecordError
from core.records import Record
from tests.fuzz.damage import attempt, damaged_bytes, damaged_trees
from tests.fuzz.making import made

PACKAGES = ("core", "monitoring", "model", "review")
NEVER_WRITTEN = {Settings, GitHubContext}  # they hold places and a token of this machine


def records() -> Iterator[type[Record]]:
    """Every class of record there is."""
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            if not module.ispkg:
                importlib.import_module(module.name)
    known = [*Record.__subclasses__()]
    while known:
        cls = known.pop()
        known += cls.__subclasses__()
        if cls.__module__.startswith(tuple(f"{package}." for package in PACKAGES)):
            yield cls


WRITTEN = sorted({*records()} - NEVER_WRITTEN, key=lambda cls: cls.__name__)
any_record = st.sampled_from(WRITTEN).flatmap(made)


@given(any_record)
def test_every_record_survives_its_json(record: Record) -> None:
    """What is read is what was written, for every class and any values its fields allow."""
    text = record.to_json()

    assert text == type(record).from_json(text).to_json()


@given(st.data())
def test_a_damaged_record_is_refused_or_whole(data: st.DataObject) -> None:
    """A value that is unknown, missing, huge, deep or of another type, a byte that is cut or changed: our error."""
    record = data.draw(any_record)
    text = record.to_json()
    damaged = data.draw(damaged_trees(json.loads(text)).map(json.dumps) | damaged_bytes(text))

    read = attempt(lambda: type(record).from_json(damaged), RecordError)
    assert read is None or read.to_json() == type(record).from_json(read.to_json()).to_json()


@given(any_record, st.sampled_from(WRITTEN))
def test_a_record_of_another_class_is_refused(record: Record, other: type[Record]) -> None:
    """The file of one stage is never taken for that of another, however alike their fields are."""
    if other is not type(record):
        with pytest.raises(RecordError):
            other.from_json(record.to_json())
