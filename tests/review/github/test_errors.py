from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutsideError
from review.github.errors import REFUSALS, UNKNOWN, message_of, refused, unreachable

NOT_ALLOWED = "GitHub Actions is not permitted to create or approve pull requests."

ANSWERS = [
    (403, NOT_ALLOWED, "tick 'Allow GitHub Actions to create and approve pull requests'"),
    (401, "Bad credentials", "set GITHUB_TOKEN to a new token"),
    (403, "You have exceeded a secondary rate limit.", "Re-run the job later"),
    (429, "API rate limit exceeded", "Re-run the job later"),
    (403, "Resource not accessible by integration", "the permissions that its comment names"),
    (422, "Repository rule violations found: Cannot update this protected ref.", "exclude promote/** from the rule"),
    (410, "Issues has been disabled in this repository.", "tick Issues"),
    (403, "Repository was archived so is read-only.", "Unarchive it"),
    (404, "Not Found", "Check GITHUB_REPOSITORY"),
    (409, "Git Repository is empty.", "Push the template's files"),
    (500, "Server Error", "Re-run the job when it is over"),
    (503, "", "Re-run the job when it is over"),
    (418, "I'm a teapot", UNKNOWN.fix),
]


@pytest.mark.parametrize(("status", "message", "advice"), ANSWERS)
def test_a_refusal_says_what_to_do(status: int, message: str, advice: str) -> None:
    """Each refusal that GitHub is known for names the setting or permission, and what was to be done."""
    err = refused("open the pull request of flights", status, {"message": message}, {})

    assert advice in err.fix
    assert err.what.startswith(f"GitHub refused to open the pull request of flights: {status}, ")
    assert OutsideError is type(err)


def test_each_known_refusal_is_met_above() -> None:
    """No advice stands unused behind one that takes its answers."""
    first = (next((one for one in REFUSALS if one.matches(status, said)), UNKNOWN) for status, said, _ in ANSWERS)

    assert {*REFUSALS, UNKNOWN} == set(first)


def test_the_permission_that_is_missing_is_named() -> None:
    """GitHub tells in a header what a token would need; that stands in the reason."""
    data = {"message": "Resource not accessible by integration"}
    err = refused("comment on #1", 403, data, {"x-accepted-github-permissions": "issues=write"})

    assert "GitHub requires: issues=write." in err.why


def test_the_reasons_below_the_message_are_told() -> None:
    """A 422 hides its reason in a list, in one of two forms."""
    errors = [{"message": "A pull request already exists"}, {"field": "head", "code": "invalid"}, "odd"]

    assert "Validation Failed; A pull request already exists; head invalid; odd" == message_of(
        {"message": "Validation Failed", "errors": errors}
    )


def test_no_answer_says_that_a_second_run_is_safe() -> None:
    """Where GitHub cannot be reached, the message says where, and that nothing is done twice."""
    err = unreachable("read x", "https://api.github.com", "ConnectTimeout")

    assert "GitHub at https://api.github.com did not respond to a request to read x: ConnectTimeout." == err.what
    assert "are not repeated" in err.fix


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(st.sampled_from([401, 403, 404, 409, 410, 422, 429, 500, 599]), JSON | st.fixed_dictionaries({"errors": JSON}))
def test_whatever_comes_back_becomes_one_short_error(status: int, data: object) -> None:
    """An answer of any form, of GitHub or of a proxy before it, ends in an error of ours with all its parts."""
    err = refused("do it", status, data, None)

    assert err.why
    assert err.fix
    assert len(err.what) < 400
    assert "\n" not in err.what
