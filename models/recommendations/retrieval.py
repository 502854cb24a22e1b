"""The retrieval sources of the ranker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.recommendations.co_purchase import CoPurchase
from models.recommendations.ease import Ease
from models.recommendations.lists import PersonalLists
from models.recommendations.nearest_customers import NearestCustomers
from models.recommendations.new_products import NewProducts
from models.recommendations.own_history import OwnHistory


def sources(top_k: int, exclude_bought: bool, seed: int) -> Mapping[str, PersonalLists]:
    """The retrieval sources, with weights chosen on cut-offs before those reported (docs/experiments.md)."""
    settings: dict[str, Any] = {"top_k": top_k, "exclude_bought": exclude_bought, "seed": seed}
    near = NearestCustomers(**settings)
    near.weights |= {"own_share": 0.0, "half_life_days": 90.0, "popularity": 0.0}
    found: dict[str, PersonalLists] = {
        OwnHistory.name: OwnHistory(**settings),
        Ease.name: Ease(**settings),
        NearestCustomers.name: near,
        CoPurchase.name: CoPurchase(**settings),
        NewProducts.name: NewProducts(**settings),
    }
    return {name: found[name] for name in found if not (exclude_bought and name == OwnHistory.name)}
