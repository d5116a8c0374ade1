"""The flights of one night, for the tests of this room."""

from tests.flights import baseline, batch, candidate, config, days, model, night, parts, root, rows, window  # noqa: F401 - fixtures
from tests.review.conftest import make_verdict, verdict  # noqa: F401 - fixtures
