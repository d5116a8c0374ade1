"""Count the rows of a replay once for each baseline, and let policies share what they would count and judge alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from core.config import DriftTrigger, ModelConfig
from core.days import DAY, midnight
from core.quality_report import QualityReport
from monitoring.counting import Baseline, DayTally, Window, build_window, days_needed, tally
from monitoring.drift import DriftReport, drift_report
from stages.replay.fits import Champion
from stages.replay.rows import ReplayRows, ServedRows

CheckWindow = Callable[[Window, ModelConfig, Baseline], QualityReport]


@dataclass
class ReplayCounts:
    """All tallies of a replay, the oldest forgotten, and what was judged by them tonight.

    Args:
        rows: of the replay.
        columns: all columns that the source has.
        check: the expectation suite for windows.
    """

    rows: ReplayRows
    columns: Collection[str]
    check: CheckWindow
    _days: dict[tuple[dt.date, Any], DayTally | None] = field(default_factory=dict)
    _tonight: dict[Any, Any] = field(default_factory=dict)

    def dawn(self, oldest: dt.date) -> None:
        """Forget the days before `oldest`, and what was judged last night."""
        self._tonight.clear()
        self._days = {key: found for key, found in self._days.items() if key[0] >= oldest}

    def window(self, config: ModelConfig, champion: Champion | None, as_of: dt.datetime, served: ServedRows) -> Window:
        """The window that `pull` writes: counted, and judged by the suite."""
        if champion is None:
            return build_window(config, None, as_of, (), ())
        end = as_of.date()
        start = end - days_needed(config) * DAY
        days = [start + n * DAY for n in range((end - start).days)]
        tallies = [found for day in days if (found := self._day(day, champion, as_of, served))]
        window = build_window(config, champion.version.version, as_of, tallies, self.columns)
        key = ("quality", id(champion.baseline), start, _same(window))
        quality = self._once(key, lambda: self.check(window, config, champion.baseline))
        return window.model_copy(update={"quality": quality})

    def compare(
        self, baseline: Baseline, window: Window, config: DriftTrigger, leave_out: Collection[dt.date]
    ) -> DriftReport:
        """`drift_report`, made once for the same baseline, days and settings."""
        key = ("drift", id(baseline), window.start, _same(window), config.model_dump_json(), frozenset(leave_out))
        found: DriftReport = self._once(key, lambda: drift_report(baseline, window, config, leave_out))
        return found

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._tonight:
            self._tonight[key] = make()
        return self._tonight[key]

    def _day(self, day: dt.date, champion: Champion, as_of: dt.datetime, served: ServedRows) -> DayTally | None:
        """The tally of a day; None where it has no rows. Features do not depend on who scored, scores not on cells."""
        features = self._counted(day, ("features", champion.cells), lambda: self._features(day, champion))
        if features is None:
            return None
        (by,) = served.history(day, day + DAY)
        known = self.rows.known(day, as_of)
        ours = (by, champion.version.fit.number if self.rows.columns.version else 0)

        def both() -> DayTally | None:
            scores = self._counted(day, ("scores", ours, known), lambda: self._scores(day, champion, as_of, served))
            return scores and scores.model_copy(update={"columns": features.columns})

        return self._counted(day, ("both", champion.cells, ours, known), both)

    def _counted(self, day: dt.date, key: Any, make: Callable[[], DayTally | None]) -> DayTally | None:
        if (day, key) not in self._days:
            self._days[day, key] = make()
        return self._days[day, key]

    def _features(self, day: dt.date, champion: Champion) -> DayTally | None:
        batches = self.rows.plain(self.rows.of_day(day))
        axes = champion.baseline.axes
        return self._count(batches, axes, self.rows.columns, version=None, as_of=midnight(day + DAY))

    def _scores(self, day: dt.date, champion: Champion, as_of: dt.datetime, served: ServedRows) -> DayTally | None:
        batches, fit = served.batches(self.rows.of_day(day)), str(champion.version.fit.number)
        return self._count(batches, {}, self.rows.columns, version=fit, as_of=as_of)

    def outcome(self, day: dt.date, served: ServedRows) -> DayTally | None:
        """What became of the rows of a day, whenever their labels arrived, by the scores that they got."""
        (by,) = served.history(day, day + DAY)
        columns = self.rows.columns.model_copy(update={"labelled_at": None})

        def make() -> DayTally | None:
            batches = served.batches(self.rows.of_day(day))
            return self._count(batches, {}, columns, version=None, as_of=midnight(day + DAY))

        return self._counted(day, ("outcome", by), make)

    def _count(self, *rows: Any, **asked: Any) -> DayTally | None:
        """The tally of the one day that these rows are of; arguments as in `tally.count`."""
        found = tally.count(*rows, **asked, task=self.rows.task)
        return found[0] if found else None


def _same(window: Window) -> tuple[int, ...]:
    """Equal for windows of one night that hold the same tallies: those of a day are made once, and kept all night."""
    return tuple(id(day) for day in window.days)
