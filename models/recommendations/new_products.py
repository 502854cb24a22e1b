"""Products that nobody, or hardly anybody, had time to buy: those whose content is like what a customer bought."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from models.dates import to_days
from models.protocol import Features
from models.recommendations.content import words_of
from models.recommendations.frames import cutoff_of
from models.recommendations.lists import PersonalLists
from models.recommendations.popular import BOUGHT, POPULARITY, PRODUCTS
from models.recommendations.purchases import (
    as_candidates,
    best_of_each,
    gave_most,
    on_sale,
    product_index,
    purchases,
)

REASON = "like_recent"
SOLD_DAYS, KNOWN_DAYS = 28, 60
"""Days in which all sales of a new product lie, and in which it was first known."""
MOST = 2_000
"""New products that are looked at, those known last."""
HALF_LIFE = 90.0
PURCHASES = 100
"""Purchases of a customer that count, the heaviest."""
CANDIDATES = 40
BLOCK = 2_000


class NewProducts(PersonalLists):
    """Sum over a customer's decayed purchases of the cosine of TF-IDF words to each new product (Lops et al. 2011).

    New: no sale older than 28 days, and, where products have `first_known_on`, not known for over 60 days. Words are
    those of the category path, the size of the price and the title; without any of them there are no candidates.
    reason_product_id is the bought product that gave most.
    """

    name: ClassVar[str] = "new_products"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"popularity": (0.0,)}
    found_with = ()

    def candidates(self, features: Features) -> pd.DataFrame:
        """The best new products of each customer."""
        names = product_index(features)
        known = purchases(features[BOUGHT], names)
        new, near = self.once(cutoff_of(features), lambda: similar_new(features, names))
        own = known.matrix(known.since(HALF_LIFE), PURCHASES)
        bought = np.unique(known.who * len(names) + known.what)
        parts = [_best(own[start : start + BLOCK], near, start) for start in range(0, own.shape[0], BLOCK)]
        who, what, score, why = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _nothing()
        kept = ~(self.exclude_bought & np.isin(who * len(names) + new[what], bought))
        return as_candidates(known, who[kept], new[what[kept]], score[kept], why[kept], REASON)


def similar_new(features: Features, names: pd.Index) -> tuple[NDArray[np.int64], sparse.csr_array]:
    """The places of the new products [N], and the cosine of each product's words to theirs [P, N]."""
    new = _new(features, names)
    words = words_of(features[PRODUCTS], names)
    if not len(new) or not any(words[place] for place in new):
        return new[:0], sparse.csr_array((len(names), 0), dtype=np.float32)
    content = TfidfVectorizer(analyzer=list, dtype=np.float32, sublinear_tf=True).fit_transform(words).tocsr()
    near = sparse.coo_array(content @ content[new].T)
    near.data[near.row == new[near.col]] = 0.0
    return new, sparse.csr_array(near)


def _new(features: Features, names: pd.Index) -> NDArray[np.int64]:
    """[N] places of the new products on sale, at most MOST of them."""
    popularity, products = features[POPULARITY], features[PRODUCTS]
    older = popularity.loc[popularity["days_ago"] > SOLD_DAYS, "product_id"]
    is_new = on_sale(features, names) & ~names.isin(older)
    if "first_known_on" not in products:
        return np.flatnonzero(is_new)[:MOST]
    ago = (to_days(products["as_of"]) - to_days(products["first_known_on"])) / np.timedelta64(1, "D")
    days = pd.Series(np.asarray(ago, np.float64), index=products["product_id"]).reindex(names).to_numpy()
    place = np.flatnonzero(is_new & (days <= KNOWN_DAYS))
    return np.sort(place[np.argsort(days[place], kind="stable")[:MOST]])


def _best(own: sparse.csr_array, near: sparse.csr_array, start: int) -> tuple[NDArray[Any], ...]:
    """The best of these customers: who, which of the new products, score, and which purchase gave most."""
    score = np.asarray((own @ near).toarray(), dtype=np.float32)
    row, column = best_of_each(score, CANDIDATES)
    return row + start, column, score[row, column].astype(np.float64), gave_most(own, near, row, column)


def _nothing() -> tuple[NDArray[Any], ...]:
    none = np.zeros(0, np.int64)
    return none, none, np.zeros(0), none
