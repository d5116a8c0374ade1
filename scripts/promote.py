"""Make the registry agree with git: promotion, rollback and repair in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import MlopsError
from scripts.cli import options, output
from stages.context import Night
from stages.promote import promote_declared

if TYPE_CHECKING:
    pass


def promote(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only compare; exit 5 where git and registry differ.")
    ] = False,
) -> None:
    """Move the version that model/NAME/production.json declares to Production, for one model or for all.

    Example: mlops promote --dry-run
    """
    results: list[dict[str, Any]] = []
    errors: list[MlopsError] = []
    for night in Night.each(model, as_of):
        try:
            with night.stage("promote"):
                results.append(promote_declared(night, dry_run=dry_run, verify=verify))
        except MlopsError as err:
            errors.append(err)
    output.show({"models": results}, [line for result in results for line in lines(result)], as_json=json, out=out)
    for other in errors[1:]:
        output.error(other)
    if errors:
        raise errors[0]


def lines(result: dict[str, Any]) -> list[str]:
    """The result for a person."""
    return [f"{result['model']}: {'' if result['done'] else 'would '}{step}" for step in result["steps"]] or [
        f"{result['model']}: registry agrees with git"
        + (f", version {result['version']} is in Production" if result["version"] else ", nothing is declared yet")
    ]
