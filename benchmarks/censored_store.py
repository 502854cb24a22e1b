"""A simulated store as days side by side: what sold, what was wanted, and which days were out of stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.landing import STOCK_OUTS, read_entity
from models.demand.history import LENGTH
from models.metrics import DAYS_OUT

Floats = NDArray[np.float64]
WEEK, YEAR = 7, 365
OPENED, CLOSED, EITHER = "opened", "closed", "either"
RULES = (OPENED, CLOSED, EITHER)
"""A day is out of stock whose shelf was empty at the close of the day before, at its own close, or at either."""


@dataclass(frozen=True)
class Store:
    """n products over D days."""

    ids: NDArray[np.str_]
    category: NDArray[np.str_]
    first_day: np.datetime64
    sold: Floats
    """[n, D] units."""
    wanted: Floats
    """[n, D] units, those that no shelf could serve among them."""
    is_empty: NDArray[np.bool_]
    """[n, D] the shelf was empty at the day's close."""

    def out_of_stock(self, rule: str = OPENED) -> NDArray[np.bool_]:
        """[n, D] days out of stock by a rule; on those that opened empty nothing sold."""
        opened = np.pad(self.is_empty, ((0, 0), (1, 0)))[:, :-1] & (self.sold == 0)
        found: NDArray[np.bool_] = {OPENED: opened, CLOSED: self.is_empty, EITHER: opened | self.is_empty}[rule]
        return found

    def scope(self, cut: int) -> NDArray[np.int64]:
        """Products that sold in the year before day `cut`."""
        return np.flatnonzero(self.sold[:, max(cut - YEAR, 0) : cut].any(axis=1))

    def date(self, day: int) -> np.datetime64:
        """The date of a day's number."""
        return self.first_day + np.timedelta64(day, "D")


def read_store(landing: Path) -> Store:
    """The landing zone that `nightcart simulate` wrote, with the truths beside it. Cancelled orders count: they were
    wanted."""
    orders = read_entity(landing, "orders", ["order_id", "ordered_at"]).drop_duplicates("order_id")
    lines = read_entity(landing, "order_lines", ["order_id", "product_id", "quantity"]).merge(orders, on="order_id")
    levels = read_entity(landing, "stock_levels", ["product_id", "as_of_date", "on_hand"])
    products = read_entity(landing, "products", ["product_id", "category"]).drop_duplicates("product_id")
    products = products.sort_values("product_id")
    lost = pq.read_table(landing.with_name(landing.name + ".truth") / STOCK_OUTS).to_pandas()
    lost["units"] = lost["units_wanted"] - lost["units_sold"]
    day = lines["ordered_at"].to_numpy("datetime64[D]")
    span = (day.min(), int((day.max() - day.min()).astype(int)) + 1)
    ids = pd.Index(products["product_id"])
    sold = _dense(ids, span, lines["product_id"], day, lines["quantity"])
    hidden = _dense(ids, span, lost["product_id"], lost["day"].to_numpy("datetime64[D]"), lost["units"])
    empty = levels[levels["on_hand"] <= 0]
    at = empty["as_of_date"].to_numpy("datetime64[D]")
    is_empty = _dense(ids, span, empty["product_id"], at, pd.Series(1.0, empty.index)) > 0
    category = products["category"].astype(str).to_numpy(str)
    return Store(ids.to_numpy(str), category, span[0], sold, sold + hidden, is_empty)


def _dense(
    ids: pd.Index, span: tuple[np.datetime64, int], which: pd.Series, day: NDArray[np.datetime64], units: pd.Series
) -> Floats:
    found = np.zeros((len(ids), span[1]))
    row, column = ids.get_indexer(pd.Index(which)), (day - span[0]).astype(np.int64)
    kept = (row >= 0) & (column >= 0) & (column < span[1])
    np.add.at(found, (row[kept], column[kept]), units.to_numpy(np.float64)[kept])
    return found


def features_at(store: Store, units: Floats, out: NDArray[np.bool_], cuts: Sequence[int]) -> dict[str, pd.DataFrame]:
    """The frames that the models read, weekly, at the mornings of some days; `units` is what they are told of."""
    parts = [_at(store, units, out, cut) for cut in cuts]
    products, periods = (pd.concat(list(part), ignore_index=True) for part in zip(*parts, strict=True))
    return {"demand_products": products, "demand_periods": periods}


def _at(store: Store, units: Floats, out: NDArray[np.bool_], cut: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = store.scope(cut)
    selling = store.sold[rows, :cut] > 0
    products = pd.DataFrame(
        {
            "as_of": store.date(cut),
            "product_id": store.ids[rows],
            "category": store.category[rows],
            "first_sold_on": store.first_day + selling.argmax(axis=1).astype("timedelta64[D]"),
            "last_sold_on": store.date(cut - 1) - selling[:, ::-1].argmax(axis=1).astype("timedelta64[D]"),
            "avg_price_4": np.nan,
        }
    )
    weeks = min(cut // WEEK, LENGTH[WEEK])
    sums, days_out = (weekly(values[rows, cut - weeks * WEEK : cut])[:, ::-1] for values in (units, out))
    which, column = np.nonzero((sums != 0) | (days_out != 0))
    told = {"units": sums[which, column], "revenue": 0.0, DAYS_OUT: days_out[which, column].astype(np.int64)}
    key = {"as_of": store.date(cut), "product_id": store.ids[rows][which], "periods_ago": column + 1}
    return products, pd.DataFrame(key | told)


def targets_after(
    store: Store, units: Floats, out: NDArray[np.bool_], cuts: Sequence[int], known: int, horizon: int
) -> pd.DataFrame:
    """What came in the weeks after some days that were over by day `known`."""
    frames = []
    for cut in cuts:
        weeks = min((known - cut) // WEEK, horizon)
        sums, days_out = (weekly(values[:, cut : cut + weeks * WEEK]) for values in (units, out))
        which, column = np.nonzero((sums != 0) | (days_out != 0))
        key = {"as_of": store.date(cut), "product_id": store.ids[which], "horizon": column + 1}
        told = {"units": sums[which, column], DAYS_OUT: days_out[which, column].astype(np.int64)}
        frames.append(pd.DataFrame(key | told | {"known_as_of": store.date(known)}))
    return pd.concat(frames, ignore_index=True)


def weekly(values: NDArray[np.generic]) -> Floats:
    """[n, days] -> [n, days / 7] sums."""
    return np.asarray(values.reshape(len(values), -1, WEEK).sum(axis=2), np.float64)
