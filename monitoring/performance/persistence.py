"""How much confidence the performance trigger needs, judged for a year of nightly runs instead of one.

Each nightly run looks at the last `window_days`, twice and four times as many days of mature labels, because a large
fall shows in a week and a small one only in a month. A look fires if the upper bound of its score is under the limit,
at the confidence that the noise of the look requires:

    z = clip(9 * error / (2 * max_drop), z(confidence), z(0.995))                 with z(c) the quantile of a normal

The first part is the log-likelihood ratio of a CUSUM (Page 1954): with `null` the reference and `fallen` the reference
minus twice `max_drop`, both Gaussian, it is log L(fallen) / L(null) = 2 * max_drop * (limit - score) / error squared.
A log-likelihood ratio of 9 appears by chance at most about once in exp(9) = 8,000 nights (Lorden 1971). Precise looks
therefore need `confidence` and noisy ones 99.5%. The overlap of nightly windows is part of the simulation that chose
these numbers (`python -m bench.year`).

Nothing is remembered between runs: the three looks are recomputed from the daily tallies of each nightly run.
"""

from __future__ import annotations

from statistics import NormalDist

EVIDENCE = 9.0  # log-likelihood ratio at which a look fires
ENOUGH = 0.995  # confidence that is always enough
NORMAL = NormalDist()


def required_confidence(error: float, max_drop: float, confidence: float) -> float:
    """Return the confidence at which a look with this standard error fires.

    A `max_drop` of 0 requires 99.5%, because no error is small compared with it. A `confidence` above 99.5% is always
    required; 0.5 leaves only the evidence to decide.
    """
    enough = NORMAL.inv_cdf(ENOUGH)
    evidence = EVIDENCE * error / (2 * max_drop) if max_drop > 0 else enough
    # Not by way of a quantile, whose rounding would make 95% another number than 0.95.
    return max(confidence, NORMAL.cdf(evidence) if evidence < enough else ENOUGH)
