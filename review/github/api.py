"""Access to one repository on GitHub, with bounded retries of whole operations and time limits."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from core.config import GitHubContext
from core.errors import ConfigError
from review.github.errors import RATE_LIMIT, message_of, overtaken, refused, unreachable

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.Repository import Repository
    from tenacity import RetryCallState

T = TypeVar("T")
TRIES = 4
TIMEOUT = 20  # seconds for one request
LONGEST_PAUSE = 60.0  # seconds; a longer pause that GitHub asks for is an error
IN_ALL = 150.0  # seconds for one operation, all tries together
AGENT = "retraining-template"


class OvertakenError(Exception):
    """Another run wrote the same thing at the same time, so the operation must be done again."""


class Api:
    """One repository.

    An operation is a function of the repository that is safe to repeat, because it reads before it writes. So a request
    that was carried out, but whose response was lost, does no harm.

    Args:
        hub: which repository, and the token.
        agent: the user agent of requests.
        pause: waits a number of seconds; for tests.
    """

    def __init__(self, hub: GitHubContext, *, agent: str = AGENT, pause: Callable[[float], None] | None = None) -> None:
        self.hub = hub
        self.agent = agent
        self.pause = pause

    @cached_property
    def repository(self) -> Repository:
        """Return the repository, without a request.

        Raises:
            ConfigError: there is no token.
        """
        if self.hub.token is None:
            raise ConfigError(
                f"GITHUB_TOKEN is not set, so there is no access to {self.hub.repository} on GitHub.",
                why="GitHub passes the token to a step only if the workflow says so.",
                fix="In a workflow: env: {GITHUB_TOKEN: ${{ github.token }}} at the step. "
                "On a laptop: export GITHUB_TOKEN=$(gh auth token)",
            )
        from github import Auth, Github

        github = Github(
            auth=Auth.Token(self.hub.token.get_secret_value()),
            base_url=self.hub.api_url,
            user_agent=self.agent,
            timeout=TIMEOUT,
            per_page=100,
            retry=None,  # a POST whose response was lost must not be repeated blindly; whole operations are repeated
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
        # Checked at each response, because PyGithub fails later and elsewhere.
        vars(github.requester)["requestJsonAndCheck"] = _only_json(github.requester.requestJsonAndCheck)
        return github.get_repo(self.hub.repository)

    def __call__(self, action: str, operation: Callable[[Repository], T]) -> T:
        """Run an operation, and repeat it after a passing error of GitHub or the network.

        Args:
            action: the operation in words, for errors, as in "open the pull request of flights".
            operation: must be safe to repeat.

        Raises:
            OutsideError: GitHub refused, or did not respond in time.
        """
        from github import GithubException
        from requests.exceptions import RequestException
        from tenacity import Retrying, nap, retry_if_exception, stop_after_attempt, stop_after_delay

        retrying = Retrying(
            stop=stop_after_attempt(TRIES) | stop_after_delay(IN_ALL),
            wait=_pause,
            retry=retry_if_exception(_passes),
            reraise=True,
            sleep=self.pause or nap.sleep,
        )
        try:
            return retrying(operation, self.repository)
        except OvertakenError as err:
            raise overtaken(action, str(err)) from None
        except GithubException as err:
            raise refused(action, err.status, err.data, err.headers) from None
        except (RequestException, ValueError) as err:
            if not _passes(err):
                raise
            raise unreachable(action, self.hub.api_url, type(err).__name__) from None


def _only_json(ask: Callable[..., tuple[dict[str, Any], Any]]) -> Callable[..., tuple[dict[str, Any], Any]]:
    """Return `ask` with an error for a response that is not JSON, such as a login page.

    PyGithub makes {"data": text} of such a response.
    """
    from requests.exceptions import InvalidJSONError

    def checked(*args: Any, **options: Any) -> tuple[dict[str, Any], Any]:
        headers, data = ask(*args, **options)
        if isinstance(data, dict) and isinstance(data.get("data"), str):
            raise InvalidJSONError("the response is not JSON")
        return headers, data

    return checked


def _passes(err: BaseException) -> bool:
    """Return whether the next try may succeed: no response or half of one, an outage, a short pause, a race."""
    from json import JSONDecodeError

    from github import GithubException
    from requests.exceptions import RequestException

    if isinstance(err, GithubException):
        if limited(err):
            return requested_pause(err) <= LONGEST_PAUSE
        # Created after the operation looked for it. The next try finds it.
        exists = err.status == 422 and "already exists" in message_of(err.data)  # noqa: PLR2004 - HTTP
        return exists or err.status >= 500  # noqa: PLR2004 - HTTP
    return isinstance(err, RequestException | JSONDecodeError | OvertakenError)


def limited(err: GithubException) -> bool:
    """Return whether GitHub refuses because of the number of requests."""
    from github import RateLimitExceededException

    headers = err.headers or {}
    announced = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    announced |= bool(re.search(RATE_LIMIT, message_of(err.data), re.IGNORECASE))  # a secondary limit has no header
    return isinstance(err, RateLimitExceededException) or err.status == 429 or (err.status == 403 and announced)  # noqa: PLR2004 - HTTP


def requested_pause(err: GithubException) -> float:
    """Return the seconds that GitHub asks to wait; a minute if it gives none, as its documentation says.

    The reset of the hourly limit counts only if that limit is used up: a secondary limit ends earlier.
    """
    headers = err.headers or {}
    try:
        if "retry-after" in headers:
            return float(headers["retry-after"])
        if headers.get("x-ratelimit-remaining", "0") != "0":
            return LONGEST_PAUSE
        # By the clock of GitHub, so that the clock of this machine does not matter.
        responded = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        return max(1.0, float(headers["x-ratelimit-reset"]) - responded + 1)
    except (KeyError, ValueError, TypeError):
        return LONGEST_PAUSE


def _pause(state: RetryCallState) -> float:
    from github import GithubException
    from tenacity import wait_exponential_jitter

    err: Any = state.outcome.exception() if state.outcome else None
    if isinstance(err, GithubException) and limited(err):
        return requested_pause(err)
    return float(wait_exponential_jitter(initial=1, max=20, jitter=2)(state))
