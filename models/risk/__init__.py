"""Risk: how likely each payment is to be charged back, why, and what to do about it."""

from models.risk.amount_rule import AmountRule
from models.risk.decision import decide
from models.risk.xgboost_risk import XGBoostRisk

CONTESTANTS: tuple[type[AmountRule] | type[XGBoostRisk], ...] = (AmountRule, XGBoostRisk)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "AmountRule", "XGBoostRisk", "decide"]
