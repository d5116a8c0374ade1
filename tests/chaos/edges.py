"""Number the instants at which a command has changed something on disk, and kill it with SIGKILL at one of them.

Nothing is listed by hand. Python's audit events, SQLAlchemy's commits and the end of a command are the moments at which
we look; an instant counts where the folder is not as it was at the moment before. So an instant is at once "after write
n" and "before write n + 1", and no two of a command are alike.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MOMENTS = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime",
    "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree", "subprocess.Popen", "socket.connect",
}  # fmt: skip
GIT = {".git", "forge.git"}
Look = dict[str, tuple[int, int, int]]


@dataclass(frozen=True)
class Point:
    """An instant: its number in the command, the write before it, and whether a file of that write can be torn."""

    number: int
    write: str
    tears: bool
    torn: bool = False

    @property
    def locks(self) -> bool:
        """Whether the database is locked at it, by a transaction that is not committed yet."""
        return self.write.startswith("the start of commit")

    def __str__(self) -> str:
        return f"{self.number}{' torn' if self.torn else ''}: after {self.write}"


@dataclass(frozen=True)
class Hold:
    """Where a process waits at its point, instead of being killed: `reached` tells that it does, `go` lets it go on."""

    reached: Event
    go: Event


class Watch:
    """Looks at a folder, and, at the point it is given, ends the process as SIGKILL does: without a last word.

    With `torn` the files that were being written then lose their second half, as when the kill comes between two
    writes of one file. Databases and git repositories are left as they are: they have their own ways to be whole.
    """

    def __init__(self, folder: Path, kill: Point | None, hold: Hold | None = None) -> None:
        self.folder = str(folder)
        self.kill = kill
        self.hold = hold
        self.points: list[Point] = []
        self.before = self.look()
        self.last = "its start"
        self.active = True

    def look(self) -> Look:
        """Inode, size and time of every file."""
        found: Look = {}
        folders = [self.folder]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    kept = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                        found[entry.path] = (kept.st_ino, 0, 0)
                    else:
                        found[entry.path] = (kept.st_ino, kept.st_size, kept.st_mtime_ns)
        return found

    def moment(self, coming: str) -> None:
        """Something is about to happen: count, and perhaps kill, where the last thing has changed the folder."""
        if not self.active:
            return
        self.active = False  # what we do ourselves is no moment
        now = self.look()
        if now != self.before:
            torn = self._torn(now)
            what = f"the start of {coming}" if coming.startswith("commit") else self.last
            point = Point(1 + len(self.points), what, bool(torn))
            self.points.append(point)
            if self.kill and point.number == self.kill.number:
                self._stop(now, torn)
            self.before = now
        self.last = coming
        self.active = True

    def _stop(self, now: Look, torn: list[str]) -> None:
        if self.hold:
            self.hold.reached.set()
            self.hold.go.wait()
            return
        for path in torn if self.kill and self.kill.torn else ():
            os.truncate(path, now[path][1] // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    def _torn(self, now: Look) -> list[str]:
        """The plain files that were written since the last look. A renamed one has its inode, and was whole before."""
        inodes = {entry[0]: entry[1:] for entry in self.before.values()}
        return [
            path
            for path, (inode, size, time) in now.items()
            if size > 1
            and inodes.get(inode) != (size, time)
            and not GIT & set(path.split("/"))
            and ".db" not in path.rpartition("/")[2]
        ]


def watch(folder: Path, kill: Point | None, hold: Hold | None) -> Watch:
    """Start to watch this process; only for one that is thrown away afterwards, since audit hooks stay."""
    from sqlalchemy import event as events
    from sqlalchemy.engine import Engine
    from sqlalchemy.engine.default import DefaultDialect

    seen = Watch(folder, kill, hold)
    wrote: list[str] = []

    def audited(name: str, args: tuple[Any, ...]) -> None:
        if not seen.active:
            return
        if name == "open":
            if isinstance(args[2], int) and args[2] & WRITES and str(args[0]).startswith(seen.folder):
                seen.moment(f"opening {_short(args[0])}")
        elif name in MOMENTS:
            seen.moment(f"{name} {' '.join(_words(name, args))}"[:70])

    def executed(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
            wrote.append(" ".join(statement.split()[:3]))

    commit = DefaultDialect.do_commit

    def committed(self: Any, connection: Any) -> None:
        seen.moment(f"commit {wrote[-1] if wrote else ''}")
        commit(self, connection)
        wrote.clear()

    events.listen(Engine, "before_cursor_execute", executed)
    DefaultDialect.do_commit = committed  # type: ignore[method-assign]
    sys.addaudithook(audited)
    return seen


def _words(name: str, args: tuple[Any, ...]) -> list[str]:
    if name == "subprocess.Popen":
        told = [word for word in args[1] if not str(word).startswith(("-c", "safe.", "core."))]
        return [_short(word) for word in told[:4]]
    return [_short(word) for word in args if isinstance(word, str | Path)]


def _short(word: object) -> str:
    return str(word).rpartition("/")[2]
