"""Demand: units ordered by product and period, with a band."""

from models.demand.forecasts import DemandModel
from models.demand.recent_mean import RecentMean
from models.demand.seasonal_naive import SeasonalNaive
from models.demand.tsb import TSB
from models.demand.xgboost_quantiles import XGBoostQuantiles

CONTESTANTS: tuple[type[DemandModel], ...] = (SeasonalNaive, RecentMean, TSB, XGBoostQuantiles)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "TSB", "RecentMean", "SeasonalNaive", "XGBoostQuantiles"]
