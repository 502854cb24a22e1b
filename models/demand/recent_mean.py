"""The mean of the last eight periods: flat, hard to beat on short histories."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from models.demand.forecasts import DemandModel, Forecast
from models.demand.history import Block, Floats

WINDOW = 8
_SPREAD = 26


class RecentMean(DemandModel):
    """Mean of the last eight periods (of those since the first sale, where these are fewer).

    The band is the series' own: the 10% and 90% quantiles of its last 26 periods, moved to the
    present mean.
    """

    name: ClassVar[str] = "recent_mean"

    def _forecast(self, block: Block) -> Forecast:
        point = recent_mean(block)
        low, high = spread(block)
        level = [np.repeat(values[:, None], self.horizon, axis=1) for values in (point, point + low, point + high)]
        return Forecast(level[0], level[1], level[0], level[2])


def recent_mean(block: Block, window: int = WINDOW) -> Floats:
    """[n] mean units of the last `window` periods since the first sale."""
    counted = np.minimum(block.age, window).astype(np.float32)
    return np.asarray(block.units[:, :window].sum(axis=1) / counted, np.float32)


def spread(block: Block) -> tuple[Floats, Floats]:
    """Two [n] arrays: how far the 10% and 90% quantiles of the last 26 periods lie from their mean."""
    recent = block.units[:, :_SPREAD]
    inside = np.arange(recent.shape[1])[None] < block.age[:, None]
    known = np.where(inside, recent, np.nan)
    if not len(block):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    low, high = np.nanquantile(known, [0.1, 0.9], axis=1) - np.nanmean(known, axis=1)
    return np.minimum(low, 0.0).astype(np.float32), np.maximum(high, 0.0).astype(np.float32)
