"""Numbers and days as reviews show them: a real minus sign, commas between thousands, a dash for none."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from core import wording

if TYPE_CHECKING:
    import datetime as dt


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with `digits` after the point."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "\u2212" if re.search("[1-9]", text) else "")


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference: like `number`, with its sign also if it is positive."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and re.search("[1-9]", text) else text


def figure(metric: str, value: float | None) -> str:
    """Return a value of a metric."""
    return number(value, wording.digits(metric, value))


def change(metric: str, value: float | None) -> str:
    """Return a difference between values of a metric."""
    return signed(value, wording.change_digits(metric, value))


def count(rows: int) -> str:
    """Return a number of rows."""
    return f"{rows:,}"


def reading(value: float | None) -> str:
    """Return a measured value whose unit is unknown here: whole numbers as such, shares with three digits."""
    if value is None or not math.isfinite(value) or (abs(value) < 1 and value):
        return number(value)
    if float(value).is_integer() or abs(value) >= 100:  # noqa: PLR2004 - three digits are enough for a reader
        return number(round(value), 0)
    return f"{value:.3g}".replace("-", "\u2212")


def moment(when: dt.datetime | dt.date | None) -> str:
    """Return a day, as every date is shown."""
    return f"{when:%Y-%m-%d}" if when is not None else number(None)


def chance(p_value: float | None) -> str:
    """Return a p-value: three digits, or that it is less than three digits can show."""
    return number(p_value) if p_value is None or p_value >= 0.001 else "<0.001"  # noqa: PLR2004


def bar(value: float, most: float, width: int = 10) -> str:
    """Return a bar of block letters, `width` cells long at `most`."""
    share = min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip() if eighths else "▏"
