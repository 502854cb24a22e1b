"""EASE: what to expect of a customer who bought what this one bought, by one closed form over the catalogue's head."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from models.protocol import Features
from models.recommendations.frames import cutoff_of, purchases_of_all
from models.recommendations.lists import FILL_HALF_LIFE, LEAST_CUSTOMERS, PersonalLists
from models.recommendations.popular import BOUGHT
from models.recommendations.purchases import (
    Purchases,
    as_candidates,
    best_of_each,
    gave_most,
    on_sale,
    popularity_of,
    product_index,
    purchases,
    ranks_in_rows,
)

REASON = "bought_together"
REGULARISER = 200.0
"""Added to the diagonal of the Gram matrix, in (decayed) customers."""
LARGEST = 8_000
"""Products in the closed form, those with most customers: 8,000 take .5 GB and a quarter of a minute of one core."""
FEWEST_CUSTOMERS = 2
BLOCK = 1_000
CANDIDATES = 100
PURCHASES = 200
"""Purchases of a customer that count, the heaviest."""
EXPLAINED = 40
"""Candidates of a customer that get a reason's product, the best."""
EXPLAINING = 40
"""Of these, those that may be a reason."""

Weights = tuple[NDArray[np.int64], NDArray[np.float32]]


class Ease(PersonalLists):
    """Scores own @ B with B = I - inv(G) / diag(inv(G)), G = X'X + regulariser (Steck 2019), diagonal 0.

    X and own hold 0.5 ** (days since the last purchase / half-life): what went together lately counts more. A score is
    multiplied by recent popularity, in the choice of candidates too. Products beyond the LARGEST most bought get no
    candidate. Memory: 8 bytes * P ** 2; time: P ** 3.
    """

    name: ClassVar[str] = "ease"
    choices: ClassVar[dict[str, tuple[float, ...]]] = {"half_life_days": (180.0,), "popularity": (1.0, 0.5)}
    found_with = ("half_life_days", "popularity")

    def candidates(self, features: Features) -> pd.DataFrame:
        """The best of each customer, among the products on sale."""
        names, half_life = product_index(features), self.weights["half_life_days"]
        known = purchases(features[BOUGHT], names)
        head, between = self._between(features, names)
        own = known.matrix(known.since(half_life), PURCHASES)
        popular = np.log1p(LEAST_CUSTOMERS + popularity_of(features, names, FILL_HALF_LIFE))
        factor = (popular ** self.weights["popularity"] * on_sale(features, names))[head].astype(np.float32)
        own, why = own[:, head].tocsr(), known.matrix(known.since(half_life), EXPLAINING)[:, head].tocsr()
        starts = range(0, own.shape[0], BLOCK)
        parts = [
            _best(own[start : start + BLOCK], why[start : start + BLOCK], between, factor, self.exclude_bought)
            for start in starts
        ]
        if not parts or not len(head):
            return _nothing(known)
        who, what, score, place = (np.concatenate(part) for part in zip(*parts, strict=True))
        who = who + np.repeat(list(starts), [len(part[0]) for part in parts])
        return as_candidates(known, who, head[what], score, np.where(place < 0, -1, head[place]), REASON)

    def _between(self, features: Features, names: pd.Index) -> Weights:
        everyone, half_life = purchases_of_all(features), self.weights["half_life_days"]
        key = (cutoff_of(features), half_life)
        return self.once(key, lambda: item_weights(purchases(everyone, names), half_life))


def item_weights(known: Purchases, half_life_days: float) -> Weights:
    """The places of the products in the closed form [H], and B [H, H] float32: row bought, column to be scored."""
    count = np.bincount(known.what, minlength=len(known.products))
    most = np.argsort(-count, kind="stable")[:LARGEST]
    head = np.sort(most[count[most] >= FEWEST_CUSTOMERS])
    bought = known.matrix(known.since(half_life_days))[:, head].tocsr()
    gram = (bought.T @ bought).toarray() if len(head) else np.zeros((0, 0), np.float32)
    gram[np.diag_indices_from(gram)] += REGULARISER
    between = _inverse(gram)
    between /= -np.diag(between)
    np.fill_diagonal(between, 0.0)
    return head, between


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of a symmetric positive definite matrix, in its place."""
    if not len(gram):
        return gram
    factor, failed = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
    if not failed:
        factor, failed = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"EASE: the Gram matrix is not positive definite (LAPACK's info is {failed}): found NaN?")
    lower = np.tril(factor)
    return np.asarray(lower + np.tril(lower, -1).T, dtype=np.float32)


def _best(
    own: Any, explaining: Any, between: NDArray[np.float32], factor: NDArray[np.float32], is_new: bool
) -> tuple[NDArray[Any], ...]:
    """The best products of these customers: who, what, score before the factor, and which purchase gave most."""
    score = own @ between
    weighed = score * factor
    if is_new:
        weighed[own.nonzero()] = 0.0
    row, what = best_of_each(weighed, CANDIDATES)
    why = np.full(len(row), -1, np.int64)
    first = ranks_in_rows(row, weighed[row, what]) < EXPLAINED
    why[first] = gave_most(explaining, between, row[first], what[first])
    return row, what, score[row, what].astype(np.float64), why


def _nothing(known: Purchases) -> pd.DataFrame:
    none = np.zeros(0, np.int64)
    return as_candidates(known, none, none, np.zeros(0), none, REASON)
