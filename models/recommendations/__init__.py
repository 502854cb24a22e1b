"""Recommendations: what each customer is shown, in order."""

from models.recommendations.co_purchase import CoPurchase, OwnAndTogether
from models.recommendations.own_history import OwnHistory
from models.recommendations.popular import PopularEver, PopularRecent

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent] | type[OwnHistory] | type[CoPurchase], ...] = (
    PopularEver,
    PopularRecent,
    OwnHistory,
    CoPurchase,
    OwnAndTogether,
)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "CoPurchase", "OwnAndTogether", "OwnHistory", "PopularEver", "PopularRecent"]
