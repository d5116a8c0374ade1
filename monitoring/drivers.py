"""Know the databases that are reached by ADBC: what each kind needs installed, how it is opened, where SQL differs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError, DataError

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
    if not path.is_file():
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
