"""Say why a database, or Spark, refuses, without its own words: they may hold a password or the value of a row."""

from __future__ import annotations

import re

from core.errors import ConfigError, DataError, MlopsError, OutsideError

PLACE = "MONITORING_URL (or data.source in model.toml) says where it is"
PASSES = (
    r"connection refused|timeout expired|timed out|starting up|shutting down|too many (clients|connections)"
    r"|reset by peer|closed the connection|temporary failure in name resolution|remaining connection slots|unavailable"
    r"|recovery mode|no such file or directory"
)
UNKNOWN_HOST = r"could not translate host name|name or service not known|no such host"
LOCKED_OUT = r"password|role \"[^\"]*\" does not exist|pg_hba|authenticat|credentials|unauthorized|permission denied"
NOT_THERE = "TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|PATH_NOT_FOUND|UNABLE_TO_INFER_SCHEMA|PARSE_SYNTAX_ERROR"
CONDITION = r"\[([A-Z][A-Z0-9]*_[A-Z0-9_.]+)\]"  # where Spark's own exception is wrapped in one of Java's
UNFIT = {
    "CANNOT_MERGE_SCHEMAS": (
        "Its files differ in the type of a column.",
        "Write the older files again with the type of the newer ones, or make a table of them that casts.",
    ),
    "PARQUET_TYPE_ILLEGAL": (
        "A file has a type that Spark does not know, such as times in nanoseconds, which older pandas writes.",
        "Write times in microseconds.",
    ),
    "COLUMN_ALREADY_EXISTS": (
        "Two columns differ in upper and lower case only.",
        "Rename one, or set spark.sql.caseSensitive true in spark-defaults.conf.",
    ),
    "FAILED_READ_FILE": (
        "A file is damaged, still being written, or no Parquet file.",
        "Write it again under another name and rename it when it is complete, or remove it.",
    ),
}
NO_JAVA = "JAVA_GATEWAY_EXITED|JAVA_HOME"
NO_DATABASE = r"database \"[^\"]*\" does not exist"


def passes(said: str) -> bool:
    """Whether a connection that failed like this may succeed in a moment."""
    return _has(PASSES, said)


def connecting(shown: str, said: str) -> OutsideError:
    """The error for a database that could not be reached.

    Args:
        shown: its address as it may be shown.
        said: the driver's words.
    """
    if _has(NO_DATABASE, said):
        why, fix = "There is no database of this name there.", f"{PLACE}."
    elif _has(PASSES, said):
        why, fix = (
            "It is down, starting, full, or a firewall stands between.",
            f"Run this again when it answers; {PLACE}.",
        )
    elif _has(UNKNOWN_HOST, said):
        why, fix = (
            "No host of this name is known.",
            f"{PLACE}; in a password, @ is written %40, / %2F, : %3A, ? %3F.",
        )
    elif _has(LOCKED_OUT, said):
        why, fix = "It refuses this user or password, or this machine.", f"{PLACE}, with user and password."
    else:
        told = re.sub(r"\"[^\"]*\"?|'[^']*'?", '"..."', " ".join(said.split()))[:200]
        why, fix = f"The driver says: {told}", f"{PLACE}; mend what the driver names."
    return OutsideError(f"{shown} cannot be reached.", why=why, fix=fix)


def reading(shown: str, state: str, said: str) -> MlopsError:
    """The error for rows that could not be read.

    Args:
        shown: the table and the database.
        state: the SQLSTATE where the driver knows it, else its own name for what happened; may be empty.
        said: the driver's words.
    """
    if state == "57014" or _has(r"statement timeout|deadline exceeded", said):
        return OutsideError(
            f"{shown} was read for longer than a statement may take.",
            why="The time column has no index, the window is large, or the database is busy.",
            fix="Add an index on the time column, or allow more with ?options=-c%20statement_timeout%3D2h.",
        )
    if state == "42501" or _has(r"permission denied", said):
        return DataError(
            f"{shown} may not be read by this user.",
            why="The role lacks the right to select.",
            fix="Let its owner type: GRANT SELECT ON the table (and USAGE on its schema) TO the role.",
        )
    if state == "22003" or _has(r"out of range", said):
        return DataError(
            f"{shown} holds a number beyond the range of a 64-bit float.",
            fix="Mend the feed: nothing can be counted beside such a value.",
        )
    if state.startswith(("IO", "08", "57P", "40", "53")) or (not state and "ERROR:" not in said):
        return OutsideError(
            f"The connection to {shown} broke off while rows were read.",
            why="The database was restarted or ran out of memory or disk, or the network failed.",
            fix="Run this again: nothing was kept of what had been read.",
        )
    return DataError(
        f"{shown} cannot be read{f' ({state})' if state else ''}.",
        why="The query or a value was refused by the database; its log has the reason.",
        fix="Try to select the columns of model.toml by hand, as the same user.",
    )


def no_table(shown: str, table: str, known: list[str]) -> DataError:
    """The error for a table that is not there."""
    some = ", ".join(known[:30]) + (", ..." if len(known) > 30 else "")  # noqa: PLR2004 - a readable line
    return DataError(
        f"{shown} has no table {table!r}.",
        why=f"The tables there are: {some or 'none that this user may see'}.",
        fix="Name the right one as table under [data] in model.toml, with its schema if it is not on the search path: "
        "schema.table. Upper and lower case count.",
    )


def spark(shown: str, condition: str, said: str) -> MlopsError:
    """The error for rows that Spark could not read or count.

    Args:
        shown: the table or the folder.
        condition: Spark's own name for what happened, else the class of the exception.
        said: Spark's words.
    """
    wrapped = re.search(CONDITION, said)
    condition = wrapped[1] if wrapped else condition
    if _has(NOT_THERE, condition):
        return DataError(
            f"Spark finds no {shown}, or no Parquet file there.",
            why="Nothing has been written there yet, the place is another one, or this user may not see it.",
            fix="Check data.source in model.toml, or the variable MONITORING_URL.",
        )
    for unfit, (why, fix) in UNFIT.items():
        if condition.startswith(unfit):
            return DataError(f"Spark cannot read {shown} ({condition}).", why=why, fix=fix)
    if _has(NO_JAVA, f"{condition} {said}"):
        return ConfigError(
            "Spark did not start.", why="It needs Java 17 or 21.", fix="Install Java, or set JAVA_HOME to where it is."
        )
    if lacks := re.search(r"No module named '([\w.]+)'", said):
        return ConfigError(
            f"Spark cannot count {shown}: it lacks the Python module {lacks[1]}.",
            why="Executors need numpy, pyarrow and pydantic; a connection to a server needs PySpark's extra [connect].",
            fix="Install them there (requirements.lock has the versions); PYSPARK_PYTHON says which Python they use.",
        )
    return OutsideError(
        f"Spark could not read {shown} ({condition}).",
        why="The cluster failed, does not answer, or refuses.",
        fix="Look into the log of Spark, and run this again when it answers.",
    )


def _has(pattern: str, said: str) -> bool:
    return re.search(pattern, said, re.IGNORECASE) is not None


def not_written(place: str, err: Exception) -> OutsideError:
    """The error for a place that did not take logged rows."""
    return OutsideError(
        f"{place} cannot be written: {type(err).__name__}.",
        why="It is locked, full, read-only or out of reach, or its table has other columns.",
        fix="Log the same rows again when it answers: none is kept twice.",
    )
