"""Check of a model's zip by its index, before any file in it is read.

A training stores files uncompressed. So a compressed file was not written by a training, and only unpacking it would
show whether it is a zip bomb. Overlapping files are the other way to make a small file unpack to a large one.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable

from core.errors import RegistryError

PLAIN_NAME = re.compile(r"[\w-]+(\.\w+)?", re.ASCII)
SHOWN = 3
TAMPERED = "The files were changed after the training, or the download is damaged."
RETRAIN = "Do not serve it. Find out who can write to the artifact store, and train again."


def check(name: str, data: bytes) -> None:
    """Make sure that `data`, the file `name` of a model, is a zip as a training writes it.

    Raises:
        RegistryError: it is not a zip, or an entry is not an uncompressed file with a plain and unique name.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as err:
        raise _refused(f"{name} is not a skops file: {err}.") from err
    names = [entry.filename for entry in entries]
    _refuse(f"{name} of the model has invalid names", (entry for entry in names if not PLAIN_NAME.fullmatch(entry)))
    _refuse(f"{name} of the model has links", (entry.filename for entry in entries if _is_special(entry)))
    _refuse(f"{name} of the model has duplicate names", (entry for entry, count in Counter(names).items() if count > 1))
    packed = (
        f"{entry.filename} ({entry.compress_size:,} bytes that unpack to {entry.file_size:,})"
        for entry in entries
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size
    )
    _refuse(f"{name} of the model has compressed files", packed)
    size = sum(entry.file_size for entry in entries)
    if size > len(data):
        raise _refused(f"{name} would unpack to {size:,} bytes, but has {len(data):,}.")


def _is_special(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is marked as a link, a device or a folder."""
    return stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG} or entry.is_dir()


def _refuse(what: str, entries: Iterable[str]) -> None:
    problems = list(dict.fromkeys(entries))
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise _refused(f"{what}: {', '.join(problems[:SHOWN])}{more}.")


def _refused(what: str) -> RegistryError:
    return RegistryError(what, why=TAMPERED, fix=RETRAIN)
