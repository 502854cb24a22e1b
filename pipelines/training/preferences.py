"""The oracle of recommendations: lists by somebody who knows what a simulated store's customers like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.protocol import Features
from pipelines.training.cutoffs import WINDOW_DAYS

CHUNK = 1_000
Floats = NDArray[np.float64]


def oracle_lists(features: Features, folder: Path, top_k: int, exclude_bought: bool) -> pd.DataFrame:
    """as_of, customer_id, rank, product_id: by appeal x season in mid-window x exp(taste), of the products on sale.

    One cut-off. That is what a shopper takes who meets many products (the Gumbel noise makes it a softmax); promotions
    and launches after the cut-off are not told.
    """
    on_sale = features["products"][features["products"]["is_active"].astype(bool)]
    truth = pd.read_parquet(folder / "product_preferences.parquet").set_index("product_id")
    known = on_sale[on_sale["product_id"].isin(truth.index)].sort_values("product_id", ignore_index=True)
    truth = truth.loc[known["product_id"]]
    customers = pd.read_parquet(folder / "customer_preferences.parquet")
    customers = customers[customers["customer_id"].isin(features["customer_products"]["customer_id"])]
    appeal = truth["log_appeal"].to_numpy(np.float64) + _season(known, folder)
    factors = [name for name in truth.columns if name.startswith("factor_")]
    tastes, products = customers[factors].to_numpy(np.float64), truth[factors].to_numpy(np.float64)
    bought = features["customer_products"] if exclude_bought else features["customer_products"].iloc[:0]
    seen = _seen(bought, customers["customer_id"], known["product_id"])
    best = [
        _best(appeal + tastes[start : start + CHUNK] @ products.T, seen(start), top_k)
        for start in range(0, len(customers), CHUNK)
    ]
    places = np.concatenate(best) if best else np.zeros((0, top_k), np.int64)
    return pd.DataFrame(
        {
            "as_of": features["customer_products"]["as_of"].iloc[0] if len(customers) else None,
            "customer_id": np.repeat(customers["customer_id"].to_numpy(object), places.shape[1]),
            "rank": np.tile(np.arange(places.shape[1]) + 1, len(places)),
            "product_id": known["product_id"].to_numpy(object)[places.ravel()],
        }
    ).astype({"customer_id": "str", "product_id": "str"})


def _season(products: pd.DataFrame, folder: Path) -> Floats:
    """[P] logarithm of how much oftener a product is met in the middle of the window."""
    seasons = pd.read_parquet(folder / "seasonality.parquet").set_index("department")
    middle = pd.to_datetime(products["as_of"]) + timedelta(days=WINDOW_DAYS / 2)
    own = seasons.reindex(products["category"].str.split(" > ").str[0])
    angle = 2 * np.pi * (middle.dt.dayofyear.to_numpy() - 1 - own["peak_day_of_year"].to_numpy()) / 365.25
    return np.asarray(np.nan_to_num(own["log_amplitude"].to_numpy() * np.cos(angle)), dtype=np.float64)


def _seen(
    bought: pd.DataFrame, customers: pd.Series, products: pd.Series
) -> Callable[[int], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows and columns of what the customers of a chunk bought."""
    who = np.asarray(pd.Index(customers).get_indexer(pd.Index(bought["customer_id"])), dtype=np.int64)
    what = np.asarray(pd.Index(products).get_indexer(pd.Index(bought["product_id"])), dtype=np.int64)
    known = (who >= 0) & (what >= 0)
    who, what = who[known], what[known]

    def of(start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        inside = (who >= start) & (who < start + CHUNK)
        return who[inside] - start, what[inside]

    return of


def _best(score: Floats, seen: tuple[NDArray[np.int64], NDArray[np.int64]], top_k: int) -> NDArray[np.int64]:
    score[seen] = -np.inf
    return np.asarray(np.argsort(-score, axis=1, kind="stable")[:, :top_k], dtype=np.int64)
