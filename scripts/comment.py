"""Put the verdict of `mlops review` under its pull request: one comment, updated in place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from scripts import options, output
from scripts.forge import open_threads
from scripts.repository import find_root

FAILED = (
    "### ⚠️ This promotion could not be checked\n\nThe check itself failed, so nothing is known of it. Do not merge; "
    "read the log and re-run the job."
)


def comment(
    pull_request: Annotated[
        int, typer.Option("--pull-request", envvar="MLOPS_PULL_REQUEST", min=1, help="Number of the pull request.")
    ],
    review: options.From = None,
    json: options.Json = False,
    out: options.Out = None,
) -> None:
    """Comment on a pull request with the verdict in review.json (written by mlops review --out).

    Example: mlops comment --pull-request 12 --from local/review.json
    """
    from core.settings import Settings
    from review import promotion

    settings = Settings.load(find_root(Path.cwd()))
    if settings.hub is None:
        raise UsageError(
            "There is no GitHub here to comment on.",
            why="This is no workflow run, and MLOPS_FORGE is not the address of a repository.",
            fix="Set MLOPS_FORGE=https://github.com/OWNER/NAME and GITHUB_TOKEN.",
        )
    path = review or settings.local / "review.json"
    text = promotion.text(promotion.Reviews.read(path), settings.hub.run_url) if path.exists() else FAILED
    open_threads(settings.hub).comment(pull_request, "promotion-check", text)
    told = f"told pull request {pull_request} of {settings.hub.repository}"
    output.show({"pull_request": pull_request, "text": text}, [told], as_json=json, out=out)
