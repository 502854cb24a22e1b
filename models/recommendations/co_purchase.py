"""What customers buy who bought what a customer bought: item-to-item over customers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from models.protocol import Features
from models.recommendations.lists import EVERYONE, PersonalLists, days_since
from models.recommendations.own_history import REASON as BUY_AGAIN
from models.recommendations.own_history import own_scores
from models.recommendations.popular import BOUGHT, PRODUCTS

REASON = "bought_together"
NEIGHBOURS = 60
"""Products kept for each product."""
BASKET_DAYS = 365
"""Days before the cut-off in which a customer last bought what counts as bought together."""
SHRINKAGE = 5.0
"""Joint customers that a pair is drawn to nothing by."""
BLOCK = 2_000
"""Customers scored at once."""
PURCHASES = 50
"""Purchases of a customer that count, the heaviest."""
CANDIDATES = 60
"""Products kept for each customer."""
OWN_HALF_LIFE = 180.0
"""Days after which a purchase counts half as the start of a pair."""


class CoPurchase(PersonalLists):
    """Cosine of two products over the last year's customers, summed over what one bought (Linden et al. 2003).

    similarity(i, j) = joint / sqrt(n_i) / n_j ** damping * joint / (joint + 5), n the customers of a product: damping
    .5 is the cosine, 1 favours rare products. reason_product_id is the bought product that gave most.
    """

    name: ClassVar[str] = "co_purchase"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"damping": (0.3, 0.5), "popularity": (0.0, 1.0)}

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
        near = neighbours(
            _lately(features.get(EVERYONE, features[BOUGHT])),
            names,
            self.weights["damping"],
            _on_sale(features[PRODUCTS], names),
        )
        codes, customers = pd.factorize(bought["customer_id"], sort=True)
        own = sparse.csr_array(
            (bought["weight"].to_numpy(), (codes, bought["item"].to_numpy())), shape=(len(customers), len(names))
        )
        starts = range(0, len(customers), BLOCK)
        parts = [_best(own[start : start + BLOCK], near, start, self.exclude_bought) for start in starts]
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


class OwnAndTogether(CoPurchase):
    """Own history plus a fixed share of what is bought together; each customer's best of either counts 1."""

    name: ClassVar[str] = "own_and_together"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {
        "half_life_days": (180.0, 365.0),
        "popularity": (1.0, 0.0),
        "damping": (0.5, 0.3),
        "together": (0.3, 0.1, 1.0),
    }

    def candidates(self, features: Features) -> pd.DataFrame:
        """Both kinds; a product of both has the sum of scores and is named after the larger part."""
        bought = features[BOUGHT]
        own = bought[["customer_id", "product_id"]].assign(
            score=own_scores(bought, self.weights["half_life_days"]), reason=BUY_AGAIN, reason_product_id=None
        )
        together = super().candidates(features)
        parts = [_by_best(own, 1.0), _by_best(together, self.weights["together"])]
        both = pd.concat([part.astype({"reason_product_id": "str"}) for part in parts], ignore_index=True)
        both = both.sort_values(
            ["customer_id", "product_id", "score"], ascending=[True, True, False], ignore_index=True
        )
        total = both.groupby(["customer_id", "product_id"], sort=False)["score"].transform("sum")
        return both.assign(score=total).drop_duplicates(["customer_id", "product_id"], ignore_index=True)


def _by_best(found: pd.DataFrame, weight: float) -> pd.DataFrame:
    best = found.groupby("customer_id")["score"].transform("max")
    return found.assign(score=weight * found["score"] / best.where(best > 0, 1.0))


def _lately(bought: pd.DataFrame) -> pd.DataFrame:
    return bought[days_since(bought) <= BASKET_DAYS]


def _on_sale(products: pd.DataFrame, names: pd.Index) -> NDArray[np.bool_]:
    """[P] whether a product may be shown."""
    return np.asarray(names.isin(products.loc[products["is_active"].astype(bool), "product_id"]))


def neighbours(
    bought: pd.DataFrame, names: pd.Index, damping: float, on_sale: NDArray[np.bool_] | None = None
) -> sparse.csr_array:
    """[P, P] similarity of each product (row) to its nearest products that are on sale, zero elsewhere."""
    pairs = bought.assign(item=names.get_indexer(bought["product_id"]))[["customer_id", "item"]]
    pairs = pairs[pairs["item"] >= 0].drop_duplicates()
    rows = pd.factorize(pairs["customer_id"])[0]
    shape = (int(rows.max(initial=-1)) + 1, len(names))
    basket = sparse.csr_array((np.ones(len(pairs), np.float32), (rows, pairs["item"].to_numpy())), shape=shape)
    joint = sparse.csr_array(basket.T @ basket)
    count = np.maximum(joint.diagonal(), 1.0)
    joint.setdiag(0.0)
    if on_sale is not None:
        joint.data[~on_sale[joint.indices]] = 0.0
    joint.eliminate_zeros()
    first, second = np.repeat(np.arange(len(names)), np.diff(joint.indptr)), joint.indices
    scale = np.sqrt(count[first]) * count[second] ** damping * (joint.data + SHRINKAGE)
    return _nearest(sparse.csr_array((joint.data**2 / scale, second, joint.indptr), shape=joint.shape))


def _nearest(similarity: sparse.csr_array) -> sparse.csr_array:
    """Only the NEIGHBOURS greatest of each row, ties by place."""
    rows = np.repeat(np.arange(similarity.shape[0]), np.diff(similarity.indptr))
    order = np.lexsort([similarity.indices, -similarity.data, rows])
    place = np.arange(len(order)) - similarity.indptr[rows[order]]
    kept = order[place < NEIGHBOURS]
    entries = (similarity.data[kept], (rows[kept], similarity.indices[kept]))
    return sparse.csr_array(entries, shape=similarity.shape)


def _best(own: Any, near: sparse.csr_array, start: int, exclude_bought: bool) -> tuple[NDArray[Any], ...]:
    """The best products of each of these customers: who, what, score, and which purchase gave most."""
    score = (own @ near).toarray()
    if exclude_bought:
        score[own.nonzero()] = 0.0
    best = np.argpartition(-score, min(CANDIDATES, score.shape[1] - 1), axis=1)[:, :CANDIDATES]
    who, place = np.nonzero(np.take_along_axis(score, best, axis=1) > 0)
    what = best[who, place]
    return who + start, what, score[who, what].astype(np.float64), _why(own, near, who, what)


def _why(own: Any, near: sparse.csr_array, who: Any, what: Any) -> NDArray[Any]:
    """[m] the purchase i with the greatest own[who, i] * near[i, what]; ties by place."""
    sizes = np.diff(own.indptr)[who]
    pair = np.repeat(np.arange(len(who)), sizes)
    inner = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + own.indptr[who][pair]
    gave = own.data[inner] * np.asarray(near[own.indices[inner], what[pair]]).ravel()
    order = np.lexsort([own.indices[inner], -gave, pair])
    first = order[np.concatenate([[True], np.diff(pair[order]) > 0])] if len(order) else order
    return np.asarray(own.indices[inner][first], dtype=np.int64)


def _nothing() -> tuple[NDArray[Any], ...]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
