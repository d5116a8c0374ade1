"""One spelling for each value, whatever source it comes from: categories, classes, ids, versions and numbers.

docs/values.md has the table. Times are in `core.arrow.times`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import arrays
from core.arrow.arrays import Bools

MISSING = arrays.text_array(["", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None"]).cast(pa.string())
FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^(?i)[+-]?(inf|infinity)$"
DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
WHOLE = r"^[+-]?\d+\.0+$"  # a whole number that a column with nulls made a float of
TRUE, FALSE = (arrays.text_array([word, word.title(), word.upper()]) for word in ("true", "false"))
VERSION = re.compile(r"[+-]?\d+(\.0*)?")
EXACT = 2**53  # larger whole numbers have no float of their own
BIGGEST = 2.0**62
# As scalars without `pa.scalar`, which loads pandas.
ONE, ZERO = arrays.text_array(["1", "0"])
NONE, LIMIT = pc.cast(arrays.int_array(np.array([0, 2**62])), arrays.DOUBLE, safe=False)


def texts(values: pa.Array) -> pa.Array | None:
    """Return values as large_string in their one spelling, null where null or NaN.

    Whole numbers have no decimals (1, 1.0 and "1.0" are "1"); booleans are "1" and "0", also as the text true or False.
    None if the type has no text (lists, structs, broken UTF-8).
    """
    values = arrays.plain(values)
    kind = values.type
    try:
        if pa.types.is_boolean(kind):
            return pc.cast(pc.cast(values, pa.uint8()), pa.large_string())
        if pa.types.is_floating(kind):
            return _of_floats(values)
        text = pc.cast(values, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if pa.types.is_integer(kind):
        return text
    return _booleans(without_zero_decimals(text))


def _of_floats(values: pa.Array) -> pa.Array:
    numbers = pc.cast(values, arrays.DOUBLE)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), LIMIT))
    digits = pc.cast(pc.cast(pc.if_else(whole, numbers, NONE), pa.int64()), pa.large_string())
    texts = pc.if_else(whole, digits, pc.cast(values, pa.large_string()))
    return pc.if_else(pc.is_nan(numbers), pa.nulls(len(texts), texts.type), texts)


def without_zero_decimals(text: pa.Array) -> pa.Array:
    """Return text in which "1.0" is "1"."""
    # The look at the last character is 15 times as fast as the pattern, and mostly the end of it.
    if not pc.any(pc.ends_with(text, "0")).as_py():
        return text
    whole = pc.match_substring_regex(text, WHOLE)
    if not pc.any(whole).as_py():
        return text
    return pc.if_else(whole, pc.replace_substring_regex(text, r"\.0+$", ""), text)


def _booleans(text: pa.Array) -> pa.Array:
    for words, digit in ((TRUE, ONE), (FALSE, ZERO)):
        same = pc.is_in(text, words)
        if pc.any(same).as_py():
            text = pc.if_else(same, digit, text)
    return text


def versions(values: pa.Array) -> pa.Array | None:
    """Return model versions as large_string: equal numbers are equal, as in 1, "1.0", "01", " 1" and decimal 1.00."""
    text = texts(values)
    if text is None:
        return None
    coded = text.dictionary_encode()
    names = arrays.text_array([version(name) for name in coded.dictionary.to_pylist()])
    return names.take(coded.indices)


def version(name: str) -> str:
    """Return the spelling of a model version."""
    name = name.strip()
    return str(int(name.partition(".")[0])) if VERSION.fullmatch(name) else name


def text_of(value: object) -> object:
    """Return a Python value (of JSON, or numpy) as text in its one spelling; a value without one unchanged."""
    value = value.item() if isinstance(value, np.generic) else value
    # Most texts have no other spelling: 100 times as fast as Arrow.
    other = isinstance(value, str) and (value.endswith("0") or value.lower() in {"true", "false"})
    if not other and not isinstance(value, bool | int | float | Decimal):
        return value
    try:
        text = texts(pa.array([value]))
    except (pa.ArrowInvalid, OverflowError):  # whole numbers of more than 64 bits
        return str(value)
    return value if text is None else text[0].as_py()


def number_of(value: Any) -> Any:
    """Return a Python value as a number if it is one: booleans are 1 and 0; text and others as they are."""
    value = value.item() if isinstance(value, np.generic) else value
    return float(value) if isinstance(value, bool | int | Decimal) else value


def numbers(text: pa.Array, *, decimal_comma: bool = False) -> tuple[pa.Array, Bools | None]:
    """Return text as numbers, and which rows hold other text (None: no row).

    Numbers are float64; whole numbers that float64 cannot hold, such as 64-bit ids, are int64.
    """
    try:
        return _exact(pc.cast(text, arrays.DOUBLE), text), None
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.is_in(text, MISSING), None, text)
    lower = pc.utf8_lower(text)
    text = pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", text))
    if decimal_comma:
        with_comma = pc.match_substring_regex(text, DECIMAL_COMMA)
        text = pc.if_else(with_comma, pc.replace_substring(text, ",", "."), text)
    readable = pc.fill_null(pc.match_substring_regex(text, FLOAT), True)
    text = pc.if_else(readable, text, None)
    unread = None if pc.all(readable, min_count=0).as_py() else ~arrays.mask(readable)
    return _exact(pc.cast(text, arrays.DOUBLE), text), unread


def _exact(floats: pa.Array, text: pa.Array) -> pa.Array:
    """Return the numbers as int64 if float64 would round them and all are whole."""
    ends = pc.min_max(floats)
    if not any(end.is_valid and EXACT < abs(end.as_py()) < BIGGEST for end in ends.values()):
        return floats
    try:
        return pc.cast(text, pa.int64())
    except pa.ArrowInvalid:
        return floats
