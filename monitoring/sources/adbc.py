"""Connections to databases by ADBC: drivers, retries while connecting, and errors without the database's own text."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.arrow import arrays
from core.errors import ConfigError, DataError, MlopsError
from monitoring.sources import errors

TRIES = 5
PAUSE = 1.0  # seconds before the second try; twice as long before each one after it, and up to as much by chance


class RefusedError(Exception):
    """The database refused a query. `state` is the SQLSTATE, else the driver's own code, or empty."""

    def __init__(self, state: str, text: str) -> None:
        super().__init__(state)
        self.state, self.text = state, text

    def explained(self, what: str) -> MlopsError:
        """Return the error to show; `what` names the table and the database."""
        return errors.reading(what, self.state, self.text)


class Database:
    """A connection in a read-only transaction, if the database supports one."""

    def __init__(self, connection: Any, driver: Driver) -> None:
        self._connection, self._driver = connection, driver

    @contextmanager
    def ask(self, query: str, bounds: pa.RecordBatch | None = None) -> Iterator[pa.RecordBatchReader]:
        """Yield the rows of a query as they arrive, in batches. `bounds`, one row, are never part of the SQL.

        Raises:
            RefusedError: here, or while the rows are read.
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
        except (pa.ArrowException, OSError) as err:  # what Arrow makes of a driver's error while rows arrive
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
        """Store the values as settings of the transaction."""
        names = [f"p{number}" for number in range(len(values))]
        calls = ", ".join(f"set_config('mlops.{name}', ${number}, true)" for number, name in enumerate(names, 1))
        row = pa.record_batch([arrays.text_array([value]) for value in values], names=names)
        with self._run(f"SELECT {calls}", row) as rows:
            rows.read_all()


@contextmanager
def connected(url: str, driver: Driver, root: Path, patience: float) -> Iterator[Database]:
    """Yield a connection to `url`. Retries for `patience` seconds if the failure may pass.

    Raises:
        ConfigError: the driver is not installed.
        OutsideError: the database does not answer, or refuses.
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
        retry=retry_if_exception(lambda err: errors.may_pass(_text(err))),
        reraise=True,
    )
    with ExitStack() as stack:
        try:
            database = retrying(_open, module, url, driver, root, stack)
        except (Error, RefusedError) as err:
            raise errors.connecting(shown(url), _text(err)) from None
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


def _text(err: BaseException) -> str:
    """Return the text of a driver's error, empty for other errors."""
    from adbc_driver_manager import Error

    if isinstance(err, RefusedError):
        return err.text
    return str(err) if isinstance(err, Error) else ""


# libpq gives up connecting to a host after 10 s, and on a host that vanished during a read after 2 minutes.
PATIENT = {
    "connect_timeout": "10",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "fallback_application_name": "mlops",
}
LONGEST = "30min"  # for one statement, unless the server, the role or the URL sets a limit
# A URL of another form may hold a password in an unexpected place, so nothing of it is shown.
PLAIN = re.compile(r"(?P<scheme>[a-z+]+)://(?:[^@/?#\s]*@)?(?P<place>[\w.-]*(?::\d{1,5})?(?:/[\w./-]*)?)(?:\?[^@\s]*)?")


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A kind of database.

    `module` is its Python package and `install` the distribution to install. `open` returns an AdbcDatabase for the
    module, the URL and the repository. Every connection starts with the statements in `begin`.

    `settings`: the bounds of a query are settings of the transaction, not parameters of the statement.
    `tested`: whether the project's tests read from a live database of this kind.
    """

    module: str
    install: str
    open: Callable[[Any, str, Path], Any]
    begin: tuple[str, ...] = ("SELECT 1",)  # some drivers connect only when first asked
    quote: str = '"'
    text: str = "VARCHAR"
    bytewise: str = ""  # a collation that compares text by its bytes, if that is not the default
    settings: bool = False
    tested: bool = False


def _by_address(module: Any, url: str, _root: Path) -> Any:
    return module.connect(url)


def patient(url: str) -> str:
    """Return a PostgreSQL URL with time limits for connecting and silence, unless the URL sets its own."""
    options = url.partition("?")[2]
    limits = "&".join(f"{name}={value}" for name, value in PATIENT.items() if f"{name}=" not in options)
    return f"{url}{'&' if options else '?'}{limits}"


def _postgres(module: Any, url: str, _root: Path) -> Any:
    return module.connect(patient(url))


def _bigquery(module: Any, url: str, _root: Path) -> Any:
    project, _, dataset = url.partition("://")[2].strip("/").partition("/")
    return module.connect({"adbc.bigquery.sql.project_id": project, "adbc.bigquery.sql.dataset_id": dataset})


def _duckdb(module: Any, url: str, root: Path) -> Any:
    """Open a DuckDB file: after three slashes the path is relative to the repository, after four absolute."""
    path = root / url.partition("://")[2][1:]
    try:
        there = path.is_file()
    except OSError:  # too long for a name
        there = False
    if not there:
        raise DataError(
            f"There is no {url.partition('://')[2][1:]}.",
            why="Nothing has been written there yet, or the place is another one.",
            fix="Check data.source in model.toml (relative to the repository), or the variable MONITORING_URL.",
        )
    return module.adbc_driver_manager.AdbcDatabase(
        driver=module.driver_path(), entrypoint="duckdb_adbc_init", path=str(path), access_mode="READ_ONLY"
    )


POSTGRES = Driver(
    module="adbc_driver_postgresql",
    install="postgres",
    open=_postgres,
    begin=(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SELECT set_config('TimeZone', 'UTC', true)",
        f"SELECT set_config('statement_timeout', '{LONGEST}', true) WHERE current_setting('statement_timeout') = '0'",
    ),
    text="TEXT",
    bytewise=' COLLATE "C"',
    # The driver streams COPY, which takes no parameters; it holds the result of a statement with parameters in memory.
    settings=True,
    tested=True,
)
FLIGHT = Driver(module="adbc_driver_flightsql", install="adbc-driver-flightsql", open=_by_address)
DRIVERS = {
    "postgresql": POSTGRES,
    "postgres": POSTGRES,
    "duckdb": Driver(module="adbc_driver_duckdb", install="duckdb", open=_duckdb, tested=True),
    "snowflake": Driver(module="adbc_driver_snowflake", install="adbc-driver-snowflake", open=_by_address),
    "bigquery": Driver(
        module="adbc_driver_bigquery", install="adbc-driver-bigquery", open=_bigquery, quote="`", text="STRING"
    ),
    "flightsql": FLIGHT,
    "grpc": FLIGHT,
    "grpc+tls": FLIGHT,
}


def driver_of(url: str) -> Driver | None:
    """Return the driver for a URL, None if it is not the URL of an ADBC database."""
    scheme, separator, _ = url.partition("://")
    return DRIVERS.get(scheme) if separator else None


def shown(url: str) -> str:
    """Return the URL for messages: scheme, host and database, never a user, a password or an option."""
    plain = PLAIN.fullmatch(url)
    return f"{plain['scheme']}://{plain['place']}" if plain else f"{url.partition('://')[0]}://..."


def not_installed(url: str, driver: Driver) -> ConfigError:
    """Return the error for a driver that is not installed."""
    tested = "" if driver.tested else " This one is experimental: not run against a live service."
    scheme = url.partition("://")[0]
    return ConfigError(
        f"Sources of the kind {scheme}:// need the ADBC driver {driver.module}, which is not installed.",
        why=f"Each database has its own optional driver.{tested}",
        fix="Install the extra [postgres] of this project; `make setup` does so, because both lock files have it."
        if driver is POSTGRES
        else f"Add {driver.install} and adbc-driver-manager to the dependencies in pyproject.toml, then run "
        "`make lock` and `make setup`.",
    )
