"""Talk to a database by ADBC: connect with patience, ask one thing at a time, and repeat nothing that it says."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.errors import MlopsError
from monitoring import arrays, refusals
from monitoring.drivers import Driver, not_installed, shown

TRIES = 5
PAUSE = 1.0  # seconds before the second try; twice as long before each one after it, and up to as much by chance


class RefusedError(Exception):
    """The database did not do what it was asked. `state` is its SQLSTATE, else the driver's own word, or empty."""

    def __init__(self, state: str, said: str) -> None:
        super().__init__(state)
        self.state, self.said = state, said

    def explained(self, what: str) -> MlopsError:
        """As an error of ours; `what` names the table and the database."""
        return refusals.reading(what, self.state, self.said)


class Database:
    """A connection in a read-only transaction, where the database has such."""

    def __init__(self, connection: Any, driver: Driver) -> None:
        self._connection, self._driver = connection, driver

    @contextmanager
    def ask(self, query: str, bounds: pa.RecordBatch | None = None) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query as they arrive, at the memory of a batch. `bounds`, one row, are never part of its text.

        Raises:
            RefusedError: from here, or while the rows are read.
        """
        from adbc_driver_manager import Error

        try:
            if bounds is not None and self._driver.settings:
                self._set([str(values[0].as_py()) for values in bounds.columns])
                bounds = None
            with self._run(query, bounds) as rows:
                yield rows
        except Error as err:
            raise RefusedError(str(err.sqlstate or err.status_code.name), str(err)) from None
        except (pa.ArrowException, OSError) as err:  # what becomes of a driver's error while rows arrive
            raise RefusedError("", str(err)) from None

    @contextmanager
    def _run(self, query: str, bounds: pa.RecordBatch | None = None) -> Iterator[pa.RecordBatchReader]:
        from adbc_driver_manager import AdbcStatement

        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(query)
            if bounds is not None:
                statement.bind(bounds)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as rows:
                yield rows

    def _set(self, values: Sequence[str]) -> None:
        """Make values settings of the transaction."""
        names = [f"p{number}" for number in range(len(values))]
        calls = ", ".join(f"set_config('mlops.{name}', ${number}, true)" for number, name in enumerate(names, 1))
        row = pa.record_batch([arrays.text_array([value]) for value in values], names=names)
        with self._run(f"SELECT {calls}", row) as rows:
            rows.read_all()


@contextmanager
def connected(url: str, driver: Driver, root: Path, patience: float) -> Iterator[Database]:
    """The database at `url`; connecting is tried again for `patience` seconds, as long as that may help.

    Raises:
        ConfigError: the driver is not installed.
        OutsideError: it does not answer, or refuses.
    """
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_attempt,
        stop_before_delay,
        wait_exponential,
        wait_random,
    )

    try:
        module = importlib.import_module(driver.module)
    except ImportError:
        raise not_installed(url, driver) from None
    from adbc_driver_manager import Error

    retrying = Retrying(
        stop=stop_after_attempt(TRIES) | stop_before_delay(patience),
        wait=wait_exponential(multiplier=PAUSE) + wait_random(0, PAUSE),
        retry=retry_if_exception(lambda err: refusals.passes(_said(err))),
        reraise=True,
    )
    with ExitStack() as stack:
        try:
            database = retrying(_open, module, url, driver, root, stack)
        except (Error, RefusedError) as err:
            raise refusals.connecting(shown(url), _said(err)) from None
        yield database


def _open(module: Any, url: str, driver: Driver, root: Path, stack: ExitStack) -> Database:
    from adbc_driver_manager import AdbcConnection

    with ExitStack() as attempt:
        place = attempt.enter_context(driver.open(module, url, root))
        connection = attempt.enter_context(AdbcConnection(place))
        database = Database(connection, driver)
        if driver.settings:
            connection.set_autocommit(False)
        for statement in driver.begin:
            with database.ask(statement) as rows:
                rows.read_all()
        stack.push(attempt.pop_all())
    return database


def _said(err: BaseException) -> str:
    """What a driver said; nothing where the error is of another kind."""
    from adbc_driver_manager import Error

    if isinstance(err, RefusedError):
        return err.said
    return str(err) if isinstance(err, Error) else ""
