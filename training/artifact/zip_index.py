"""Judge a model's zip by its index, before anything in it is read: it can hold no more than it shows, and lead nowhere.

Our training stores files as they are. So whatever is packed is another's work, and a zip bomb cannot be told from it
without unpacking it; files that overlap are the other way to make little seem much.
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
TAMPERED = "Somebody changed the files after the training, or the download is damaged."
RETRAIN = "Do not serve it. Find out who can write to the artifact store, and train again."


def check(name: str, data: bytes) -> None:
    """Make sure that `data`, the file `name` of a model, is a zip as our training writes it.

    Raises:
        RegistryError: it is none, or holds something else than plainly named files, each once and as it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as err:
        raise _refused(f"{name} is not a skops file: {err}.") from err
    names = [entry.filename for entry in entries]
    _refuse(f"The model has strange names in its {name}", (one for one in names if not PLAIN_NAME.fullmatch(one)))
    _refuse(f"The model has links in its {name}", (one.filename for one in entries if _is_special(one)))
    _refuse(f"The model has names twice in its {name}", (one for one, times in Counter(names).items() if times > 1))
    packed = (one for one in entries if one.compress_type != zipfile.ZIP_STORED or one.file_size != one.compress_size)
    _refuse(
        f"The model has packed files in its {name}",
        (f"{one.filename} ({one.compress_size:,} bytes that say they unpack to {one.file_size:,})" for one in packed),
    )
    size = sum(entry.file_size for entry in entries)
    if size > len(data):
        raise _refused(f"{name} would unpack to {size:,} bytes, but has {len(data):,}.")


def _is_special(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry says that it is a link, a device or a folder."""
    return stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG} or entry.is_dir()


def _refuse(what: str, found: Iterable[str]) -> None:
    problems = list(dict.fromkeys(found))
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise _refused(f"{what}: {', '.join(problems[:SHOWN])}{more}.")


def _refused(what: str) -> RegistryError:
    return RegistryError(what, why=TAMPERED, fix=RETRAIN)
