"""Base class of all records: frozen, strict, versioned, and written as JSON between jobs."""

from __future__ import annotations

import os
import tempfile
import textwrap
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from core.errors import OutsideError, RecordError

# Otherwise pydantic looks for plugins in every installed package at the first record: a tenth of a command's start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class Record(BaseModel):
    """Base of every record. Values never change, unknown fields are errors, nothing is converted silently.

    A record in a file has its class name and `VERSION`, so a file of another stage or release is an error that names
    it. `READS` has the older versions that can be read.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, ser_json_inf_nan="constants"
    )
    VERSION: ClassVar[int] = 1
    READS: ClassVar[tuple[int, ...]] = ()

    def to_json(self) -> str:
        """Return the record as one JSON object, `"record": "NAME/VERSION"` ahead of its fields, ending in a newline."""
        body = self.model_dump_json(indent=1).removeprefix("{").lstrip("\n")
        return f'{{\n "record": "{self.stamp()}"{"," if body != "}" else ""}\n{body}\n'

    @classmethod
    def stamp(cls) -> str:
        """Return class name and version, as in `Decision/1`."""
        return f"{cls.__name__}/{cls.VERSION}"

    @classmethod
    def from_json(cls, text: str | bytes, *, origin: str = "record") -> Self:
        """Return the record in the output of `to_json`.

        Raises:
            RecordError: not JSON, of another class or version, or with fields that do not fit.
        """
        try:
            raw = from_json(text)
            kind = raw.pop("record")
            fields = to_json(raw, inf_nan_mode="constants")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
            raise RecordError(
                f"{origin} is not a record of this project ({type(err).__name__}).",
                why="The file is damaged, empty, or was not written by a command of this project.",
                fix="Run the stage that writes it again.",
            ) from err
        if kind not in [cls.stamp(), *(f"{cls.__name__}/{version}" for version in cls.READS)]:
            raise RecordError(
                f"{origin} holds {str(kind)[:60]!r}, expected {cls.stamp()!r}.",
                why="It comes from another stage, or from another release of the template.",
                fix="Run the stage that writes it again with this release.",
            )
        try:
            return cls.model_validate_json(fields)
        except ValidationError as err:
            raise RecordError(
                f"{origin} does not fit {cls.__name__}: {problems(err)}.",
                why="The file was edited by hand or damaged.",
                fix="Run the stage that writes it again.",
            ) from err

    def write(self, path: Path) -> None:
        """Write to `path` atomically: a reader sees the old file or the whole new one, also after a crash."""
        write_atomically(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the record in the file at `path`.

        Raises:
            RecordError: the file is missing or not such a record.
        """
        try:
            text = path.read_bytes()
        except OSError as err:
            raise RecordError(
                f"Cannot read {path}: {err.strerror}.",
                why="The stage before this one has not run here, or wrote elsewhere.",
                fix="Run it first, or name its file with --from.",
            ) from err
        return cls.from_json(text, origin=str(path))


def problems(err: ValidationError, most: int = 3) -> str:
    """Return the first few errors of pydantic on one line: key, problem, and the value found."""
    errors = err.errors(include_url=False)
    lines = [_problem(item) for item in errors[:most]]
    more = f" (and {len(errors) - most} more)" if len(errors) > most else ""
    return "; ".join(lines) + more


def _problem(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "the whole"
    value = repr(item.get("input"))
    return f"{key}: {item['msg']} (found {textwrap.shorten(value, 60, placeholder='…')})"


def write_atomically(path: Path, text: str | bytes) -> None:
    """Write a file through a temporary file in the same folder and a rename.

    Raises:
        OutsideError: the folder cannot be written.
    """
    data = text.encode() if isinstance(text, str) else text
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            name = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as err:
        if name:
            Path(name).unlink(missing_ok=True)
        raise OutsideError(
            f"Cannot write {path}: {err.strerror}.",
            why="The folder is read-only, the disk is full, or there is a file where a folder is needed.",
            fix="Free the path, or choose another with --out.",
        ) from err
