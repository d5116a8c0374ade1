"""Reach one repository on GitHub in one way: bounded retries of whole operations, and an end to waiting."""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from core.config import GitHubContext
from core.errors import ConfigError
from review.github.errors import overtaken, refused, unreachable, words

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.Repository import Repository
    from tenacity import RetryCallState

T = TypeVar("T")
TRIES = 4
TIMEOUT = 20  # seconds for one request
LONGEST_PAUSE = 60.0  # seconds that GitHub may ask us to wait; more is reported instead
IN_ALL = 150.0  # seconds for one operation with all its tries
AGENT = "retraining-template"


class OvertakenError(Exception):
    """Somebody else wrote the same thing at the same time: look again, and do it again."""


class Api:
    """One repository.

    An operation is a function of the repository that can be done again from its start: it looks before it writes. So
    a request that was carried out, but whose answer was lost, does no harm.

    Args:
        hub: which repository, and the token.
        agent: how we introduce ourselves.
        pause: waits so many seconds; for tests.
    """

    def __init__(self, hub: GitHubContext, *, agent: str = AGENT, pause: Callable[[float], None] | None = None) -> None:
        self.hub = hub
        self.agent = agent
        self.pause = pause

    @cached_property
    def repository(self) -> Repository:
        """The repository; asking for it sends nothing yet.

        Raises:
            ConfigError: there is no token.
        """
        if self.hub.token is None:
            raise ConfigError(
                f"GITHUB_TOKEN is not set, so {self.hub.repository} on GitHub cannot be reached.",
                why="GitHub gives the token to a step only where the workflow says so.",
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
            retry=None,  # a lost answer to a POST must not be repeated blindly: we repeat whole operations
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
        # Read before each use: PyGithub itself finds out late, and somewhere else.
        vars(github.requester)["requestJsonAndCheck"] = _only_json(github.requester.requestJsonAndCheck)
        return github.get_repo(self.hub.repository)

    def __call__(self, doing: str, operation: Callable[[Repository], T]) -> T:
        """Do an operation, again where GitHub or the network stumbles.

        Args:
            doing: what it does, for the message, as in "open the pull request of flights".
            operation: what to do; it must be safe to do again.

        Raises:
            OutsideError: GitHub refused, or did not answer in time.
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
            raise overtaken(doing, str(err)) from None
        except GithubException as err:
            raise refused(doing, err.status, err.data, err.headers) from None
        except (RequestException, ValueError) as err:
            if not _passes(err):
                raise
            raise unreachable(doing, self.hub.api_url, type(err).__name__) from None


def _only_json(ask: Callable[..., tuple[dict[str, Any], Any]]) -> Callable[..., tuple[dict[str, Any], Any]]:
    """Take nothing else for an answer of GitHub's, such as a login page: PyGithub makes {"data": text} of it."""
    from requests.exceptions import InvalidJSONError

    def answered(*words: Any, **named: Any) -> tuple[dict[str, Any], Any]:
        headers, data = ask(*words, **named)
        if isinstance(data, dict) and isinstance(data.get("data"), str):
            raise InvalidJSONError("the answer is no JSON")
        return headers, data

    return answered


def _passes(err: BaseException) -> bool:
    """Whether it may go well the next time: no answer or half of one, a disturbance, a short pause, a race."""
    from json import JSONDecodeError

    from github import GithubException
    from requests.exceptions import RequestException

    if isinstance(err, GithubException):
        if limited(err):
            return asked(err) <= LONGEST_PAUSE
        # What was not there when we looked: the next look finds it.
        made = err.status == 422 and "already exists" in words(err.data)  # noqa: PLR2004 - HTTP
        return made or err.status >= 500  # noqa: PLR2004 - HTTP
    return isinstance(err, RequestException | JSONDecodeError | OvertakenError)


def limited(err: GithubException) -> bool:
    """Whether GitHub refuses because of the number of requests, not because of what was asked."""
    from github import RateLimitExceededException

    headers = err.headers or {}
    told = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return isinstance(err, RateLimitExceededException) or err.status == 429 or (err.status == 403 and told)  # noqa: PLR2004 - HTTP


def asked(err: GithubException) -> float:
    """The seconds that GitHub asks to wait; a minute where it does not say, as its documentation has it."""
    headers = err.headers or {}
    try:
        if "retry-after" in headers:
            return float(headers["retry-after"])
        # By its own clock, so that ours does not matter.
        answered = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        return max(1.0, float(headers["x-ratelimit-reset"]) - answered + 1)
    except (KeyError, ValueError, TypeError):
        return LONGEST_PAUSE


def _pause(state: RetryCallState) -> float:
    from github import GithubException
    from tenacity import wait_exponential_jitter

    err: Any = state.outcome.exception() if state.outcome else None
    if isinstance(err, GithubException) and limited(err):
        return asked(err)
    return float(wait_exponential_jitter(initial=1, max=20, jitter=2)(state))
