"""Known refusals of GitHub, with the setting or permission behind each, and what to click or type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import OutsideError

SETUP = "docs/setup-github.md"
RATE_LIMIT = "rate limit|abuse detection"


@dataclass(frozen=True)
class Refusal:
    """A refusal by its HTTP statuses and a pattern of its message, with its cause and its fix."""

    statuses: frozenset[int]
    pattern: str
    why: str
    fix: str

    def matches(self, status: int, message: str) -> bool:
        """Return whether a response is this refusal."""
        return status in self.statuses and re.search(self.pattern, message, re.IGNORECASE) is not None


def _on(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


REFUSALS = (
    Refusal(
        _on(403),
        "not permitted to create or approve pull requests",
        "The setting that lets workflows open pull requests is off, as it is in every new repository.",
        "Settings > Actions > General > Workflow permissions: tick 'Allow GitHub Actions to create and approve pull "
        f"requests' (an organization may have to allow it first), then re-run the job. {SETUP}, step 4.",
    ),
    Refusal(
        _on(401),
        "",
        "The token has expired, was revoked, or belongs to another server.",
        "In a workflow: re-run it, and pass GITHUB_TOKEN as the template does. On a laptop: set GITHUB_TOKEN to a "
        "new token.",
    ),
    Refusal(
        _on(403, 429),
        RATE_LIMIT,
        "Too many requests were made with this token, and GitHub asks for a longer pause than a job should wait.",
        "Re-run the job later. A GitHub App token has a limit of its own: docs/setup-github.md, step 6.",
    ),
    Refusal(
        _on(403),
        "resource not accessible",
        "The token lacks a permission.",
        "In a workflow: give the job the permissions that its comment names. For an App: grant the permission, "
        f"and accept it in the installation. {SETUP}, step 6.",
    ),
    Refusal(
        _on(403, 409, 422),
        "protected (ref|branch)|rule violation|cannot (force-push|update|create) ?(to )?(this )?(protected|branch|ref)",
        "A branch rule covers promote/**, to which the template writes.",
        "Settings > Rules: exclude promote/** from the rule, or let the App of the token bypass it. The default branch "
        "needs no exception.",
    ),
    Refusal(
        _on(410, 403, 404),
        "issues (are disabled|has been disabled)|issues are disabled",
        "Issues are switched off in this repository.",
        "Settings > General > Features: tick Issues, or set APPRISE_URLS to get messages by chat or mail only.",
    ),
    Refusal(
        _on(403, 404),
        "archived|read-only",
        "The repository is archived.",
        "Unarchive it, or disable the scheduled workflow.",
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
        "GitHub has an outage (see githubstatus.com).",
        "Re-run the job when it is over. Every step is safe to repeat.",
    ),
)
LOGIN = (
    "Something other than GitHub answers there, such as the login page of a proxy.",
    "Sign in there, or correct GITHUB_API_URL or MLOPS_FORGE; then run it again.",
)
# By the class of the error.
NO_RESPONSE = {
    "SSLError": (
        "The certificate is expired, for another host, or of an authority that is not known here.",
        "Set REQUESTS_CA_BUNDLE to the file of your authority; then run it again.",
    ),
    "ProxyError": ("The proxy refuses the connection.", "Correct HTTPS_PROXY; then run it again."),
    "InvalidJSONError": LOGIN,
    "JSONDecodeError": LOGIN,
}
UNKNOWN = Refusal(
    frozenset(),
    "",
    "GitHub understood the request and refused it.",
    "Read the message above. --traceback shows where it came from.",
)


def refused(action: str, status: int, data: object, headers: Mapping[str, str] | None) -> OutsideError:
    """Return the error for a response of GitHub.

    Args:
        action: what was attempted, as in "open the pull request of flights".
        status: the HTTP status.
        data: the decoded body.
        headers: those of the response, in lower case.
    """
    message = message_of(data)
    refusal = next((refusal_kind for refusal_kind in REFUSALS if refusal_kind.matches(status, message)), UNKNOWN)
    wanted = (headers or {}).get("x-accepted-github-permissions", "")
    needs = f" GitHub requires: {wanted}." if wanted and status == 403 else ""  # noqa: PLR2004 - HTTP
    shown = message[:300].rstrip(". ") or "without a message"
    return OutsideError(f"GitHub refused to {action}: {status}, {shown}.", why=refusal.why + needs, fix=refusal.fix)


def unreachable(action: str, address: str, reason: str) -> OutsideError:
    """Return the error for no response at all."""
    why, fix = NO_RESPONSE.get(
        reason, ("The network, a proxy or GitHub is down. Several tries failed.", "Run it again.")
    )
    return OutsideError(
        f"GitHub at {address} did not respond to a request to {action}: {reason}.",
        why=why,
        fix=f"{fix} Steps that are done already are not repeated.",
    )


def overtaken(action: str, reason: str) -> OutsideError:
    """Return the error for another run that undoes every try."""
    return OutsideError(
        f"Cannot {action}: {reason}.",
        why="Two runs work on the same model at the same time. The workflows allow one at a time.",
        fix="Wait until the other run ends, then run this again. Steps that are done already are not repeated.",
    )


def message_of(data: object) -> str:
    """Return the message in a response of GitHub, with the reasons below it."""
    if not isinstance(data, dict):
        return " ".join(str(data).split()) if data else ""
    errors = data.get("errors")
    reasons = [
        str(error.get("message") or f"{error.get('field')} {error.get('code')}")
        if isinstance(error, dict)
        else str(error)
        for error in (errors if isinstance(errors, list) else [])
    ]
    return " ".join("; ".join(filter(None, [str(data.get("message") or ""), *reasons])).split())
