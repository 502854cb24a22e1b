"""What a customer bought before, the often and lately bought first."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features
from models.recommendations.frames import days_since
from models.recommendations.lists import PersonalLists
from models.recommendations.popular import BOUGHT

REASON = "buy_again"


class OwnHistory(PersonalLists):
    """Score times * 0.5 ** (days since the last purchase / half-life), from `customer_products`, times popularity.

    Repeat consumption by frequency and recency (Anderson et al. 2014; the baselines of Hu et al. 2020, TIFU-KNN).
    Where what was bought is left out nothing is left of it, and the list is the popular one.
    """

    name: ClassVar[str] = "own_history"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {
        "half_life_days": (180.0, 45.0, 90.0, 365.0),
        "popularity": (1.0, 0.0),
    }
    found_with = ("half_life_days",)

    def candidates(self, features: Features) -> pd.DataFrame:
        """Every product that a customer bought."""
        bought = features[BOUGHT]
        score = own_scores(bought, self.weights["half_life_days"])
        found = bought[["customer_id", "product_id"]].assign(score=score, reason=REASON, reason_product_id=None)
        return found[found["score"] > 0]


def own_scores(bought: pd.DataFrame, half_life_days: float) -> NDArray[np.float64]:
    """[n] how much each (customer, product) counts."""
    times = np.maximum(bought["times"].to_numpy(np.float64), 0.0)
    return np.asarray(times * 0.5 ** (days_since(bought) / half_life_days), dtype=np.float64)
