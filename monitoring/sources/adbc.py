"""Talk to a database by ADBC: connect with patience, ask one thing at a time, and repeat nothing that it says."""

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
    """The database did not do what it was asked. `state` is its SQLSTATE, else the driver's own word, or empty."""

    def __init__(self, state: str, said: str) -> None:
        super().__init__(state)
        self.state, self.said = state, said

    def explained(self, what: str) -> MlopsError:
        """As an error of ours; `what` names the table and the database."""
        return errors.reading(what, self.state, self.said)


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
        retry=retry_if_exception(lambda err: errors.passes(_said(err))),
        reraise=True,
    )
    with ExitStack() as stack:
        try:
            database = retrying(_open, module, url, driver, root, stack)
        except (Error, RefusedError) as err:
            raise errors.connecting(shown(url), _said(err)) from None
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


# libpq gives up on a host after 10 s, and on one that vanished while we read after 2 minutes.
PATIENT = {
    "connect_timeout": "10",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "fallback_application_name": "mlops",
}
LONGEST = "30min"  # for one statement, where neither the server, the role nor the URL says otherwise
# Whatever does not look like this may have a password in another place than one expects: nothing of it is shown.
PLAIN = re.compile(r"(?P<scheme>[a-z+]+)://(?:[^@/?#\s]*@)?(?P<place>[\w.-]*(?::\d{1,5})?(?:/[\w./-]*)?)(?:\?[^@\s]*)?")


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A kind of database.

    `module` is its Python package and `install` what to install for it. `open` makes its AdbcDatabase from the module,
    the URL and the repository. `begin` are the statements that every connection starts with.

    `settings`: the bounds of a query are settings of the transaction, not parameters of the statement.
    """

    module: str
    install: str
    open: Callable[[Any, str, Path], Any]
    begin: tuple[str, ...] = ("SELECT 1",)  # some drivers connect only when first asked
    quote: str = '"'
    text: str = "VARCHAR"
    bytewise: str = ""  # what makes text compare by its bytes, where it does not by itself
    settings: bool = False


def _by_address(module: Any, url: str, _root: Path) -> Any:
    return module.connect(url)


def patient(url: str) -> str:
    """The address of a PostgreSQL with limits for how long it may keep silent, where it names none itself."""
    asked = url.partition("?")[2]
    more = "&".join(f"{name}={value}" for name, value in PATIENT.items() if f"{name}=" not in asked)
    return f"{url}{'&' if asked else '?'}{more}"


def _postgres(module: Any, url: str, _root: Path) -> Any:
    return module.connect(patient(url))


def _bigquery(module: Any, url: str, _root: Path) -> Any:
    project, _, dataset = url.partition("://")[2].strip("/").partition("/")
    return module.connect({"adbc.bigquery.sql.project_id": project, "adbc.bigquery.sql.dataset_id": dataset})


def _duckdb(module: Any, url: str, root: Path) -> Any:
    """As with sqlite: three slashes for a path relative to the repository, four for an absolute one."""
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
    # The driver streams what COPY gives, which takes no parameters; a statement with some is held in memory as a whole.
    settings=True,
)
FLIGHT = Driver(module="adbc_driver_flightsql", install="adbc-driver-flightsql", open=_by_address)
DRIVERS = {
    "postgresql": POSTGRES,
    "postgres": POSTGRES,
    "duckdb": Driver(module="adbc_driver_duckdb", install="duckdb", open=_duckdb),
    "snowflake": Driver(module="adbc_driver_snowflake", install="adbc-driver-snowflake", open=_by_address),
    "bigquery": Driver(
        module="adbc_driver_bigquery", install="adbc-driver-bigquery", open=_bigquery, quote="`", text="STRING"
    ),
    "flightsql": FLIGHT,
    "grpc": FLIGHT,
    "grpc+tls": FLIGHT,
}


def driver_of(url: str) -> Driver | None:
    """The driver for an address, None where it is none of a database that is reached by ADBC."""
    scheme, found, _ = url.partition("://")
    return DRIVERS.get(scheme) if found else None


def shown(url: str) -> str:
    """The address for messages: scheme, host and database, never a user, a password or an option."""
    plain = PLAIN.fullmatch(url)
    return f"{plain['scheme']}://{plain['place']}" if plain else f"{url.partition('://')[0]}://..."


def not_installed(url: str, driver: Driver) -> ConfigError:
    """The error for a driver that is not there."""
    own = driver.install == "postgres"
    return ConfigError(
        f"Sources of the kind {url.partition('://')[0]}:// need the ADBC driver {driver.module}, which is missing.",
        why="Drivers are optional: each database has its own.",
        fix="Install the extra [postgres] of this project; both lock files have it, so `make setup` does."
        if own
        else f"Add {driver.install} and adbc-driver-manager to the dependencies in pyproject.toml, then run "
        "`make lock` and `make setup`.",
    )
