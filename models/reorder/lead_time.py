"""Demand over a lead time: the forecast's periods added up, with a spread of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
BAND = 2.0 * float(ndtri(0.9))
"""Standard deviations between the 10% and 90% quantiles of a normal distribution."""
WEEK = 7
CORRELATION = 0.3
"""Between the errors of two weeks of a product; found on windows before those reported (docs/experiments.md)."""
LEAST = 1e-6
"""Units that a mean is taken to be at least, where it is in doubt."""

LEAST_LEVEL = 0.01
STEPS = 30
"""Of the search for a level."""


class Periods(NamedTuple):
    """Mean and standard deviation, each [n, H], of the units sold within each period of so many days."""

    mean: Floats
    spread: Floats
    days: int


class Demand(NamedTuple):
    """Mean and standard deviation, each [n], of the units sold within some days, which are taken as lognormal: of the
    distributions tried the one whose quantiles held best (docs/experiments.md)."""

    mean: Floats
    spread: Floats


def periods_of(forecasts: pd.DataFrame, product: pd.Series, days: int) -> Periods:
    """The forecast of each product; the spread is the band's, read as a normal's."""
    mean, low, high = (
        forecasts.pivot(index="product_id", columns="horizon", values=name)
        .reindex(product)
        .sort_index(axis=1)
        .to_numpy(np.float64)
        for name in ("units_mean", "units_p10", "units_p90")
    )
    return Periods(mean, np.maximum(high - low, 0.0) / BAND, days)


def demand_within(periods: Periods, days: Floats) -> Demand:
    """Demand over [n] numbers of days; past the horizon each period is like the last.

    The variance is that of a sum whose parts are correlated alike: (1 - r) * sum of squares + r * square of the sum.
    """
    means, spreads = periods.mean, periods.spread
    if not means.size:
        return Demand(np.zeros(len(means)), np.zeros(len(means)))
    horizon, count = means.shape[1], days / periods.days
    share = np.clip(count[:, None] - np.arange(horizon)[None], 0.0, 1.0)  # [n, H]
    share[:, -1] += np.maximum(count - horizon, 0.0)
    alike = correlation(periods.days)
    variance = (1.0 - alike) * (spreads**2 * share).sum(axis=1) + alike * (spreads * share).sum(axis=1) ** 2
    return Demand((means * share).sum(axis=1), np.sqrt(variance))


def mean_daily(periods: Periods) -> Floats:
    """[n] units a day over the horizon."""
    return np.asarray(periods.mean.sum(axis=1) / (max(periods.mean.shape[1], 1) * periods.days))


def correlation(days: int) -> float:
    """Between the errors of two periods of so many days, such that weeks made of them are correlated as CORRELATION."""
    return CORRELATION * days / (WEEK - CORRELATION * (WEEK - days))


def quantile(demand: Demand, level: Floats) -> Floats:
    """[n] units at [n] levels."""
    middle, width = _logs(demand)
    return np.asarray(np.where(width > 0, np.exp(middle + ndtri(level) * width), demand.mean))


def level_of_ratio(ratio: Floats, demand: Demand, ordered: Floats) -> Floats:
    """[n] service level at which a unit more is short in a cycle, and was not before it, with the chance 1 - ratio.

    What is short even when `ordered` units more have come was short a cycle before (Silver, Pyke and Thomas 2017,
    chapter 6, on small orders). From the ratio down to the first level that holds; where orders are large, the ratio.
    """
    level = ratio
    for _ in range(STEPS):
        level = np.maximum(ratio - probability_short(demand, quantile(demand, level) + ordered), LEAST_LEVEL)
    return np.asarray(level)


def probability_short(demand: Demand, units: Floats) -> Floats:
    """[n] chance that more than so many units sell."""
    return np.asarray(ndtr(-_z(demand, units)), dtype=np.float64)


def units_short(demand: Demand, units: Floats) -> Floats:
    """[n] expected units that cannot be sold: of a lognormal, mean * chance(z - width) - units * chance(z)."""
    z, width = _z(demand, units), _logs(demand)[1]
    short = demand.mean * ndtr(width - z) - np.maximum(units, 0.0) * ndtr(-z)
    return np.asarray(np.where(width > 0, np.maximum(short, 0.0), np.maximum(demand.mean - units, 0.0)))


def _logs(demand: Demand) -> tuple[Floats, Floats]:
    """Mean and standard deviation, each [n], of the logarithm of units."""
    mean = np.maximum(demand.mean, LEAST)
    variance = np.log1p((demand.spread / mean) ** 2)
    return np.log(mean) - variance / 2.0, np.sqrt(variance)


def _z(demand: Demand, units: Floats) -> Floats:
    middle, width = _logs(demand)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (np.log(np.maximum(units, 0.0)) - middle) / width
    return np.asarray(np.where(width > 0, z, np.where(units >= demand.mean, np.inf, -np.inf)))
