"""What customers buy who bought what a customer bought: item-to-item over customers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from models.protocol import Features
from models.recommendations.frames import cutoff_of, days_since, purchases_of_all
from models.recommendations.lists import PersonalLists
from models.recommendations.own_history import own_scores
from models.recommendations.popular import BOUGHT, PRODUCTS
from models.recommendations.purchases import gave_most

Floats = NDArray[np.float64]
REASON = "bought_together"
NEIGHBOURS = 60
"""Products kept for each product."""
BASKET_DAYS = 365
"""Days before the cut-off in which a customer last bought what counts as bought together."""
SHRINKAGE = 5.0
"""Joint customers that a pair is drawn to nothing by."""
CELLS = 20_000_000
"""Scores held at once, of some customers or products with all products: bounds the memory."""
PURCHASES = 20
"""Purchases of a customer that count, the heaviest."""
CANDIDATES = 40
"""Products kept for each customer."""
OWN_HALF_LIFE = 180.0
"""Days after which a purchase counts half as the start of a pair."""


class CoPurchase(PersonalLists):
    """Cosine of two products over the last year's customers, summed over what one bought (Linden et al. 2003).

    similarity(i, j) = joint / sqrt(n_i * n_j) * joint / (joint + 5), n the customers of a product.
    reason_product_id is the bought product that gave most.
    """

    name: ClassVar[str] = "co_purchase"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"popularity": (0.0, 1.0)}
    found_with = ()

    def candidates(self, features: Features) -> pd.DataFrame:
        """The best of what goes with each customer's purchases."""
        names = pd.Index(features[PRODUCTS]["product_id"]).sort_values()
        bought = features[BOUGHT][["customer_id", "product_id"]].assign(
            weight=own_scores(features[BOUGHT], OWN_HALF_LIFE),
            item=names.get_indexer(features[BOUGHT]["product_id"]),
        )
        bought = bought[bought["item"] >= 0].sort_values(
            ["customer_id", "weight", "item"], ascending=[True, False, True]
        )
        bought = bought[bought.groupby("customer_id", sort=False).cumcount() < PURCHASES]
        everyone, on_sale = purchases_of_all(features), _on_sale(features[PRODUCTS], names)
        near = self.once(cutoff_of(features), lambda: neighbours(_lately(everyone), names, on_sale))
        codes, customers = pd.factorize(bought["customer_id"], sort=True)
        own = sparse.csr_array(
            (bought["weight"].to_numpy(), (codes, bought["item"].to_numpy())), shape=(len(customers), len(names))
        )
        parts = [_best(own[rows], near, rows.start, self.exclude_bought) for rows in _blocks(own.shape)]
        who, what, score, why = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _nothing()
        return pd.DataFrame(
            {
                "customer_id": pd.Series(customers).take(who).reset_index(drop=True),
                "product_id": pd.Series(names).take(what).reset_index(drop=True),
                "score": score,
                "reason": REASON,
                "reason_product_id": pd.Series(names).take(why).reset_index(drop=True),
            }
        )


def _lately(bought: pd.DataFrame) -> pd.DataFrame:
    return bought[days_since(bought) <= BASKET_DAYS]


def _on_sale(products: pd.DataFrame, names: pd.Index) -> NDArray[np.bool_]:
    """[P] whether a product may be shown."""
    return np.asarray(names.isin(products.loc[products["is_active"].astype(bool), "product_id"]))


def neighbours(bought: pd.DataFrame, names: pd.Index, on_sale: NDArray[np.bool_] | None = None) -> sparse.csr_array:
    """[P, P] similarity of each product (row) to its nearest products that are on sale, zero elsewhere."""
    pairs = bought.assign(item=names.get_indexer(bought["product_id"]))[["customer_id", "item"]]
    pairs = pairs[pairs["item"] >= 0].drop_duplicates()
    rows = pd.factorize(pairs["customer_id"])[0]
    shape = (int(rows.max(initial=-1)) + 1, len(names))
    basket = sparse.csr_array((np.ones(len(pairs), np.float32), (rows, pairs["item"].to_numpy())), shape=shape)
    count = np.maximum(np.asarray(basket.sum(axis=0), np.float64), 1.0)
    shown = np.ones(len(names), bool) if on_sale is None else on_sale
    other = sparse.csr_array(basket.T)
    blocks = _blocks((len(names), len(names)))
    parts = [_nearest(other[rows] @ basket, rows.start, count, shown) for rows in blocks]
    return sparse.csr_array(sparse.vstack(parts, format="csr")) if parts else sparse.csr_array((0, 0))


def _blocks(shape: tuple[int, ...]) -> list[slice]:
    """The rows of an array of this shape in blocks of at most CELLS values."""
    size = max(1, CELLS // max(shape[1], 1))
    return [slice(start, start + size) for start in range(0, shape[0], size)]


def _nearest(joint: sparse.csr_array, start: int, count: Floats, shown: NDArray[np.bool_]) -> sparse.csr_array:
    """[b, P] joint customers of the products from `start` on -> similarity to the NEIGHBOURS nearest of each."""
    both = joint.toarray()
    own = start + np.arange(len(both))
    both[np.arange(len(both)), own] = 0.0
    both[:, ~shown] = 0.0
    similar = both**2 / ((both + SHRINKAGE) * np.sqrt(np.outer(count[own], count)))
    best = np.argpartition(-similar, min(NEIGHBOURS, similar.shape[1] - 1), axis=1)[:, :NEIGHBOURS]
    row, place = np.nonzero(np.take_along_axis(similar, best, axis=1) > 0)
    column = best[row, place]
    return sparse.csr_array((similar[row, column], (row, column)), shape=similar.shape)


def _best(own: Any, near: sparse.csr_array, start: int, exclude_bought: bool) -> tuple[NDArray[Any], ...]:
    """The best products of each of these customers: who, what, score, and which purchase gave most."""
    score = (own @ near).toarray()
    if exclude_bought:
        score[own.nonzero()] = 0.0
    best = np.argpartition(-score, min(CANDIDATES, score.shape[1] - 1), axis=1)[:, :CANDIDATES]
    who, place = np.nonzero(np.take_along_axis(score, best, axis=1) > 0)
    what = best[who, place]
    return who + start, what, score[who, what].astype(np.float64), gave_most(own, near, who, what)


def _nothing() -> tuple[NDArray[Any], ...]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
