"""Seasonal naive: what sold in the same period a season ago."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from models.demand.forecasts import DemandModel, Forecast
from models.demand.history import Block, Floats, recent_mean
from models.demand.recent_mean import WINDOW

SEASON = {7: 52, 1: 7, 30: 12, 91: 4}
"""Periods in a season by days in a period: a year of weeks, months (30) or quarters (91), a week of days."""
_RESIDUALS = {7: 26, 1: 56, 30: 12, 91: 4}


class SeasonalNaive(DemandModel):
    """Repeats the last season (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2).

    A product younger than a season gets its recent mean. The band adds the 10% and 90% quantiles
    of the rule's own errors over the last half year of weeks (eight weeks of days, a year of months or quarters).
    """

    name: ClassVar[str] = "seasonal_naive"

    def _forecast(self, block: Block) -> Forecast:
        season = SEASON[self.period_days]
        steps = np.arange(1, self.horizon + 1)
        columns = season * -(-steps // season) - steps  # the target period, whole seasons earlier
        old_enough = columns[None] < block.age[:, None]
        point = np.where(old_enough, block.units[:, columns], recent_mean(block, WINDOW)[:, None])
        low, high = self._errors(block, season)
        return Forecast(point, point + low[:, None], point, point + high[:, None])

    def _errors(self, block: Block, season: int) -> tuple[Floats, Floats]:
        """Two [n] arrays: the 10% and 90% quantiles of the errors, the low one at most 0, the high one at least 0."""
        count = min(_RESIDUALS[self.period_days], block.units.shape[1] - season)
        earlier = np.arange(count)[None] + season < block.age[:, None]
        mean = recent_mean(block, WINDOW)[:, None]
        errors = block.units[:, :count] - np.where(earlier, block.units[:, season : season + count], mean)
        low, high = np.quantile(errors, [0.1, 0.9], axis=1) if count else np.zeros((2, len(block)))
        return np.minimum(low, 0.0).astype(np.float32), np.maximum(high, 0.0).astype(np.float32)
