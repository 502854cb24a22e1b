"""Other packages on the same events, each in a virtual environment of its own; run as a script by its interpreter.

`python peers.py NAME EVENTS.parquet LISTS.parquet WANTED`: events hold user, item (integers from 0) and order; lists
hold user, item, score of the users with `is_asked`. WANTED is JSON of `Wanted`. Needs numpy, scipy, pandas, pyarrow
and the peer's package, nothing of this project: see README.md beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class Wanted:
    """What a peer is asked for."""

    k: int
    threads: int
    seed: int
    seen_filtered: bool = True
    epochs: int = 10
    """Of the sequence models."""
    length: int = 200
    """Events of a user that the sequence models look at."""


def implicit_item_knn(events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """implicit's CosineRecommender with 100 neighbours."""
    from implicit.nearest_neighbours import CosineRecommender

    return _implicit(CosineRecommender(K=100, num_threads=wanted.threads), events, wanted)


def implicit_als(events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """implicit's AlternatingLeastSquares, 128 factors, 15 iterations."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=128, iterations=15, num_threads=wanted.threads, random_state=wanted.seed)
    return _implicit(model, events, wanted)


def _implicit(model: Any, events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    matrix = sparse.csr_matrix((np.ones(len(events), np.float32), (events["user"], events["item"])))
    matrix.data[:] = 1.0
    model.fit(matrix, show_progress=False)
    users = np.sort(events.loc[events["is_asked"], "user"].unique())
    items, scores = model.recommend(users, matrix[users], N=wanted.k, filter_already_liked_items=wanted.seen_filtered)
    found = {"user": np.repeat(users, items.shape[1]), "item": items.ravel(), "score": scores.ravel()}
    lists = pd.DataFrame(found)
    return lists[(lists["item"] >= 0) & (lists["score"] > -1e30)]


def rectools_ease(events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """RecTools' EASEModel, regularisation 500."""
    from rectools.models import EASEModel

    return _rectools(EASEModel(regularization=500.0, recommend_n_threads=wanted.threads), events, wanted)


def rectools_sasrec(events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """RecTools' SASRecModel, d 64, two blocks, softmax over the catalogue."""
    return _rectools(_sasrec(wanted, n_heads=1, loss="softmax"), events, wanted)


def rectools_esasrec(events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """RecTools' parts of eSASRec (Tikhonovich et al. 2025): LiGR layers and sampled softmax, 256 negatives, d 64."""
    from rectools.models.nn.transformers.ligr import LiGRLayers

    layers = {"transformer_layers_type": LiGRLayers, "transformer_layers_kwargs": {"ff_factors_multiplier": 4}}
    return _rectools(_sasrec(wanted, n_heads=2, loss="sampled_softmax", n_negatives=256, **layers), events, wanted)


def _sasrec(wanted: Wanted, **settings: Any) -> Any:
    import torch
    from pytorch_lightning import seed_everything
    from rectools.models import SASRecModel

    torch.set_num_threads(wanted.threads)
    seed_everything(wanted.seed, verbose=False)
    return SASRecModel(
        n_factors=64,
        n_blocks=2,
        session_max_len=wanted.length,
        epochs=wanted.epochs,
        batch_size=128,
        lr=1e-3,
        deterministic=True,
        **settings,
    )


def _rectools(model: Any, events: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    dataset = rectools_dataset(events)
    model.fit(dataset)
    users = np.sort(events.loc[events["is_asked"], "user"].unique())
    found = model.recommend(users=users, dataset=dataset, k=wanted.k, filter_viewed=wanted.seen_filtered)
    return found.rename(columns={"user_id": "user", "item_id": "item"})[["user", "item", "score"]]


def rectools_dataset(events: pd.DataFrame) -> Any:
    """RecTools' Dataset; the order of events becomes their seconds."""
    from rectools.dataset import Dataset

    frame = events.rename(columns={"user": "user_id", "item": "item_id"}).assign(weight=1.0)
    frame["datetime"] = pd.Timestamp("2000-01-01") + pd.to_timedelta(frame["order"], unit="s")
    return Dataset.construct(frame[["user_id", "item_id", "weight", "datetime"]])


PEERS: dict[str, Callable[[pd.DataFrame, Wanted], pd.DataFrame]] = {
    "implicit_item_knn": implicit_item_knn,
    "implicit_als": implicit_als,
    "rectools_ease": rectools_ease,
    "rectools_sasrec": rectools_sasrec,
    "rectools_esasrec": rectools_esasrec,
}


if __name__ == "__main__":
    peer, source, target, asked = sys.argv[1:]
    PEERS[peer](pd.read_parquet(source), Wanted(**json.loads(asked))).to_parquet(target)
