"""Recommendations: what each customer is shown, in order."""

from models.recommendations.co_purchase import CoPurchase
from models.recommendations.ease import Ease
from models.recommendations.lists import PersonalLists
from models.recommendations.nearest_customers import NearestCustomers
from models.recommendations.own_history import OwnHistory
from models.recommendations.popular import PopularEver, PopularRecent
from models.recommendations.ranker import XGBoostRanker
from models.recommendations.sequence_transformer import SequenceTransformer

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent] | type[PersonalLists], ...] = (
    PopularEver,
    PopularRecent,
    OwnHistory,
    CoPurchase,
    NearestCustomers,
    Ease,
    SequenceTransformer,
    XGBoostRanker,
)
"""The models that the gate compares, the baseline first."""

__all__ = [
    "CONTESTANTS",
    "CoPurchase",
    "Ease",
    "NearestCustomers",
    "OwnHistory",
    "PopularEver",
    "PopularRecent",
    "SequenceTransformer",
    "XGBoostRanker",
]
