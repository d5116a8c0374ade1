"""The two Jinja environments: HTML pages, and Markdown for GitHub. Both escape every value."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from core import wording
from review.text import markdown, numbers

FILTERS: dict[str, Callable[..., str]] = {
    "number": numbers.number,
    "signed": numbers.signed,
    "reading": numbers.reading,
    "count": numbers.count,
    "chance": numbers.chance,
    "moment": numbers.moment,
    "metric": wording.metric,
    "sentence_case": wording.sentence_case,
    "clean": markdown.clean,
    "figure": lambda value, metric: numbers.figure(metric, value),
    "change": lambda value, metric: numbers.change(metric, value),
}


def html(package: str, name: str) -> Any:
    """Return a template of a package for an HTML page, in which every value is escaped."""
    return _environment(package).get_template(name)


def render_markdown(package: str, name: str, **values: Any) -> str:
    """Return a template of a package as Markdown, without a line end.

    Every value is escaped by `markdown.plain`, unless `plain`, `code` or `link` has made Markdown of it. Empty lines in
    a row become one, so that a template may leave parts out.
    """
    text = str(_markdown_environment(package).get_template(name).render(**values))
    lines = [line.rstrip() for line in text.strip().split("\n")]
    return "\n".join(line for before, line in zip(["", *lines], lines, strict=False) if before or line)


@cache
def _environment(package: str) -> Any:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("review.text")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


@cache
def _markdown_environment(package: str) -> Any:
    from markupsafe import Markup

    def is_markdown(convert: Callable[..., str]) -> Callable[..., Markup]:
        return lambda *values, **options: Markup(convert(*values, **options))  # noqa: S704 - converted

    plain = is_markdown(markdown.plain)
    environment = _environment(package).overlay(
        finalize=lambda value: value if hasattr(value, "__html__") else plain(value)
    )
    converters = {"plain": plain, "code": is_markdown(markdown.code), "inert": is_markdown(markdown.inert)}
    environment.filters = {**environment.filters, **converters}
    environment.globals = {**environment.globals, "link": is_markdown(markdown.link)}
    return environment
