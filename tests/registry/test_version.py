from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from registry.version import Example, ModelVersion, Origin

MOMENT = dt.datetime(2013, 3, 4, 1, 2, 3, tzinfo=dt.UTC)
ORIGIN = Origin(training_key="1" * 64, data_digest="2" * 64, trained_at=MOMENT, fit_until=MOMENT, data_until=MOMENT)
TAGS = {**ORIGIN.tags(), "digest": "3" * 64, "validation": "passed"}


def read(**change: str) -> ModelVersion | None:
    """The version that tags tell of."""
    return ModelVersion.of("flights", 3, "a" * 32, "Production", {**TAGS, **change})


def test_tags_tell_the_whole_version() -> None:
    """What a training writes into tags is what is read from them; tags of others are ignored."""
    version = read(promoted_at="2013-06-01T00:00:00+00:00", name="other", stage="None", colour="red")

    assert version is not None
    assert ("flights", 3, "Production", "passed") == (version.name, version.version, version.stage, version.validation)
    assert (MOMENT, "1" * 64) == (version.trained_at, version.training_key)
    assert dt.datetime(2013, 6, 1, tzinfo=dt.UTC) == version.promoted_at


@pytest.mark.parametrize(
    "change",
    [{"digest": "x"}, {"validation": "fine"}, {"trained_at": "yesterday"}, {"trained_at": "2013-03-04T00:00:00"}],
)
def test_other_tags_tell_of_no_version_of_ours(change: dict[str, str]) -> None:
    """A version with tags that we would not have written is not one of ours."""
    assert None is read(**change)


def test_a_version_without_tags_is_not_ours() -> None:
    """Somebody registered it by hand."""
    assert None is ModelVersion.of("flights", 3, "", "None", {})


texts = st.none() | st.text(max_size=5)


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float64, 6, elements=st.floats(width=64)),
    st.lists(texts, min_size=6, max_size=6),
    hnp.arrays(np.float64, 6, elements=st.floats(0, 1)),
)
def test_an_example_survives_its_json(numbers: np.ndarray, words: list[str | None], scores: np.ndarray) -> None:
    """Rows come back in their order of columns, with missing values where they were, also when all are missing."""
    rows = pd.DataFrame({"b": pd.Series(words, dtype=object), "a": numbers})
    example = Example.from_json(Example.of(rows, scores).to_json())

    pd.testing.assert_frame_equal(rows, example.frame())
    assert scores.tolist() == list(example.scores)
