"""Turn what GitHub is known to refuse into advice: which setting or permission it is, and what to click or type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import OutsideError

SETUP = "docs/setup-github.md"


@dataclass(frozen=True)
class Refusal:
    """A refusal by its HTTP statuses and words, with its cause and its cure."""

    statuses: frozenset[int]
    words: str
    why: str
    fix: str

    def means(self, status: int, said: str) -> bool:
        """Whether an answer is this refusal."""
        return status in self.statuses and re.search(self.words, said, re.IGNORECASE) is not None


def _on(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


KNOWN = (
    Refusal(
        _on(403),
        "not permitted to create or approve pull requests",
        "The setting that lets workflows open pull requests is off, as it is in every new repository.",
        "Settings > Actions > General > Workflow permissions: tick 'Allow GitHub Actions to create and approve pull "
        f"requests' (an organisation may have to allow it first), then re-run the job. {SETUP}, step 4.",
    ),
    Refusal(
        _on(401),
        "",
        "The token has expired, was revoked, or is of another server.",
        "In a workflow: re-run it, and pass GITHUB_TOKEN as the template does. On a laptop: set GITHUB_TOKEN to a "
        "fresh one.",
    ),
    Refusal(
        _on(403, 429),
        "rate limit|abuse detection",
        "Too many requests were made with this token; GitHub asks for a longer pause than a job should wait.",
        "Re-run the job later. A GitHub App token has a limit of its own: docs/setup-github.md, step 6.",
    ),
    Refusal(
        _on(403),
        "resource not accessible",
        "The token lacks a permission.",
        "In a workflow: give the job what its comment names under permissions. For an App: grant it the permission, "
        f"and accept that in the installation. {SETUP}, step 6.",
    ),
    Refusal(
        _on(403, 409, 422),
        "protected (ref|branch)|rule violation|cannot (force-push|update|create) ?(to )?(this )?(protected|branch|ref)",
        "A branch rule covers promote/**, which the template writes.",
        "Settings > Rules: leave promote/** out of the rule, or let the token's App bypass it. The default branch "
        "itself needs no exception.",
    ),
    Refusal(
        _on(410, 403, 404),
        "issues (are disabled|has been disabled)|issues are disabled",
        "Issues are switched off in this repository.",
        "Settings > General > Features: tick Issues, or set APPRISE_URLS to be told by chat or mail only.",
    ),
    Refusal(
        _on(403, 404),
        "archived|read-only",
        "The repository is archived.",
        "Unarchive it, or switch the schedule off.",
    ),
    Refusal(
        _on(404),
        "",
        "The repository, pull request or file does not exist, or this token may not see it.",
        "Check GITHUB_REPOSITORY or MLOPS_FORGE, and that the token is for this repository.",
    ),
    Refusal(
        _on(409),
        "empty",
        "The repository has no commit yet.",
        "Push the template's files to its default branch first.",
    ),
    Refusal(
        _on(500, 502, 503, 504),
        "",
        "GitHub has a disturbance (githubstatus.com).",
        "Re-run the job when it is over: everything here can be done again safely.",
    ),
)
UNKNOWN = Refusal(
    frozenset(),
    "",
    "GitHub understood the request and refused it.",
    "Read its words above; --traceback shows where it came from.",
)


def refused(doing: str, status: int, data: object, headers: Mapping[str, str] | None) -> OutsideError:
    """The error for an answer of GitHub.

    Args:
        doing: what was to be done, as in "open the pull request of flights".
        status: the HTTP status.
        data: the decoded body.
        headers: those of the answer, in lower case.
    """
    said = words(data)
    known = next((refusal for refusal in KNOWN if refusal.means(status, said)), UNKNOWN)
    wanted = (headers or {}).get("x-accepted-github-permissions", "")
    needs = f" GitHub asks for: {wanted}." if wanted and status == 403 else ""  # noqa: PLR2004 - HTTP
    told = said[:300].rstrip(". ") or "no words"
    return OutsideError(f"GitHub would not {doing}: {status}, {told}.", why=known.why + needs, fix=known.fix)


def unreachable(doing: str, address: str, said: str) -> OutsideError:
    """The error for no answer at all."""
    return OutsideError(
        f"GitHub did not answer at {address} when asked to {doing}: {said}.",
        why="The network, a proxy or GitHub itself is down; several tries were made.",
        fix="Run it again: what was done already is found and not done twice.",
    )


def overtaken(doing: str, said: str) -> OutsideError:
    """The error for somebody else who undoes every try."""
    return OutsideError(
        f"GitHub was asked to {doing}, but {said}.",
        why="Two runs work on the same model at the same time; the workflows let one at a time do so.",
        fix="See what else runs, let it end, and run this again: what was done already is found and not done twice.",
    )


def words(data: object) -> str:
    """What GitHub says in an answer: its message, and the reasons below it."""
    if not isinstance(data, dict):
        return " ".join(str(data).split()) if data else ""
    errors = data.get("errors")
    reasons = [
        str(one.get("message") or f"{one.get('field')} {one.get('code')}") if isinstance(one, dict) else str(one)
        for one in (errors if isinstance(errors, list) else [])
    ]
    return " ".join("; ".join(filter(None, [str(data.get("message") or ""), *reasons])).split())
