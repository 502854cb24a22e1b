"""Figures of a fraud model on one or more windows, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.bootstrap import Estimate, interval, paired_gain
from models.metrics import DENOMINATOR, NUMERATOR, over_all
from models.risk import metrics
from models.risk.payments import PROBABILITY

CARDS = 100
"""Customers that can be looked at in a day."""
BINS = 15
MEASURES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "roc_auc": metrics.roc_auc,
    "average_precision": metrics.average_precision,
    "brier": metrics.brier,
    "log_loss": metrics.log_loss,
    "expected_calibration_error": lambda judged: metrics.expected_calibration_error(judged, BINS),
    "probability_over_frauds": lambda judged: probability_over_frauds(judged),
}
HIGHER_IS_BETTER = ("roc_auc", "average_precision")


def probability_over_frauds(judged: pd.DataFrame) -> pd.DataFrame:
    """The sum of the probabilities by the number of frauds: 1 where the probability means what it says."""
    sums = judged.groupby("entity", sort=True)[[PROBABILITY, "is_fraud"]].sum().astype(np.float64)
    return sums.set_axis([NUMERATOR, DENOMINATOR], axis=1)


def card_precision(judged: pd.DataFrame, k: int = CARDS) -> list[float]:
    """Of each day, the share of frauds' customers among the k riskiest; one that was found is not looked at again.

    The CP@k of Le Borgne et al. (2022), chapter 4.
    """
    found: set[str] = set()
    shares = []
    for _, rows in judged.groupby("day", sort=True):
        rows = rows[~rows["entity"].isin(found)]
        cards = rows.groupby("entity", sort=True)[[PROBABILITY, "is_fraud"]].max()
        first = cards.sort_values(PROBABILITY, ascending=False, kind="stable").head(k)
        hits = first.index[first["is_fraud"].astype(bool)]
        found |= set(hits)
        shares.append(len(hits) / k)
    return shares


def figures(windows: Sequence[pd.DataFrame], *, seed: int, resamples: int) -> dict[str, Any]:
    """Each metric: the mean over the windows, and the interval of the windows pooled, customers resampled."""
    found: dict[str, Any] = {}
    for name, measure in MEASURES.items():
        parts = [measure(judged) for judged in windows]
        alone = [interval(part, resamples=1, seed=seed).value for part in parts]
        pooled = interval(_pooled(parts), seed=seed, resamples=resamples)
        found[name] = [round(float(np.mean(alone)), 5), round(pooled.low, 5), round(pooled.high, 5)]
    days = [share for judged in windows for share in card_precision(judged)]
    found[f"card_precision_at_{CARDS}"] = _by_days(days, seed, resamples)
    return found | {"n": sum(map(len, windows)), "frauds": int(sum(judged["is_fraud"].sum() for judged in windows))}


def gains(ours: Sequence[pd.DataFrame], other: Sequence[pd.DataFrame], *, seed: int, resamples: int) -> dict[str, Any]:
    """How much better ours is, as a share of the other's figure, windows pooled, with its interval."""
    found = {}
    for name in ("roc_auc", "average_precision", "brier", "log_loss"):
        pair = [_pooled([MEASURES[name](judged) for judged in windows]) for windows in (ours, other)]
        gain: Estimate = paired_gain(*pair, higher_is_better=name in HIGHER_IS_BETTER, seed=seed, resamples=resamples)
        found[name] = [round(value, 4) for value in gain]
    return found


def _pooled(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return over_all(pd.concat(parts)).groupby(level=0, sort=True).sum()


def _by_days(shares: list[float], seed: int, resamples: int) -> list[float]:
    drawn = np.random.default_rng(seed).choice(shares, (resamples, len(shares))).mean(axis=1)
    return [round(float(value), 5) for value in (np.mean(shares), *np.quantile(drawn, (0.025, 0.975)))]
