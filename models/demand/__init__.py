"""Demand: units ordered by product and period, with a band."""

from models.demand.recent_mean import RecentMean
from models.demand.seasonal_naive import SeasonalNaive
from models.demand.xgboost_quantiles import XGBoostQuantiles

CONTESTANTS: tuple[type[SeasonalNaive] | type[RecentMean] | type[XGBoostQuantiles], ...] = (
    SeasonalNaive,
    RecentMean,
    XGBoostQuantiles,
)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "RecentMean", "SeasonalNaive", "XGBoostQuantiles"]
