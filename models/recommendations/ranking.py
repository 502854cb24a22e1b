"""One ranking of products, turned into each customer's own list; all customers at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MICROSECONDS = "datetime64[us]"


def rank_for_customers(ranked: pd.DataFrame, bought: pd.DataFrame, top_k: int, exclude_bought: bool) -> pd.DataFrame:
    """as_of, customer_id, rank, product_id, score: the first top_k of `ranked` for each customer of one cut-off.

    ranked: as_of, rank, product_id, score, the best first. bought: as_of, customer_id, product_id.
    """
    codes, customers = pd.factorize(bought["customer_id"], sort=True)
    if exclude_bought:
        positions = first_not_bought(codes, _positions(ranked, bought["product_id"]), len(customers), top_k)
    else:
        positions = np.broadcast_to(np.arange(top_k), (len(customers), top_k))
    who, rank = np.nonzero(positions < len(ranked))
    product = positions[who, rank]
    as_of = ranked["as_of"].to_numpy(MICROSECONDS)
    return pd.DataFrame(
        {
            "as_of": as_of[product],
            "customer_id": pd.Series(customers).take(who).reset_index(drop=True),
            "rank": rank.astype(np.int64) + 1,
            "product_id": ranked["product_id"].take(product).reset_index(drop=True),
            "score": ranked["score"].to_numpy(np.float64)[product],
        }
    )


def first_not_bought(
    codes: NDArray[np.int64], positions: NDArray[np.int64], customers: int, top_k: int
) -> NDArray[np.int64]:
    """[customers, top_k] positions in the ranking of the first top_k products that a customer has not bought.

    codes, positions: one pair for each product bought (position -1: not in the ranking). With a customer's
    bought positions b_0 < b_1 < ..., the j-th product left stands at j + #{i: b_i - i <= j}.
    """
    width = int(positions.max(initial=0)) + 1
    who, at = np.divmod(np.unique((codes * width + positions)[positions >= 0]), width)
    start = np.searchsorted(who, np.arange(customers))
    ahead = at - (np.arange(len(who)) - start[who])  # b_i - i
    near = ahead < top_k
    cells = np.bincount(who[near] * top_k + ahead[near], minlength=customers * top_k)
    skipped: NDArray[np.int64] = cells.reshape(customers, top_k).cumsum(axis=1)
    return skipped + np.arange(top_k)[None]


def _order_within(group: pd.Series, score: pd.Series, name: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows by group, then score (greatest first), then name; and each one's place in its group, from 0."""
    codes, names = pd.factorize(group, sort=True)[0], pd.factorize(name, sort=True)[0]
    order = np.lexsort([names, -score.to_numpy(np.float64), codes])
    return order, np.arange(len(order)) - np.searchsorted(codes[order], codes[order])


def best_of_customers(found: pd.DataFrame, most: int) -> pd.DataFrame:
    """The `most` greatest scores of each customer in order, equal ones in the order of product_id."""
    order, place = _order_within(found["customer_id"], found["score"], found["product_id"])
    return found.iloc[order[place < most]].reset_index(drop=True)


def without_bought(pairs: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    """The rows of `pairs` (as_of, customer_id, product_id) that are not among `bought`."""
    key = ["as_of", "customer_id", "product_id"]
    marked = pairs.merge(bought[key].drop_duplicates(), on=key, how="left", indicator="found")
    return marked.loc[marked["found"] == "left_only", key].reset_index(drop=True)


def _positions(ranked: pd.DataFrame, products: pd.Series) -> NDArray[np.int64]:
    return np.asarray(pd.Index(ranked["product_id"]).get_indexer(pd.Index(products)), dtype=np.int64)
