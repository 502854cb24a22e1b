"""Recommendations: what each customer is shown, in order."""

from models.recommendations.own_history import OwnHistory
from models.recommendations.popular import PopularEver, PopularRecent

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent] | type[OwnHistory], ...] = (
    PopularEver,
    PopularRecent,
    OwnHistory,
)
"""The models that the gate compares, the baseline first.

`co_purchase.CoPurchase` and `co_purchase.OwnAndTogether` join once the snapshot has the frame `order_products`:
add them here, and the frame to `RecommendationsOutput.features`.
"""

__all__ = ["CONTESTANTS", "OwnHistory", "PopularEver", "PopularRecent"]
