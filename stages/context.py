"""The run of a command: one model at one instant, with ports that are opened when a stage first uses them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from core.days import DAY
from core.errors import RecordError
from core.failure import Stage
from stages.clock import instant
from stages.connect import open_forge
from stages.lock import exclusive_lock
from stages.ports import Run
from stages.repository import find_root, head_author, head_commit, only_model, require_top_level, uncommitted

if TYPE_CHECKING:
    from monitoring.sources import Source
    from registry.promotion import Manifest
    from review.forge import Forge
    from stages.mlflow_registry import MlflowRegistry


class StageRecord(Protocol):
    """What every record between stages has."""

    @property
    def model(self) -> str:
        """The model's folder name."""

    @property
    def as_of(self) -> dt.datetime:
        """The instant that the stage acted at."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it from a file."""


R = TypeVar("R", bound=StageRecord)


class Night(Run):
    """A run in a repository, with MLflow, the forge and the monitoring source that its settings name."""

    @classmethod
    def open(cls, model: str | None, as_of: str | None, *, root: Path | None = None) -> Night:
        """Return the run that a command's options describe, in the repository around the current folder.

        Raises:
            UsageError: there is no repository here, or several models and none is named.
        """
        from core.config import Settings, load_config

        root = root or find_root(Path.cwd())
        moment, live = instant(as_of)
        return cls(Settings.load(root), load_config(root, model or only_model(root)), moment, live=live)

    @classmethod
    def each(cls, model: str | None, as_of: str | None) -> list[Night]:
        """Return the runs of all models of the repository, or of the named one."""
        from core.config import model_names

        root = find_root(Path.cwd())
        return [cls.open(name, as_of, root=root) for name in ([model] if model else model_names(root))]

    @cached_property
    def registry(self) -> MlflowRegistry:
        """The MLflow registry."""
        from stages.mlflow_registry import MlflowRegistry

        return MlflowRegistry(self.settings.store, self.settings.artifacts)

    @cached_property
    def forge(self) -> Forge:
        """The home of pull requests: GitHub, or a bare git repository.

        Raises:
            ConfigError: the template is in a subfolder of a git repository.
        """
        require_top_level(self.settings.root)
        return open_forge(self.settings)

    @property
    def source(self) -> Source:
        """The monitoring rows."""
        from monitoring.sources import open_source

        return open_source(self.settings.source(self.config), self.config.data, self.settings.root)

    @property
    def manifest(self) -> Manifest | None:
        """What git declares in the current checkout."""
        from registry.promotion import manifest

        return manifest.read(self.settings.root, self.name)

    @property
    def commit(self) -> str:
        """The commit that is checked out, as 40 hex digits; empty if the repository is not under git."""
        return head_commit(self.settings.root)

    @property
    def author(self) -> str:
        """Who made the commit that is checked out; empty if the repository is not under git."""
        return head_author(self.settings.root)

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """The files behind the model that differ from the commit."""
        return uncommitted(self.settings.root, self.name)

    def on_spark(self) -> Night:
        """Return the same run with rows that are read and counted by Spark."""
        from monitoring.sources import on_spark

        settings = self.settings.model_copy(update={"monitoring_url": on_spark(self.settings.source(self.config))})
        return Night(settings, self.config, self.as_of, live=self.live)

    def at(self, as_of: dt.datetime, **changed: str) -> Night:
        """Return a run of the same model at another instant, with changed settings; registry and forge stay open."""
        other = Night(self.settings.model_copy(update=changed), self.config, as_of, live=False)
        kept: dict[str, Any] = {
            name: self.__dict__[name] for name in ("registry", "forge", "_baseline") if name in self.__dict__
        }
        vars(other).update(kept)
        return other

    def file(self, name: str, path: Path | None) -> Path:
        """Return the path of a record: `path` if given, else its place in `local/NAME/`."""
        return path or self.settings.work(self.name) / name

    def write(self, name: str, text: Callable[[], str], path: Path | None = None) -> None:
        """Write a file for the next stage or for people."""
        from core.records import write_atomically

        write_atomically(self.file(name, path), text())

    def read_record(self, cls: type[R], name: str, path: Path | None) -> R:
        """Read the record of the stage before, and continue at its instant.

        Raises:
            RecordError: it is missing, damaged, of another model, or of another day than this run.
        """
        path = self.file(name, path)
        record = cls.read(path)
        if record.model != self.name:
            raise RecordError(f"{path} is about {record.model}, not {self.name}.", fix="Name its model with --model.")
        if self.live and (self.as_of - record.as_of < DAY or self._same_workflow_run):
            self.as_of = record.as_of
        elif self.as_of != record.as_of:
            raise RecordError(
                f"{path} is of {record.as_of.isoformat()}, this run of {self.as_of.isoformat()}.",
                why="The stage before ran for another night, or more than a day ago.",
                fix=f"Run that stage again, or add --as-of {record.as_of.isoformat()}.",
            )
        return record

    @property
    def _same_workflow_run(self) -> bool:
        """Whether the records are of this workflow run, so that a job that is run again days later continues it."""
        return self.settings.hub is not None and self.settings.hub.run_url is not None

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Hold the model's lock for one stage. An error goes to a file and to the event log before it is raised."""
        work = self.settings.work(self.name)
        with exclusive_lock(work, self.name):
            (work / f"failure-{name}.json").unlink(missing_ok=True)
            try:
                yield
            except Exception as err:
                from stages import event_log

                event_log.failure(self, name, err)
                raise
