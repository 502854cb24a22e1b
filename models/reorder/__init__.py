"""The reorder plan: how many units of each product to order tonight, from forecast, lead time, stock and costs."""

from models.reorder.costs import Costs, critical_ratio, economic_days
from models.reorder.lead_time import BAND
from models.reorder.plan import COLUMNS, reorder_plan

__all__ = ["BAND", "COLUMNS", "Costs", "critical_ratio", "economic_days", "reorder_plan"]
