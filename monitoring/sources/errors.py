"""Errors of databases and Spark, without their own text, which may hold a password or a value of a row."""

from __future__ import annotations

import re

from core.errors import ConfigError, DataError, MlopsError, OutsideError

PLACE = "MONITORING_URL (or data.source in model.toml) says where it is"
TEMPORARY = (
    r"connection refused|timeout expired|timed out|starting up|shutting down|too many (clients|connections)"
    r"|reset by peer|closed the connection|temporary failure in name resolution|remaining connection slots|unavailable"
    r"|recovery mode|no such file or directory"
)
UNKNOWN_HOST = r"could not translate host name|name or service not known|no such host"
LOCKED_OUT = r"password|role \"[^\"]*\" does not exist|pg_hba|authenticat|credentials|unauthorized|permission denied"
NOT_THERE = "TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|PATH_NOT_FOUND|UNABLE_TO_INFER_SCHEMA|PARSE_SYNTAX_ERROR"
CONDITION = r"\[([A-Z][A-Z0-9]*_[A-Z0-9_.]+)\]"  # Spark's own condition, if a Java exception wraps it
UNREADABLE = {
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
        "A file is damaged, is still being written, or is not a Parquet file.",
        "Write it again under another name and rename it when it is complete, or remove it.",
    ),
}
NO_JAVA = "JAVA_GATEWAY_EXITED|JAVA_HOME"
NO_DATABASE = r"database \"[^\"]*\" does not exist"


def may_pass(text: str) -> bool:
    """Return whether a connection that failed with this text may succeed in a moment."""
    return _has(TEMPORARY, text)


def connecting(shown: str, text: str) -> OutsideError:
    """Return the error for a failed connection.

    Args:
        shown: the URL without secrets.
        text: the driver's own message.
    """
    if _has(NO_DATABASE, text):
        why, fix = "The server has no database of this name.", f"{PLACE}."
    elif _has(TEMPORARY, text):
        why, fix = (
            "The server is down, starting or full, or a firewall blocks the connection.",
            f"Run this again when it answers; {PLACE}.",
        )
    elif _has(UNKNOWN_HOST, text):
        why, fix = (
            "The host name is unknown.",
            f"{PLACE}; in a password, @ is written %40, / %2F, : %3A, ? %3F.",
        )
    elif _has(LOCKED_OUT, text):
        why, fix = "The server refuses this user, password or machine.", f"{PLACE}, with user and password."
    else:
        message = re.sub(r"\"[^\"]*\"?|'[^']*'?", '"..."', " ".join(text.split()))[:200]
        why, fix = f"The driver reports: {message}", f"{PLACE}; fix what the driver names."
    return OutsideError(f"Cannot connect to {shown}.", why=why, fix=fix)


def reading(shown: str, state: str, text: str) -> MlopsError:
    """Return the error for rows that could not be read.

    Args:
        shown: the table and the database.
        state: the SQLSTATE if the driver knows it, else its own code; may be empty.
        text: the driver's own message.
    """
    if state == "57014" or _has(r"statement timeout|deadline exceeded", text):
        return OutsideError(
            f"Reading {shown} took longer than a statement may take.",
            why="The time column has no index, the window is large, or the database is busy.",
            fix="Add an index on the time column, or allow more with ?options=-c%20statement_timeout%3D2h.",
        )
    if state == "42501" or _has(r"permission denied", text):
        return DataError(
            f"This user may not read {shown}.",
            why="The role lacks the right to select.",
            fix="Let its owner type: GRANT SELECT ON the table (and USAGE on its schema) TO the role.",
        )
    if state == "22003" or _has(r"out of range", text):
        return DataError(
            f"{shown} holds a number beyond the range of a 64-bit float.",
            fix="Fix the feed: rows with such a value cannot be counted.",
        )
    if state.startswith(("IO", "08", "57P", "40", "53")) or (not state and "ERROR:" not in text):
        return OutsideError(
            f"The connection to {shown} was lost while reading rows.",
            why="The database was restarted or ran out of memory or disk, or the network failed.",
            fix="Run this again. Nothing that was read so far has been kept.",
        )
    return DataError(
        f"{shown} cannot be read{f' ({state})' if state else ''}.",
        why="The database refused the query or a value; see its log for the reason.",
        fix="Select the columns of model.toml by hand, as the same user.",
    )


def no_table(shown: str, table: str, tables: list[str]) -> DataError:
    """Return the error for a table that does not exist."""
    some = ", ".join(tables[:30]) + (", ..." if len(tables) > 30 else "")  # noqa: PLR2004 - a readable line
    return DataError(
        f"{shown} has no table {table!r}.",
        why=f"Its tables are: {some or 'none that this user may see'}.",
        fix="Name the right one as table under [data] in model.toml, with its schema if it is not on the search path: "
        "schema.table. Names are case-sensitive.",
    )


def spark(shown: str, condition: str, text: str) -> MlopsError:
    """Return the error for rows that Spark could not read or count.

    Args:
        shown: the table or the folder.
        condition: Spark's error condition, else the class of the exception.
        text: Spark's own message.
    """
    wrapped = re.search(CONDITION, text)
    condition = wrapped[1] if wrapped else condition
    if _has(NOT_THERE, condition):
        return DataError(
            f"Spark does not find {shown}, or finds no Parquet file in it.",
            why="Nothing has been written there yet, the path is wrong, or this user may not see it.",
            fix="Check data.source in model.toml, or the variable MONITORING_URL.",
        )
    for prefix, (why, fix) in UNREADABLE.items():
        if condition.startswith(prefix):
            return DataError(f"Spark cannot read {shown} ({condition}).", why=why, fix=fix)
    if _has(NO_JAVA, f"{condition} {text}"):
        return ConfigError(
            "Spark did not start.", why="It needs Java 17 or 21.", fix="Install Java, or set JAVA_HOME to where it is."
        )
    if module := re.search(r"No module named '([\w.]+)'", text):
        return ConfigError(
            f"Spark cannot count {shown}: the Python module {module[1]} is missing.",
            why="Executors need numpy, pyarrow and pydantic; a connection to a server needs PySpark's extra [connect].",
            fix="Install them there (requirements.lock has the versions); PYSPARK_PYTHON sets their Python.",
        )
    return OutsideError(
        f"Spark could not read {shown} ({condition}).",
        why="The cluster failed, does not answer, or refused.",
        fix="Check Spark's log, and run this again when it answers.",
    )


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def not_written(place: str, err: Exception) -> OutsideError:
    """Return the error for a store that did not take logged rows."""
    return OutsideError(
        f"Cannot write to {place}: {type(err).__name__}.",
        why="The store is locked, full, read-only or offline, or its table has other columns.",
        fix="Log the same rows again when it answers. No row is written twice.",
    )
