"""Demand that comes now and then: how likely a period sells, and how much it then sells."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from models.demand.forecasts import DemandModel, Forecast
from models.demand.history import Block
from models.demand.recent_mean import spread

SMOOTHING = 0.1
"""Weight of the newest period in the probability, and of the newest sale in its size."""


class TSB(DemandModel):
    """Teunter, Syntetos and Babai (2011): exponential smoothing of the probability of a sale and of its size.

    Flat over the horizon. Starts from the probability and mean size of the periods since the first sale; unlike
    Croston's, the forecast of a product that stops selling fades. The band is that of the recent mean.
    """

    name: ClassVar[str] = "tsb"

    def _forecast(self, block: Block) -> Forecast:
        selling = block.units > 0
        times = selling.sum(axis=1)
        size = block.units.sum(axis=1, dtype=np.float64) / np.maximum(times, 1)
        chance = times / block.age
        for ago in range(block.units.shape[1], 0, -1):
            units, is_known = block.units[:, ago - 1].astype(np.float64), block.age >= ago
            sold = units > 0
            chance += np.where(is_known, SMOOTHING * (sold - chance), 0.0)
            size += np.where(sold, SMOOTHING * (units - size), 0.0)
        point, (low, high) = chance * size, spread(block)
        level = [np.repeat(values[:, None], self.horizon, axis=1) for values in (point, point + low, point + high)]
        return Forecast(level[0], level[1], level[0], level[2])
