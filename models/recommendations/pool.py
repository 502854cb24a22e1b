"""The union of what the retrieval sources of one cut-off find, as integers, with each source's score and rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features
from models.recommendations.popular import BOUGHT
from models.recommendations.purchases import Purchases, on_sale, popularity_of, product_index, purchases

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RECENT_HALF_LIVES = (7.0, 28.0)
"""Days; the most popular products by each are a source."""
POPULAR = 40


@dataclass(frozen=True)
class Found:
    """What one source found: n candidates with its score and rank (from 1) for the customer, and its reason."""

    who: Ints
    what: Ints
    score: Floats
    rank: Ints
    reason: pd.Series
    reason_product_id: pd.Series


@dataclass(frozen=True)
class Pool:
    """The candidates of one cut-off, sorted by customer and product; m of them."""

    known: Purchases
    who: Ints
    what: Ints
    found: Mapping[str, Found]
    places: Mapping[str, Ints]
    """By source, [m] where a candidate stands in `found`, -1 where the source does not have it."""

    def score(self, source: str) -> Floats:
        """[m] the source's score, 0 where it did not find the candidate."""
        return np.where(self.places[source] < 0, 0.0, _taken(self.found[source].score, self.places[source]))

    def rank(self, source: str) -> Floats:
        """[m] the source's rank, NaN where it did not find the candidate."""
        ranks = self.found[source].rank.astype(np.float64)
        return np.where(self.places[source] < 0, np.nan, _taken(ranks, self.places[source]))


def build_pool(features: Features, candidates: Mapping[str, pd.DataFrame], exclude_bought: bool, most: int) -> Pool:
    """The first `most` of each source and of the popular lists, on sale, not bought where that is left out.

    candidates: by source, customer_id, product_id, score (comparable within a customer), reason, reason_product_id.
    """
    names = product_index(features)
    known = purchases(features[BOUGHT], names)
    shown = on_sale(features, names)
    bought = np.unique(known.who * len(names) + known.what) if exclude_bought else np.zeros(0, np.int64)
    found = {name: _first(_coded(frame, known), shown, bought, known, most) for name, frame in candidates.items()}
    for days in RECENT_HALF_LIVES:
        score = popularity_of(features, names, days) * shown
        found[f"popular_{days:g}"] = _popular(score, bought, known)
    keys = {name: one.who * len(names) + one.what for name, one in found.items()}
    union = np.unique(np.concatenate(list(keys.values())))
    places = {name: _places(union, key) for name, key in keys.items()}
    return Pool(known, union // max(len(names), 1), union % max(len(names), 1), found, places)


def _coded(frame: pd.DataFrame, known: Purchases) -> Found:
    who = np.asarray(known.customers.get_indexer(pd.Index(frame["customer_id"])), dtype=np.int64)
    what = np.asarray(known.products.get_indexer(pd.Index(frame["product_id"])), dtype=np.int64)
    score = frame["score"].to_numpy(np.float64)
    return Found(who, what, score, np.zeros(len(who), np.int64), frame["reason"], frame["reason_product_id"])


def _first(one: Found, shown: NDArray[np.bool_], bought: Ints, known: Purchases, most: int) -> Found:
    """Those that may be shown, ranked, the first `most` of each customer."""
    kept = (one.who >= 0) & (one.what >= 0) & (one.score > 0)
    kept[kept] = shown[one.what[kept]] & ~np.isin(one.who[kept] * len(known.products) + one.what[kept], bought)
    order = np.flatnonzero(kept)
    order = order[np.lexsort([one.what[order], -one.score[order], one.who[order]])]
    who = one.who[order]
    rank = np.arange(len(order)) - np.searchsorted(who, who) + 1
    order, rank = order[rank <= most], rank[rank <= most]
    because = one.reason_product_id.take(order)
    return Found(one.who[order], one.what[order], one.score[order], rank, one.reason.take(order), because)


def _popular(score: Floats, bought: Ints, known: Purchases) -> Found:
    best = np.argsort(-score, kind="stable")[: 3 * POPULAR]
    best = best[score[best] > 0]
    who = np.repeat(np.arange(len(known.customers), dtype=np.int64), len(best))
    what = np.tile(best, len(known.customers))
    free = ~np.isin(who * len(known.products) + what, bought)
    who, what = who[free], what[free]
    rank = np.arange(len(who)) - np.searchsorted(who, who) + 1
    who, what, rank = who[rank <= POPULAR], what[rank <= POPULAR], rank[rank <= POPULAR]
    words = pd.Series(["popular"], dtype="str").repeat(len(who))
    return Found(who, what, score[what], rank, words, pd.Series([None], dtype="str").repeat(len(who)))


def _places(union: Ints, keys: Ints) -> Ints:
    places = np.full(len(union), -1, np.int64)
    places[np.searchsorted(union, keys)] = np.arange(len(keys))
    return places


def _taken(values: Floats, places: Ints) -> Floats:
    return values[np.maximum(places, 0)] if len(values) else np.zeros(len(places))


def reasons(pool: Pool) -> pd.DataFrame:
    """customer_id, product_id, reason, reason_product_id: those of the source that ranks a candidate first.

    Of equal ranks the earlier source counts, and what a customer bought is bought again. Where that source names no
    product, another one with the same reason may.
    """
    reason = np.full(len(pool.who), "popular", dtype=object)
    because = np.full(len(pool.who), None, dtype=object)
    first = np.full(len(pool.who), np.inf)
    for name, one in pool.found.items():
        rank, place = pool.rank(name), pool.places[name]
        better = np.nan_to_num(rank, nan=np.inf) < first
        first[better] = rank[better]
        reason[better] = one.reason.to_numpy(object)[place[better]]
        because[better] = one.reason_product_id.to_numpy(object)[place[better]]
    for name, one in pool.found.items():  # another source of the same reason may name a product
        place = pool.places[name]
        silent = np.flatnonzero((place >= 0) & pd.isna(because))
        silent = silent[one.reason.to_numpy(object)[place[silent]] == reason[silent]]
        because[silent] = one.reason_product_id.to_numpy(object)[place[silent]]
    return pd.DataFrame(
        {
            "customer_id": pd.Series(pool.known.customers).take(pool.who).reset_index(drop=True),
            "product_id": pd.Series(pool.known.products).take(pool.what).reset_index(drop=True),
            "reason": pd.Series(reason, dtype="str"),
            "reason_product_id": pd.Series(because, dtype="str"),
        }
    )
