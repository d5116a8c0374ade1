from __future__ import annotations

import datetime as dt

from core.wording import distinct, metric, sentence_case, span


def test_different_numbers_look_different() -> None:
    """As many digits as needed, and no more than nine."""
    assert ["0.500", "0.600"] == distinct(0.5, 0.6)
    assert ["0.59996", "0.60000"] == distinct(0.59996, 0.6)
    assert ["0.500", "0.500"] == distinct(0.5, 0.5)
    assert 2 == len(distinct(0.1, 0.1 + 1e-16))


def test_days_are_named_by_the_first_and_the_last() -> None:
    """The end is not part of a span, so the day before it is named."""
    assert "24 Feb to 2 Mar 2013" == span(dt.date(2013, 2, 24), dt.date(2013, 3, 3))


def test_metrics_are_words() -> None:
    """Names of the config read as English, also at the start of a sentence."""
    assert "Balanced accuracy" == sentence_case(metric("balanced_accuracy"))
    assert "ROC AUC" == sentence_case(metric("roc_auc"))
