"""What customers bought by one cut-off, as integers and sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from models.protocol import Features
from models.recommendations.frames import days_since

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CANDIDATE_COLUMNS = ["customer_id", "product_id", "score", "reason", "reason_product_id"]


@dataclass(frozen=True)
class Purchases:
    """Pairs of a customer and a product, n of them, sorted by both."""

    customers: pd.Index
    products: pd.Index
    who: Ints
    what: Ints
    times: Floats
    ago: Floats
    """Days since it was last bought."""

    def decayed(self, half_life_days: float) -> Floats:
        """[n] times * 0.5 ** (days since the last purchase / half-life)."""
        return np.asarray(self.times * 0.5 ** (self.ago / half_life_days), dtype=np.float64)

    def since(self, half_life_days: float) -> Floats:
        """[n] 0.5 ** (days since the last purchase / half-life), where it was bought at all."""
        return np.asarray((self.times > 0) * 0.5 ** (self.ago / half_life_days), dtype=np.float64)

    def matrix(self, weight: Floats, most: int | None = None) -> sparse.csr_array:
        """[U, P] float32; of each customer the `most` heaviest pairs alone, where that is given."""
        kept = weight > 0
        who, what, weight = self.who[kept], self.what[kept], weight[kept]
        if most is not None:
            order = np.lexsort([what, -weight, who])
            start = np.searchsorted(who[order], who[order])
            order = np.sort(order[np.arange(len(order)) - start < most])
            who, what, weight = who[order], what[order], weight[order]
        shape = (len(self.customers), len(self.products))
        return sparse.csr_array((weight.astype(np.float32), (who, what)), shape=shape)


def purchases(bought: pd.DataFrame, products: pd.Index) -> Purchases:
    """The pairs of `customer_products` whose product is among `products` (sorted), of one cut-off."""
    codes, customers = pd.factorize(bought["customer_id"], sort=True)
    what = np.asarray(products.get_indexer(pd.Index(bought["product_id"])), dtype=np.int64)
    order = np.lexsort([what, codes])
    order = order[what[order] >= 0]
    times, ago = np.maximum(bought["times"].to_numpy(np.float64), 0.0), days_since(bought)
    return Purchases(pd.Index(customers), products, codes[order], what[order], times[order], ago[order])


def product_index(features: Features) -> pd.Index:
    """The products of one cut-off in order."""
    return pd.Index(features["products"]["product_id"]).sort_values()


def on_sale(features: Features, products: pd.Index) -> NDArray[np.bool_]:
    """[P] whether a product may be shown."""
    frame = features["products"]
    return np.asarray(products.isin(frame.loc[frame["is_active"].astype(bool), "product_id"]))


def best_of_each(score: NDArray[np.float32], most: int) -> tuple[Ints, Ints]:
    """Row and column of the `most` greatest scores above 0 of each row of [b, P]; by row and column."""
    most = min(most, score.shape[1])
    if not most:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.sort(np.argpartition(-score, most - 1, axis=1)[:, :most], axis=1)
    row, column = np.nonzero(np.take_along_axis(score, place, axis=1) > 0)
    return row, place[row, column]


def ranks_in_rows(row: Ints, score: NDArray[np.float32]) -> Ints:
    """[m] place of each score within its row, 0 for the greatest; row is sorted, ties by place."""
    order = np.lexsort((-score, row))
    found = np.empty(len(row), np.int64)
    found[order] = np.arange(len(row)) - np.searchsorted(row, row[order])
    return found


def gave_most(own: Any, near: Any, who: Ints, what: Ints) -> Ints:
    """[m] the purchase i with the greatest own[who, i] * near[i, what], -1 where none is above 0; ties by place.

    own: [b, P] sparse rows of customers. near: [P, P], dense or sparse.
    """
    sizes = np.diff(own.indptr)[who]
    pair = np.repeat(np.arange(len(who)), sizes)
    inner = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + own.indptr[who][pair]
    bought = own.indices[inner].astype(np.int64)
    gave = own.data[inner] * np.asarray(near[bought, what[pair]]).ravel()
    order = np.lexsort([bought, -gave, pair])
    first = order[np.concatenate([[True], np.diff(pair[order]) > 0])] if len(order) else order
    found = np.full(len(who), -1, np.int64)
    positive = gave[first] > 0
    found[pair[first][positive]] = bought[first][positive]
    return found


def as_candidates(
    known: Purchases, who: Ints, what: Ints, score: Floats, why: Ints | None, reason: str
) -> pd.DataFrame:
    """customer_id, product_id, score, reason, reason_product_id; why: places of products, -1 for none."""
    names = pd.Series(known.products)
    because = pd.Series([None] * len(who), dtype="str") if why is None else _taken(names, why)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(known.customers).take(who).reset_index(drop=True),
            "product_id": names.take(what).reset_index(drop=True),
            "score": np.asarray(score, dtype=np.float64),
            "reason": pd.Series([reason], dtype="str").repeat(len(who)).reset_index(drop=True),
            "reason_product_id": because,
        }
    )


def _taken(names: pd.Series, places: Ints) -> pd.Series:
    taken = names.take(np.maximum(places, 0)).reset_index(drop=True) if len(names) else names
    return taken.mask(places < 0)


def popularity_of(features: Features, products: pd.Index, half_life_days: float) -> Floats:
    """[P] customers of the 365 days before, decayed by age."""
    frame = features["product_popularity"]
    place = np.asarray(products.get_indexer(pd.Index(frame["product_id"])), dtype=np.int64)
    decay = 0.5 ** (frame["days_ago"].to_numpy(np.float64) / half_life_days)
    counted = frame["customers"].to_numpy(np.float64) * decay
    kept = place >= 0
    return np.asarray(np.bincount(place[kept], weights=counted[kept], minlength=len(products)), dtype=np.float64)
