from __future__ import annotations

import pytest

from review.github.codeowners import Owners, owners

PATH = "model/flights/production.json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* @alice", Owners(people=("alice",))),
        ("* @alice @acme/ml-owners", Owners(("alice",), ("ml-owners",))),
        ("/model/*/production.json @bob # the owner", Owners(people=("bob",))),
        ("* @alice\n/model/ @bob", Owners(people=("bob",))),
        ("/model/ @bob\n* @alice", Owners(people=("alice",))),
        ("* @alice\n/model/flights/", Owners()),
        ("/scripts/ @bob", Owners()),
        ("production.json @bob", Owners(people=("bob",))),
        ("/production.json @bob", Owners()),
        ("# * @alice\n\n", Owners()),
        ("* alice@example.org @bob", Owners(people=("bob",))),
        ("* @your-org/model-owners @your-org-team", Owners()),
        ("* @-no @a/b/c @", Owners()),
    ],
)
def test_the_last_line_that_fits_names_the_owners(text: str, expected: Owners) -> None:
    """Patterns, comments, addresses, lines that take owners away and the example names are read as GitHub does."""
    assert expected == owners(text, PATH)


def test_the_file_of_the_template_names_nobody_yet() -> None:
    """Until a team writes its names into CODEOWNERS, nobody is asked, and no stranger."""
    from tests.place import ROOT

    text = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8")

    assert Owners() == owners(text, PATH)
    assert Owners(people=("alice",)) == owners(text.replace("@your-org/model-owners", "@alice"), PATH)
