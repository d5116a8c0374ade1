"""The command `mlops promote`: promotion, rollback and repair of the registry."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.errors import MlopsError
from scripts.cli import options, output
from stages.context import Night
from stages.promote import promote_declared
from stages.repository import require_top_level


def promote(
    model: options.Model = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    out: options.Out = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps and change nothing.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only compare. Exits with 5 if git and registry differ.")
    ] = False,
) -> None:
    """Move the version that model/NAME/production.json declares to Production, for one model or for all models.

    Example: mlops promote --dry-run
    """
    results: list[dict[str, Any]] = []
    errors: list[MlopsError] = []
    for night in Night.each(model, as_of):
        try:
            require_top_level(night.settings.root)
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
    """Return the result as text."""
    return [f"{result['model']}: {'' if result['done'] else 'would '}{step}" for step in result["steps"]] or [
        f"{result['model']}: registry agrees with git"
        + (f", version {result['version']} is in Production" if result["version"] else ", git declares no version yet")
    ]
