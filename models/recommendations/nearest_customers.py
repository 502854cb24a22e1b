"""What customers buy who are like this one: decayed histories, the nearest of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from models.protocol import Features
from models.recommendations.frames import cutoff_of, purchases_of_all
from models.recommendations.lists import PersonalLists
from models.recommendations.popular import BOUGHT
from models.recommendations.purchases import (
    Purchases,
    as_candidates,
    best_of_each,
    on_sale,
    product_index,
    purchases,
)

NEIGHBOURS = 300
MOST_CUSTOMERS = 20_000
"""Customers among whom neighbours are looked for, drawn with the seed."""
BLOCK = 1_000
CANDIDATES = 100
PURCHASES = 200
REASON, OWN_REASON = "like_customers", "buy_again"


class NearestCustomers(PersonalLists):
    """TIFU-KNN: own share * own history + (1 - own share) * mean of the nearest histories (Hu et al. 2020).

    A history is times * 0.5 ** (days since the last purchase / half-life); the paper decays baskets and groups of them
    instead. Nearest by cosine, weighed by it. What a customer bought has reason `buy_again`.
    """

    name: ClassVar[str] = "nearest_customers"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {
        "own_share": (0.9, 0.5),
        "half_life_days": (180.0,),
        "popularity": (1.0, 0.0),
    }
    found_with = ("own_share", "half_life_days")

    def candidates(self, features: Features) -> pd.DataFrame:
        """The best of each customer and their neighbours."""
        names, half_life = product_index(features), self.weights["half_life_days"]
        known = purchases(features[BOUGHT], names)
        own = known.matrix(known.decayed(half_life), PURCHASES)
        everyone = purchases_of_all(features)
        key = (cutoff_of(features), half_life)
        crowd = self.once(key, lambda: _crowd(purchases(everyone, names), half_life, self.seed))
        shown = on_sale(features, names).astype(np.float32)
        starts = range(0, own.shape[0], BLOCK)
        parts = [self._best(own[start : start + BLOCK], crowd, shown, start) for start in starts]
        if not parts:
            return as_candidates(known, *_NOTHING, None, REASON)
        who, what, score, is_own = (np.concatenate(part) for part in zip(*parts, strict=True))
        found = as_candidates(known, who, what, score, None, REASON)
        return found.assign(reason=found["reason"].mask(is_own, OWN_REASON))

    def _best(self, own: Any, crowd: Any, shown: NDArray[np.float32], start: int) -> tuple[NDArray[Any], ...]:
        share = self.weights["own_share"]
        score = (1.0 - share) * (nearest(own, crowd) @ crowd).toarray() + share * own.toarray()
        score = (score * shown).astype(np.float32)
        bought = own.toarray() > 0
        if self.exclude_bought:
            score[bought] = 0.0
        row, what = best_of_each(score, CANDIDATES)
        return row + start, what, score[row, what].astype(np.float64), bought[row, what]


_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _crowd(known: Purchases, half_life_days: float, seed: int) -> sparse.csr_array:
    """[C, P] histories of at most MOST_CUSTOMERS customers."""
    history = known.matrix(known.decayed(half_life_days), PURCHASES)
    if history.shape[0] <= MOST_CUSTOMERS:
        return history
    drawn = np.sort(np.random.default_rng(seed).choice(history.shape[0], MOST_CUSTOMERS, replace=False))
    return history[drawn]


def nearest(own: Any, crowd: Any) -> sparse.csr_array:
    """[b, C] shares of each customer's nearest others by cosine, adding up to 1; a twin is taken for the same one."""
    similar = (_unit(own) @ _unit(crowd).T).toarray()
    similar[similar > 1.0 - 1e-6] = 0.0
    row, column = best_of_each(similar, NEIGHBOURS)
    found = sparse.csr_array((similar[row, column], (row, column)), shape=similar.shape)
    total = np.asarray(found.sum(axis=1)).ravel()
    return sparse.csr_array(sparse.diags_array(1.0 / np.where(total > 0, total, 1.0)) @ found)


def _unit(rows: Any) -> sparse.csr_array:
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1.0 / np.where(length > 0, length, 1.0)) @ rows)
