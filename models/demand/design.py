"""The design matrix of the global demand model: one row per product and target period.

Training and scoring share it. Everything in units is divided by the product's recent level, so that
one model fits products of every size; what lies before a product's first sale is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.demand.history import YEAR, Block, Floats, days_since, recent_mean, recent_quantiles
from models.demand.launches import against, borrowed
from models.demand.season import Aligned, aligned_years, grown_season, last_year, own_season, shared_season
from models.demand.shapes import common_shapes
from models.demand.spikes import spike_caps, without_spikes

LAGS = {7: 8, 1: 14, 30: 6, 91: 4}
WINDOWS = {
    7: (2, 4, 8, 13, 26, 52),
    1: (3, 7, 14, 28, 56, 91, 182, 364),
    30: (2, 3, 6, 12, 24),
    91: (2, 3, 4, 8),
}
"""Windows whose mean is a feature, in periods."""
LEVEL_WINDOWS = {7: (8, 26), 1: (28, 182), 30: (3, 12), 91: (2, 4)}
"""The level is the mean over both."""
SMALLEST_LEVEL = {7: 0.5, 1: 0.1, 30: 1.0, 91: 2.0}
"""Units a period: keeps the scaled target finite for products that hardly sell."""


@dataclass(frozen=True)
class Design:
    """The features of one cut-off, ready to be drawn into rows."""

    level: Floats
    """[n] units a period by which targets are divided."""
    by_product: Floats
    """[n, F1]"""
    by_period: Floats
    """[n, H, F2]"""
    last_year: Floats
    """[n, H] last year's units at this year's level, NaN where there is none."""

    def rows(self, drawn: NDArray[np.int64] | None = None) -> Floats:
        """[r, F1 + F2] features of the drawn rows (product * H + h - 1), all of them by default."""
        products, periods, count = self.by_period.shape
        if drawn is None:
            drawn = np.arange(products * periods, dtype=np.int64)
        flat = self.by_period.reshape(products * periods, count)
        return np.hstack([self.by_product[drawn // periods], flat[drawn]])


class Designer:
    """Makes the features of one cut-off, a part of its products at a time."""

    def __init__(self, block: Block, horizon: int, period_days: int, country: str | None = None) -> None:
        self.block = block
        self.horizon = horizon
        self.period_days = period_days
        self.caps = spike_caps(block)
        self.shared = shared_season(block, self.caps, horizon, period_days)
        self.aligned = aligned_years(block.as_of, horizon, period_days, country)
        self.borrowed = borrowed(block, self.caps, period_days)
        self.shapes = common_shapes(block, self.caps, period_days)

    def at(self, rows: NDArray[np.int64]) -> Design:
        """The features of the products at `rows`, and of every period ahead."""
        block, days = without_spikes(self.block.take(rows), self.caps[rows]), self.period_days
        level, shared = recent_level(block, days), self.shared.at(rows)
        smooth = self.shapes.smoothed(block.units, block.age)
        by_product = [*_recent(block, level, days), *_shape(block, level, days), *_dates_and_prices(block, days)]
        by_product += against(self.borrowed[rows], level)
        by_period = [*_calendar(block, self.aligned, days), *own_season(block, level, self.horizon, days)]
        by_period += grown_season(block, smooth, shared, level, self.aligned, days)
        return Design(
            level,
            np.column_stack(by_product).astype(np.float32),
            np.concatenate([np.stack(by_period, axis=2), shared], axis=2).astype(np.float32, copy=False),
            last_year(smooth, block.age, level, self.aligned, days),
        )


def build_design(block: Block, horizon: int, period_days: int) -> Design:
    """The features of every product and period ahead at one cut-off."""
    return Designer(block, horizon, period_days).at(np.arange(len(block)))


def recent_level(block: Block, period_days: int) -> Floats:
    """[n] mean units a period over a short and a long window, at least the smallest level."""
    means = [recent_mean(block, window) for window in LEVEL_WINDOWS[period_days]]
    return np.asarray(np.maximum(np.mean(means, axis=0), SMALLEST_LEVEL[period_days]), np.float32)


def _since_first_sale(block: Block, columns: int) -> Floats:
    """[n, columns] units of the latest periods, NaN before the first sale."""
    inside = np.arange(columns)[None] < block.age[:, None]
    return np.where(inside, block.units[:, :columns], np.nan).astype(np.float32)


def _recent(block: Block, level: Floats, period_days: int) -> list[Floats]:
    """Lags, window means and trends, by the level."""
    lags = _since_first_sale(block, LAGS[period_days]) / level[:, None]
    windows = [recent_mean(block, window) for window in WINDOWS[period_days]]
    trends = [
        np.log((short + 0.1 * level) / (long + 0.1 * level)) for short, long in zip(windows, windows[2:], strict=False)
    ]
    return [*lags.T, *[window / level for window in windows], *trends, np.log(level)]


def _shape(block: Block, level: Floats, period_days: int) -> list[Floats]:
    """How a series sells: share of zeros, spread, largest and middle values, mean of the periods with a sale."""
    features: list[Floats] = []
    for window in WINDOWS[period_days][-4:-1]:
        counted = np.minimum(block.age, window).astype(np.float32)
        recent = block.units[:, :window]
        selling = (recent > 0).sum(axis=1).astype(np.float32)
        mean = recent.sum(axis=1) / counted
        variance = (recent**2).sum(axis=1) / counted - mean**2
        features += [1.0 - selling / counted, np.sqrt(np.maximum(variance, 0.0)) / level]
        features += [recent.max(axis=1) / level, recent.sum(axis=1) / np.maximum(selling, 1.0) / level]
    middle = recent_quantiles(block, WINDOWS[period_days][-3], (0.5, 0.75))
    return [*features, *(middle / level)]


def _dates_and_prices(block: Block, period_days: int) -> list[Floats]:
    """Days since the first and last sale; the paid price now and against last year's.

    The list price is no feature: the store overwrites it, so the past cannot be read as it was known.
    """
    products = block.products
    window = WINDOWS[period_days][-1]
    sold = block.units[:, :window].sum(axis=1)
    paid = np.where(sold > 0, block.revenue[:, :window].sum(axis=1) / np.maximum(sold, 1e-9), np.nan)
    recent = products["avg_price_4"].to_numpy(np.float64, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        prices = [np.log1p(paid), np.where(paid > 0, np.log((recent + 0.01) / (paid + 0.01)), np.nan)]
    days = [days_since(products[name], block.as_of) for name in ("first_sold_on", "last_sold_on")]
    capped = np.minimum(days[0], 2.0 * 365.0)
    return [array.astype(np.float32) for array in (capped, days[1], *prices)]


def _calendar(block: Block, aligned: Aligned, period_days: int) -> list[Floats]:
    """[n, H] each: the horizon, the target's place in the year, how far its holidays moved, for days its weekday."""
    horizon = len(aligned.ahead)
    steps = np.arange(1, horizon + 1)
    middle = block.as_of + ((steps - 0.5) * period_days).astype("timedelta64[D]")
    day = (middle - middle.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    angle = 2.0 * np.pi * day / 365.25
    moved = aligned.ahead - (YEAR[period_days] - steps)
    columns = [steps.astype(np.float64), np.sin(angle), np.cos(angle), moved.astype(np.float64)]
    if period_days == 1:
        columns.append((middle.astype("datetime64[D]").astype(np.int64) % 7).astype(np.float64))
    return [np.broadcast_to(column.astype(np.float32), (len(block), horizon)) for column in columns]
