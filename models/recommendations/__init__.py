"""Recommendations: what each customer is shown, in order."""

from models.recommendations.co_purchase import CoPurchase
from models.recommendations.own_history import OwnHistory
from models.recommendations.popular import PopularEver, PopularRecent

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent] | type[OwnHistory] | type[CoPurchase], ...] = (
    PopularEver,
    PopularRecent,
    OwnHistory,
    CoPurchase,
)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "CoPurchase", "OwnHistory", "PopularEver", "PopularRecent"]
