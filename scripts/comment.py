"""The command `mlops comment`: the result of `mlops review` or `mlops replay` as a comment on a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UsageError
from scripts.cli import options, output
from stages.connect import open_threads
from stages.repository import find_root, only_model

if TYPE_CHECKING:
    from core.config import GitHubContext

FAILED = (
    "### ⚠️ This promotion could not be checked\n\nThe check itself failed, so its result is unknown. Do not merge. "
    "Read the log and re-run the job."
)


def comment(
    pull_request: Annotated[
        int, typer.Option("--pull-request", envvar="MLOPS_PULL_REQUEST", min=1, help="Number of the pull request.")
    ],
    record: options.From = None,
    model: options.Model = None,
    json: options.Json = False,
    out: options.Out = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Post the result of mlops replay, not of mlops review.")
    ] = False,
) -> None:
    """Post the result of mlops review (or replay) on a pull request, as one comment that is updated in place.

    Example: mlops comment --pull-request 12 --from local/review.json
    """
    from core.config import Settings

    root = find_root(Path.cwd())
    settings = Settings.load(root)
    if settings.hub is None:
        raise UsageError(
            "Cannot comment: the GitHub repository is unknown.",
            why="This is not a workflow run, and MLOPS_FORGE is not the address of a repository.",
            fix="Set MLOPS_FORGE=https://github.com/OWNER/NAME and GITHUB_TOKEN.",
        )
    if replay:
        name = model or only_model(root)
        subject, text = f"replay-{name}", of_replay(record or settings.work(name) / "replay.json", name, settings.hub)
    else:
        subject, text = "promotion-check", of_review(record or settings.local / "review.json", settings.hub)
    open_threads(settings.hub).comment(pull_request, subject, text)
    line = f"commented on pull request {pull_request} of {settings.hub.repository}"
    output.show({"pull_request": pull_request, "text": text}, [line], as_json=json, out=out)


def of_review(path: Path, hub: GitHubContext) -> str:
    """Return the comment on a promotion; without a record, that the promotion could not be checked."""
    from review.pull_request import promotion_check

    return promotion_check.text(promotion_check.Reviews.read(path), hub.run_url) if path.exists() else FAILED


def of_replay(path: Path, model: str, hub: GitHubContext) -> str:
    """Return the comment that compares the thresholds by what they would have done."""
    from core.replay_result import ReplayResult
    from review.pull_request import replay_comment

    return replay_comment.text(model, ReplayResult.read(path), hub.run_url)
