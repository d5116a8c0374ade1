"""Rows are cut by time, fitted with the config's seed, and named by what went into them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import ModelConfig
from core.errors import ConfigError, DataError
from monitoring.tasks.binary import BINARY
from training.fit import Split, fit_estimator, holdout_scores, split_rows, training_key
from training.pipeline_file import load_build, pipeline_digest
from training.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

START = pd.Timestamp("2024-01-01", tz="UTC")


def small(config: ModelConfig, **training: Any) -> ModelConfig:
    """The config of flights for a handful of rows."""
    return config.model_copy(update={"training": config.training.model_copy(update={"min_rows": 50, **training})})


def at(hours: list[float], labels: list[int] | None = None) -> pd.DataFrame:
    """Rows at these hours after the start, alternating labels unless given."""
    return pd.DataFrame(
        {
            "flight_id": [f"f{n:04}" for n in range(len(hours))],
            "timestamp": [START + pd.Timedelta(hours=hour) for hour in hours],
            "actual": labels or [n % 2 for n in range(len(hours))],
        }
    )


def test_flights_are_cut_at_a_midnight_with_a_fifth_apart(parts: Split) -> None:
    """60 days of flights: the last 12 are the holdout, and the cut is a midnight in UTC."""
    assert (9_180, 2_348) == (len(parts.fit), len(parts.holdout))
    assert dt.datetime(2013, 2, 18, tzinfo=dt.UTC) == parts.fit_until
    assert parts.fit["timestamp"].max() < parts.fit_until <= parts.holdout["timestamp"].min()
    assert (parts.fit["timestamp"].min(), parts.holdout["timestamp"].max()) == (parts.fit_from, parts.data_until)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 72), min_size=60, max_size=120), st.sampled_from([0.05, 0.2, 0.5]), st.randoms())
def test_no_instant_is_on_both_sides(config: ModelConfig, hours: list[float], share: float, random: Any) -> None:
    """Whatever the times and their order, every fit row is before every holdout row, and none is lost."""
    rows = at(sorted(hours))
    random.shuffle(shuffled := list(range(len(rows))))
    try:
        parts = split_rows(rows.iloc[shuffled], small(config, holdout=share))
    except DataError as err:
        assert "only the label" in err.what or "have the time" in err.what  # noqa: PT017 - both are allowed
        return

    assert parts.fit["timestamp"].max() < parts.fit_until <= parts.holdout["timestamp"].min()
    assert len(rows) == len(parts.fit) + len(parts.holdout)


def test_the_order_of_rows_does_not_matter(rows: pd.DataFrame, config: ModelConfig, parts: Split) -> None:
    """Shuffled rows are cut alike, into the same order."""
    other = split_rows(rows.sample(frac=1, random_state=0), config)

    assert parts.fit.reset_index(drop=True).equals(other.fit.reset_index(drop=True))
    assert parts.holdout.reset_index(drop=True).equals(other.holdout.reset_index(drop=True))


def test_rows_of_one_day_are_cut_at_an_instant(config: ModelConfig) -> None:
    """Without a midnight in between, the cut is the instant nearest to the share, and ties stay together."""
    parts = split_rows(at([n // 10 for n in range(100)]), small(config, holdout=0.25))

    assert {70, 80} & {len(parts.fit)}
    assert len(parts.fit) % 10 == 0


ENOUGH = [n / 2 for n in range(200)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (at([]), "flights has 0 labelled rows in 60 days; at least 50 are required"),
        (at(ENOUGH[:49]), "flights has 49 labelled rows in 60 days"),
        (at([1.0] * 60), "All 60 labelled rows of flights have the time"),
        (at(ENOUGH, [0] * 200), "have only the label 0"),
        (at(ENOUGH, [1] * 190 + [0] * 10), r"The \d+ fit rows of flights have only the label 1"),
        (at(ENOUGH, [1] * 10 + [0] * 190), r"The \d+ holdout rows of flights have only the label 0"),
    ],
)
def test_rows_that_no_model_can_be_judged_on_are_an_error(config: ModelConfig, rows: pd.DataFrame, said: str) -> None:
    """No rows, few, all of one instant, or one class in either part stop the training with the numbers."""
    with pytest.raises(DataError, match=said):
        split_rows(rows, small(config))


def test_a_training_can_be_repeated(parts: Split, config: ModelConfig, model: Any, root: Path) -> None:
    """The same rows and seed give the same probabilities; another seed may not change the kind of result."""
    from training.frame import features

    again = fit_estimator(load_build(root, "flights"), config, parts)
    holdout = features(parts.holdout, config.data)

    assert (score(model, holdout) == score(again, holdout)).all()


def test_open_seeds_get_that_of_the_config(parts: Split, config: ModelConfig) -> None:
    """An owner who forgets random_state has repeatable trainings all the same; a seed set by hand is kept."""
    from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def build(_config: ModelConfig) -> Any:
        trees = [("open", ExtraTreesClassifier(2)), ("set", ExtraTreesClassifier(2, random_state=7))]
        return make_pipeline(FunctionTransformer(lambda frame: frame[["distance"]]), VotingClassifier(trees))

    voting = fit_estimator(build, config, parts)[-1]

    assert [config.training.seed, 7] == [tree.random_state for _, tree in voting.estimators]


def test_an_estimator_that_cannot_be_fitted_is_the_owners_matter(parts: Split, config: ModelConfig) -> None:
    """What fit raises is a config error with its class; its words, which quote a row, are its cause and not in it."""
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ConfigError, match=r"could not be fitted \(ValueError\)") as caught:
        fit_estimator(lambda _config: LogisticRegression(), config, parts)
    assert "could not convert string" in str(caught.value.__cause__)
    assert "convert" not in str(caught.value)


def test_a_model_that_cannot_score_is_the_owners_matter(parts: Split) -> None:
    """What predict_proba raises on rows is a config error with its class, and without its words."""
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(ConfigError, match=r"could not score \d+ rows \(NotFittedError\)"):
        score(LogisticRegression(), parts.holdout)


class Says:
    """A model that says what it was made with."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def predict_proba(self, _rows: pd.DataFrame) -> Any:
        """What was given."""
        return self.said


def test_scores_are_probabilities_of_late() -> None:
    """The second column counts."""
    assert [0.75, 0.0] == score(Says([[0.25, 0.75], [1.0, 0.0]]), at([1, 2])).tolist()


@pytest.mark.parametrize("said", [[0.5, 0.5], [[0.5], [0.5]], [[0.1, 0.9]], [[0.5, np.nan]] * 2, [[-0.1, 1.1]] * 2])
def test_what_is_no_probability_is_refused(said: Any) -> None:
    """A wrong shape, NaN, or a number outside [0, 1] is an error and never judged."""
    with pytest.raises(ConfigError, match="two columns of probabilities"):
        score(Says(said), at([1, 2]))


def changed(section: str, **values: Any) -> Callable[[ModelConfig], ModelConfig]:
    """A change of one section of the config."""
    return lambda config: config.model_copy(update={section: getattr(config, section).model_copy(update=values)})


@pytest.mark.parametrize(
    "change",
    [
        changed("training", seed=1),
        changed("training", window_days=59),
        changed("data", numeric=("temp",)),
        changed("data", categorical=("dest", "carrier")),
        lambda config: config.model_copy(update={"name": "other"}),
    ],
)
def test_the_key_of_a_training_sees_what_makes_it(
    config: ModelConfig, change: Callable[[ModelConfig], ModelConfig]
) -> None:
    """Another seed, window, feature or model is another training."""
    assert training_key(config, "rows", "pipeline") != training_key(change(config), "rows", "pipeline")


def test_the_key_of_a_training_is_blind_to_judgement(config: ModelConfig, root: Path) -> None:
    """Other gates, triggers or quality limits judge the same training, another cluster computes the same one.

    Other rows or pipelines make another.
    """
    digest = pipeline_digest(root, "flights")
    first = training_key(config, "a", digest)
    stricter = changed("gates", balanced_accuracy=0.9)(changed("quality", max_null_share=0.9)(config))

    assert first == training_key(stricter, "a", digest)
    assert first == training_key(changed("training", cluster="tcp://127.0.0.1:8786")(config), "a", digest)
    assert 3 == len({first, training_key(config, "b", digest), training_key(config, "a", "other")})


def test_a_candidate_survives_its_file(candidate: Any) -> None:
    """What train writes is what validate reads."""
    assert candidate == type(candidate).from_json(candidate.to_json())


def test_the_holdout_is_scored_for_the_baseline(model: Any, parts: Split, config: ModelConfig) -> None:
    """Twelve days of 2,348 rows the model was not fitted on, as it scores them, and what its scores are worth there."""
    found = holdout_scores(model, config, parts)
    total = np.sum([day.counts.array for day in found.days], axis=0)

    assert (12, 2_348) == (len(found.days), found.rows(BINARY))
    assert (dt.date(2013, 2, 18), dt.date(2013, 3, 1)) == (found.days[0].date, found.days[-1].date)
    assert int(parts.holdout["actual"].sum()) == total[:, 1].sum()
    assert found.calibration is not None
    chances = found.calibration.chances(1000)
    assert total[:, 1].sum() == pytest.approx(total.sum(1) @ chances, abs=1)
    # The classes weigh the same in training, so scores are too high: 0.5 means less than one late flight in three.
    assert chances[500] < 0.33
