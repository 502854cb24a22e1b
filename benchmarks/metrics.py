"""Metrics of lists: one function each, one value a user, so that intervals come from drawing users."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.interactions import ITEM, USER, Round
from models.bootstrap import interval
from models.metrics import DENOMINATOR, NUMERATOR

Floats = NDArray[np.float64]
DIVERSITY_USERS = 2_000
"""Users whose lists' diversity is measured."""


def at_k(lists: pd.DataFrame, k: int, seed: int) -> pd.DataFrame:
    """customer_id, product_id, rank 1..k: lists with equal scores in an order that the seed draws."""
    drawn = np.random.default_rng(seed).random(len(lists))
    ordered = lists.assign(drawn=drawn).sort_values([USER, "score", "drawn"], ascending=[True, False, True])
    rank = ordered.groupby(USER).cumcount().to_numpy(np.int64) + 1
    return ordered.assign(rank=rank).loc[rank <= k, [USER, ITEM, "rank"]].reset_index(drop=True)


def hits(shown: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """The rows shown that came true."""
    return shown.merge(targets, on=[USER, ITEM], how="inner", validate="one_to_one")


def hit_rate(shown: pd.DataFrame, targets: pd.DataFrame, k: int) -> pd.Series:
    """1 where one of the k came true."""
    return _by_user(hits(shown, targets).groupby(USER).size() > 0, targets)


def recall(shown: pd.DataFrame, targets: pd.DataFrame, k: int) -> pd.Series:
    """Share of what came that was shown."""
    return _by_user(hits(shown, targets).groupby(USER).size(), targets) / _wanted(targets)


def ndcg(shown: pd.DataFrame, targets: pd.DataFrame, k: int) -> pd.Series:
    """Sum of 1 / log2(1 + rank) over hits, by that of the best list of k (Jarvelin and Kekalainen 2002)."""
    found = hits(shown, targets)
    gain = (1.0 / np.log2(found["rank"] + 1.0)).groupby(found[USER]).sum()
    best = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2.0))])
    wanted = _wanted(targets)
    return _by_user(gain, targets) / best[np.minimum(wanted.to_numpy(), k)]


def mrr(shown: pd.DataFrame, targets: pd.DataFrame, k: int) -> pd.Series:
    """1 / rank of the first hit, 0 without one."""
    return _by_user(1.0 / hits(shown, targets).groupby(USER)["rank"].min(), targets)


PER_USER = {"hit_rate": hit_rate, "recall": recall, "ndcg": ndcg, "mrr": mrr}


def coverage(shown: pd.DataFrame, catalogue: int) -> float:
    """Share of the catalogue that somebody was shown."""
    return float(shown[ITEM].nunique() / catalogue)


def novelty(shown: pd.DataFrame, known: pd.DataFrame) -> float:
    """Mean of -log2 of the share of users who had what was shown (Zhou et al. 2010), in bits."""
    users = known[USER].nunique()
    had = known.drop_duplicates([USER, ITEM]).groupby(ITEM).size()
    share = shown[ITEM].map(had).fillna(0).clip(lower=1).to_numpy(np.float64) / users
    return float(-np.log2(share).mean())


def diversity(shown: pd.DataFrame, known: pd.DataFrame, seed: int) -> float:
    """Mean over lists of 1 - cosine of two of its items, over the users who had them (Ziegler et al. 2005)."""
    users = shown[USER].unique()
    drawn = np.random.default_rng(seed).permutation(users)[:DIVERSITY_USERS]
    shown = shown[shown[USER].isin(drawn)]
    who, items = pd.factorize(known[USER])[0], pd.Index(known[ITEM].unique())
    cells = (np.ones(len(known)), (items.get_indexer(known[ITEM]), who))
    had = sparse.csr_array(cells, shape=(len(items) + 1, who.max() + 1))
    had.data[:] = 1.0
    norm = np.sqrt(np.maximum(np.asarray(had.sum(axis=1)).ravel(), 1.0))
    place = shown.assign(place=items.get_indexer(shown[ITEM]) % (len(items) + 1))
    pairs = place.merge(place, on=USER, suffixes=("", "_other"))
    pairs = pairs[pairs["rank"] < pairs["rank_other"]]
    if pairs.empty:
        return float("nan")
    distinct, at = np.unique(pairs[["place", "place_other"]].to_numpy(), axis=0, return_inverse=True)
    joint = np.concatenate([_joint(had, part) for part in np.array_split(distinct, max(1, len(distinct) // 20_000))])
    cosine = joint / (norm[distinct[:, 0]] * norm[distinct[:, 1]])
    return float((1.0 - cosine[at.ravel()]).mean())


def first_sold(shown: pd.DataFrame, one: Round) -> dict[str, float | int | None]:
    """Of the targets whose item nobody had before, how many were shown; None for a model that shows no such item."""
    known = one.known[ITEM].unique()
    targets = one.targets[~one.targets[ITEM].isin(known)]
    can_tell = bool((~shown[ITEM].isin(known)).any())
    found = len(hits(shown, targets)) / len(targets) if can_tell and len(targets) else None
    return {"targets": len(targets), "recall": None if found is None else round(found, 5)}


def figures(lists: pd.DataFrame, one: Round, k: int, *, seed: int, resamples: int) -> dict[str, object]:
    """All metrics at k; those of users as [value, low, high] with 95% intervals."""
    shown = at_k(lists[lists[USER].isin(one.targets[USER])], k, seed)
    found: dict[str, object] = {}
    for name, metric in PER_USER.items():
        values = metric(shown, one.targets, k)
        frame = pd.DataFrame({NUMERATOR: values, DENOMINATOR: 1.0})
        found[f"{name}_at_{k}"] = [round(part, 5) for part in interval(frame, resamples=resamples, seed=seed)]
    found[f"coverage_at_{k}"] = round(coverage(shown, one.known[ITEM].nunique()), 5)
    found[f"novelty_at_{k}"] = round(novelty(shown, one.known), 4)
    found[f"diversity_at_{k}"] = round(diversity(shown, one.known, seed), 4)
    found[f"first_sold_at_{k}"] = first_sold(shown, one)
    return found


def _wanted(targets: pd.DataFrame) -> pd.Series:
    return targets.groupby(USER, sort=True).size()


def _by_user(found: pd.Series, targets: pd.DataFrame) -> pd.Series:
    """One value for each user with a target, 0 where nothing was found."""
    users = _wanted(targets).index
    return found.astype(np.float64).reindex(users).fillna(0.0)


def _joint(had: sparse.csr_array, pairs: NDArray[np.int64]) -> Floats:
    return np.asarray((had[pairs[:, 0]] * had[pairs[:, 1]]).sum(axis=1), dtype=np.float64).ravel()
