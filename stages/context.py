"""Bring together, for one model at one instant, config, registry, forge and source, as far as a command needs them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
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
from stages.repository import find_root, only_model

if TYPE_CHECKING:
    from core.config import ModelConfig, Settings
    from monitoring.counting import Baseline
    from monitoring.sources import Source
    from registry import ModelVersion, Registry
    from registry.promotion import Manifest
    from review.forge import Forge


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


class Night:
    """One model, seen at one instant. Everything outside is opened when it is first asked for.

    Args:
        settings: where things are.
        config: the model.
        as_of: the instant, in UTC. Only days before its date count.
        live: whether `as_of` is now; otherwise rows after it are ignored, not reported as being in the future.
    """

    def __init__(self, settings: Settings, config: ModelConfig, as_of: dt.datetime, *, live: bool) -> None:
        self.settings = settings
        self.config = config
        self.as_of = as_of
        self.live = live
        self._baseline: tuple[str, Baseline] | None = None

    @classmethod
    def open(cls, model: str | None, as_of: str | None, *, root: Path | None = None) -> Night:
        """The night that the options of a command mean, in the repository around the current folder.

        Raises:
            UsageError: no repository here, or several models and none named.
        """
        from core.config import Settings, load_config

        root = root or find_root(Path.cwd())
        moment, live = instant(as_of)
        return cls(Settings.load(root), load_config(root, model or only_model(root)), moment, live=live)

    @classmethod
    def each(cls, model: str | None, as_of: str | None) -> list[Night]:
        """The nights of all models of the repository, or of the one named."""
        from core.config import model_names

        root = find_root(Path.cwd())
        return [cls.open(name, as_of, root=root) for name in ([model] if model else model_names(root))]

    @property
    def name(self) -> str:
        """The model's folder name."""
        return self.config.name

    @property
    def today(self) -> dt.date:
        """The first day that does not count yet."""
        return self.as_of.date()

    @property
    def watermark(self) -> dt.date:
        """The first day whose labels are not mature yet."""
        return self.today - self.config.training.maturity_days * DAY

    @cached_property
    def registry(self) -> Registry:
        """The MLflow registry."""
        from registry import Registry

        return Registry(self.settings.store, self.settings.artifacts)

    @cached_property
    def forge(self) -> Forge:
        """Where pull requests live."""
        return open_forge(self.settings)

    @property
    def source(self) -> Source:
        """The monitoring rows."""
        from monitoring.sources import open_source

        return open_source(self.settings.source(self.config), self.config.data, self.settings.root)

    def on_spark(self) -> Night:
        """The same night, its rows read and counted by Spark."""
        from monitoring.sources import on_spark

        settings = self.settings.model_copy(update={"monitoring_url": on_spark(self.settings.source(self.config))})
        return Night(settings, self.config, self.as_of, live=self.live)

    def at(self, as_of: dt.datetime, **changed: str) -> Night:
        """The same model at another instant, and with changed settings; registry and forge stay open."""
        other = Night(self.settings.model_copy(update=changed), self.config, as_of, live=False)
        kept: dict[str, Any] = {
            name: self.__dict__[name] for name in ("registry", "forge", "_baseline") if name in self.__dict__
        }
        vars(other).update(kept)
        return other

    @cached_property
    def champion(self) -> ModelVersion | None:
        """The version in Production, as the registry has it now."""
        return self.registry.champion(self.config.registry_name)

    def baseline(self, version: ModelVersion) -> Baseline:
        """The baseline of a version; it never changes, so the one read last is kept."""
        if self._baseline is None or self._baseline[0] != version.run_id:
            self._baseline = version.run_id, self.registry.baseline(version)
        return self._baseline[1]

    @property
    def manifest(self) -> Manifest | None:
        """What git declares in the current checkout."""
        from registry.promotion import manifest

        return manifest.read(self.settings.root, self.name)

    def file(self, name: str, given: Path | None) -> Path:
        """The file of a record: the one given, else `local/NAME/`."""
        return given or self.settings.work(self.name) / name

    def take(self, cls: type[R], name: str, given: Path | None) -> R:
        """Read the record of the stage before, and act at its instant.

        Raises:
            RecordError: it is missing, damaged, of another model, or of another day than this run.
        """
        path = self.file(name, given)
        record = cls.read(path)
        if record.model != self.name:
            raise RecordError(f"{path} is about {record.model}, not {self.name}.", fix="Name its model with --model.")
        if self.live and self.as_of - record.as_of < DAY:
            self.as_of = record.as_of
        elif self.as_of != record.as_of:
            raise RecordError(
                f"{path} is of {record.as_of.isoformat()}, this run of {self.as_of.isoformat()}.",
                why="The stage before was run for another night, or more than a day ago.",
                fix=f"Run that stage again, or add --as-of {record.as_of.isoformat()}.",
            )
        return record

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Run one stage alone, and leave a failure in the event log and in a file before it goes on to the reader."""
        work = self.settings.work(self.name)
        with exclusive_lock(work, self.name):
            (work / f"failure-{name}.json").unlink(missing_ok=True)
            try:
                yield
            except Exception as err:
                from stages import event_log

                event_log.failure(self, name, err)
                raise
