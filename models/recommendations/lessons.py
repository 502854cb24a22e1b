"""What one past cut-off teaches the ranker: its candidates, and what was bought of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.recommendations.pool import Pool

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """The candidates of one cut-off with what was bought of them."""

    pool: Pool
    names: list[str]
    rows: NDArray[np.float32]
    """[m, F]"""
    bought: NDArray[np.bool_]
    """[m]"""
    relevant: NDArray[np.int64]
    """[U] products that each customer bought in the days after, among the candidates or not."""


def outcomes(pool: Pool, targets: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """[m] whether a candidate was bought, and [U] how many products each customer bought."""
    size = len(pool.known.products)
    who = np.asarray(pool.known.customers.get_indexer(pd.Index(targets["customer_id"])), dtype=np.int64)
    what = np.asarray(pool.known.products.get_indexer(pd.Index(targets["product_id"])), dtype=np.int64)
    wanted = (who * size + what)[(who >= 0) & (what >= 0)]
    relevant = np.bincount(who[who >= 0], minlength=len(pool.known.customers))
    return np.isin(pool.who * size + pool.what, wanted), relevant


def ndcg(lesson: Lesson, score: Floats, k: int) -> Floats:
    """[customers with a target] NDCG of the k candidates with the greatest score; NaN is no candidate."""
    pool = lesson.pool
    order = np.lexsort([pool.what, -np.nan_to_num(score, nan=-np.inf), pool.who])
    who = pool.who[order]
    place = np.arange(len(order)) - np.searchsorted(who, who)
    kept = (place < k) & lesson.bought[order] & ~np.isnan(score[order])
    gain = np.bincount(who[kept], weights=1.0 / np.log2(place[kept] + 2.0), minlength=len(lesson.relevant))
    ideal = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    asked = lesson.relevant > 0
    return np.asarray(gain[asked] / ideal[np.minimum(lesson.relevant[asked], k)], dtype=np.float64)
