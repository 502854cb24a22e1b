"""What categories and the whole store will sell: the products' means added up, with bands of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import ndtri

from models.demand.forecasts import MEAN, P10, P50, P90

CATEGORY, TOTAL = "category", "total"
EVERYTHING, NO_CATEGORY = "all", "(none)"
"""Keys of the store, and of the products without a category."""
CORRELATION = {CATEGORY: 0.3, TOTAL: 0.15}
"""Between the errors of two products; found on a window before those reported (docs/experiments.md)."""
SMALLEST_SHAPE = 0.01
"""Of the gamma distribution: nearly all of it at zero."""
COLUMNS = ["level", "key", "horizon", MEAN, P10, P50, P90]
_BAND = 2.0 * float(ndtri(0.9))  # standard deviations between the 10% and the 90% quantile of a normal


def demand_totals(forecasts: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    """level, key, horizon and units of each category and of the store, sorted by the first three.

    forecasts: product_id, horizon, units_mean, units_p10, units_p90. categories: product_id, category (nulls may be).
    Bottom-up (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 11.2): means add up over the levels.
    The band is a gamma distribution's of that mean, its variance that of a sum whose parts are correlated alike.
    """
    rows = forecasts[["product_id", "horizon", MEAN, P10, P90]].merge(
        categories, on="product_id", how="left", validate="many_to_one"
    )
    spread = (rows[P90] - rows[P10]).to_numpy(np.float64) / _BAND
    named = rows["category"].astype(object).where(rows["category"].notna(), NO_CATEGORY).astype(str)
    parts = pd.DataFrame(
        {"key": named, "horizon": rows["horizon"], MEAN: rows[MEAN], "spread": spread, "square": spread**2}
    )
    by_category = parts.groupby(["key", "horizon"], sort=True).sum().reset_index()
    total = by_category.drop(columns="key").groupby("horizon", sort=True).sum().reset_index()
    levels = [by_category.assign(level=CATEGORY), total.assign(level=TOTAL, key=EVERYTHING)]
    return _with_band(pd.concat(levels, ignore_index=True))[COLUMNS]


def _with_band(sums: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of each sum; all are the mean where nothing is in doubt."""
    mean = sums[MEAN].to_numpy(np.float64)
    alike = sums["level"].map(CORRELATION)
    variance = ((1.0 - alike) * sums["square"] + alike * sums["spread"] ** 2).to_numpy(np.float64)
    is_sure = (variance <= 0) | (mean <= 0)
    shape = np.maximum(np.where(is_sure, 1.0, mean**2 / np.where(is_sure, 1.0, variance)), SMALLEST_SHAPE)
    scale = np.where(is_sure, 1.0, mean / shape)
    found = {
        name: np.where(is_sure, mean, stats.gamma.ppf(level, shape, scale=scale))
        for name, level in ((P10, 0.1), (P50, 0.5), (P90, 0.9))
    }
    return sums.assign(**found)
