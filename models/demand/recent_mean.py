"""The mean of the last eight periods: flat, hard to beat on short histories."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from models.demand.forecasts import DemandModel, Forecast
from models.demand.history import Block, Floats, recent_mean, recent_quantiles

WINDOW = 8
_SPREAD = 26


class RecentMean(DemandModel):
    """Mean of the last eight periods (of those since the first sale, where these are fewer).

    The band is the series' own: the 10% and 90% quantiles of its last 26 periods, moved to the
    present mean.
    """

    name: ClassVar[str] = "recent_mean"

    def _forecast(self, block: Block) -> Forecast:
        point = recent_mean(block, WINDOW)
        low, high = spread(block)
        level = [np.repeat(values[:, None], self.horizon, axis=1) for values in (point, point + low, point + high)]
        return Forecast(level[0], level[1], level[0], level[2])


def spread(block: Block) -> tuple[Floats, Floats]:
    """Two [n] arrays: how far the 10% and 90% quantiles of the last 26 periods lie from their mean."""
    low, high = recent_quantiles(block, _SPREAD, (0.1, 0.9)) - recent_mean(block, _SPREAD)
    return np.minimum(low, 0.0), np.maximum(high, 0.0)
