"""Recommendations: what each customer is shown, in order."""

from models.recommendations.co_purchase import CoPurchase
from models.recommendations.ease import Ease
from models.recommendations.lists import PersonalLists
from models.recommendations.nearest_customers import NearestCustomers
from models.recommendations.own_history import OwnHistory
from models.recommendations.popular import PopularEver, PopularRecent
from models.recommendations.ranker import XGBoostRanker

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent] | type[PersonalLists], ...] = (
    PopularEver,
    PopularRecent,
    OwnHistory,
    CoPurchase,
)
"""The models that the gate compares, the baseline first."""
READY: tuple[type[PersonalLists], ...] = (Ease, NearestCustomers, XGBoostRanker)
"""Models that keep the protocol and may become contestants."""

__all__ = [
    "CONTESTANTS",
    "READY",
    "CoPurchase",
    "Ease",
    "NearestCustomers",
    "OwnHistory",
    "PopularEver",
    "PopularRecent",
    "XGBoostRanker",
]
