"""Other packages on the same events, each in a virtual environment of its own; run as a script by its interpreter.

`python peers.py NAME EVENTS.parquet LISTS.parquet K THREADS SEED`: events hold user, item (integers from 0) and order;
lists hold user, item, score of the users with `is_asked`, seen items left out. Needs numpy, scipy, pandas, pyarrow and
the peer's package, nothing of this project.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def implicit_item_knn(events: pd.DataFrame, k: int, threads: int, seed: int) -> pd.DataFrame:
    """implicit's CosineRecommender with 100 neighbours."""
    from implicit.nearest_neighbours import CosineRecommender

    return _implicit(CosineRecommender(K=100, num_threads=threads), events, k)


def implicit_als(events: pd.DataFrame, k: int, threads: int, seed: int) -> pd.DataFrame:
    """implicit's AlternatingLeastSquares, 128 factors, 15 iterations."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=128, iterations=15, num_threads=threads, random_state=seed)
    return _implicit(model, events, k)


def _implicit(model: Any, events: pd.DataFrame, k: int) -> pd.DataFrame:
    matrix = sparse.csr_matrix((np.ones(len(events), np.float32), (events["user"], events["item"])))
    matrix.data[:] = 1.0
    model.fit(matrix, show_progress=False)
    users = np.sort(events.loc[events["is_asked"], "user"].unique())
    items, scores = model.recommend(users, matrix[users], N=k, filter_already_liked_items=True)
    found = {"user": np.repeat(users, items.shape[1]), "item": items.ravel(), "score": scores.ravel()}
    return pd.DataFrame(found)


def rectools_ease(events: pd.DataFrame, k: int, threads: int, seed: int) -> pd.DataFrame:
    """RecTools' EASEModel, regularisation 500."""
    from rectools.models import EASEModel

    return _rectools(EASEModel(regularization=500.0), events, k)


def rectools_sasrec(events: pd.DataFrame, k: int, threads: int, seed: int) -> pd.DataFrame:
    """RecTools' SASRecModel, d 64, two blocks, softmax, ten epochs."""
    from rectools.models import SASRecModel

    model = SASRecModel(n_factors=64, n_blocks=2, n_heads=1, session_max_len=200, epochs=10, batch_size=128)
    return _rectools(model, events, k)


def _rectools(model: Any, events: pd.DataFrame, k: int) -> pd.DataFrame:
    from rectools.dataset import Dataset

    frame = events.rename(columns={"user": "user_id", "item": "item_id"}).assign(weight=1.0)
    frame["datetime"] = pd.Timestamp("2000-01-01") + pd.to_timedelta(frame["order"], unit="s")
    dataset = Dataset.construct(frame[["user_id", "item_id", "weight", "datetime"]])
    model.fit(dataset)
    users = np.sort(events.loc[events["is_asked"], "user"].unique())
    found = model.recommend(users=users, dataset=dataset, k=k, filter_viewed=True)
    return found.rename(columns={"user_id": "user", "item_id": "item"})[["user", "item", "score"]]


PEERS: dict[str, Callable[[pd.DataFrame, int, int, int], pd.DataFrame]] = {
    "implicit_item_knn": implicit_item_knn,
    "implicit_als": implicit_als,
    "rectools_ease": rectools_ease,
    "rectools_sasrec": rectools_sasrec,
}


if __name__ == "__main__":
    peer, source, target, most, cores, drawn = sys.argv[1:]
    PEERS[peer](pd.read_parquet(source), int(most), int(cores), int(drawn)).to_parquet(target)
