"""A landing zone as sales by week: what was ordered, what stock-outs lost, and what the store tells of its products."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from benchmarks.sales import GROUPS, Columns, Sales, read_sales

STOCK_OUTS = "stock_outs.parquet"
"""Of a simulated store's truths: product_id, day, units_wanted, units_sold."""


def read_entity(landing: Path, entity: str, columns: list[str]) -> pd.DataFrame:
    """The columns and `dt` of all partitions, the oldest first. Raises ValueError where there is none."""
    if not list((landing / entity).glob("dt=*/*.parquet")):
        raise ValueError(f"{landing}: found no {entity}/dt=YYYY-MM-DD/*.parquet, expected a landing zone")
    partitions = ds.partitioning(pa.schema([("dt", pa.date32())]), flavor="hive")
    table = ds.dataset(landing / entity, format="parquet", partitioning=partitions).to_table(["dt", *columns])
    return table.to_pandas().sort_values("dt", kind="stable", ignore_index=True)


def landing_sales(landing: Path, freq: str) -> Sales:
    """Units by product and period: the lines of orders that were not cancelled, each as told last."""
    orders = read_entity(landing, "orders", ["order_id", "ordered_at", "status"]).drop_duplicates(
        "order_id", keep="last"
    )
    lines = read_entity(landing, "order_lines", ["order_id", "line_number", "product_id", "quantity"])
    lines = lines.drop_duplicates(["order_id", "line_number"], keep="last")
    groups = read_entity(landing, "products", ["product_id", *GROUPS]).drop_duplicates("product_id", keep="last")
    kept = [name for name in GROUPS if groups[name].notna().any()]
    sold = lines.merge(orders[orders["status"] != "cancelled"], on="order_id").merge(groups, on="product_id")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.parquet"
        sold[["product_id", "ordered_at", "quantity", *kept]].to_parquet(path)
        return read_sales(path, Columns(["product_id"], "ordered_at", "quantity", kept), freq)


def units_lost(landing: Path, sales: Sales) -> NDArray[np.float64]:
    """[n, T] units that customers wanted and the shelf lacked; zeros where `<landing>.truth` tells of none."""
    lost = np.zeros_like(sales.values)
    file = landing.with_name(landing.name + ".truth") / STOCK_OUTS
    if not file.exists():
        return lost
    outs = pd.read_parquet(file)
    row = pd.Index(sales.ids).get_indexer(pd.Index(outs["product_id"].astype(str)))
    day = pd.to_datetime(outs["day"]).to_numpy().astype("datetime64[D]")
    period = np.searchsorted(sales.starts, day, side="right") - 1
    kept = (row >= 0) & (period >= 0) & (period < lost.shape[1])
    np.add.at(lost, (row[kept], period[kept]), (outs["units_wanted"] - outs["units_sold"]).to_numpy(np.float64)[kept])
    return lost


def products_by(landing: Path, day: np.datetime64, ids: NDArray[np.str_]) -> pd.DataFrame:
    """product_id, unit_price, unit_cost, lead_time_days, order_multiple of `ids` as told by a day, else told first."""
    names = ["unit_price", "unit_cost", "lead_time_days", "order_multiple"]
    told = read_entity(landing, "products", ["product_id", *names])
    known = told[pd.to_datetime(told["dt"]) <= pd.Timestamp(day)].drop_duplicates("product_id", keep="last")
    first = told.drop_duplicates("product_id", keep="first")
    found = pd.concat([known, first]).drop_duplicates("product_id", keep="first").set_index("product_id").reindex(ids)
    return found[names].astype(np.float64).rename_axis("product_id").reset_index()
