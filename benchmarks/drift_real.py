"""Drift on real orders: nobody knows what drifted there, so this counts what rings and says when."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.drift_store import DAY, Night, Store, next_night
from pipelines.monitoring.drift import LEVEL, judge_night


def real_rows(file: Path) -> tuple[Night, pd.DataFrame]:
    """The relations of orders and lines of a file of order_id, ordered_at, customer_id, country, product_id, quantity
    and unit_price, and marts.dim_products."""
    told = pd.read_parquet(file)
    told = told[told["quantity"] > 0]
    told["day"] = told["ordered_at"].dt.normalize()
    known = told["day"] + pd.Timedelta(days=1)
    buyer = told["customer_id"].map(lambda one: None if pd.isna(one) else str(one))
    orders = told.assign(customer_id=buyer, known_at=known, channel=None).rename(columns={"country": "ship_country"})
    orders = orders.drop_duplicates("order_id")[["customer_id", "channel", "ship_country", "ordered_at", "known_at"]]
    lines = told.assign(known_at=known, sign=1, revenue=told["quantity"] * told["unit_price"].astype(float))
    first = told.groupby("product_id")["day"].min().dt.date.rename("first_sold_on").reset_index()
    lines = lines.assign(day=lines["day"].dt.date)[["product_id", "day", "quantity", "revenue", "sign", "known_at"]]
    rows = {"staging.stg_store__orders": orders, "intermediate.int_order_lines_changes": lines}
    return rows, first.assign(category=None)


def with_empty_tables(rows: Night, store: Store) -> Night:
    """The other relations too, without rows."""
    return {name: table.head(0) for name, table in next_night(store).items() if "." in name} | rows


def judged_nights(histograms: Any, last: date, nights: int) -> dict[str, Any]:
    """The nights that ring, by feature and by month."""
    rang: list[tuple[date, str]] = []
    for as_of in (last - n * DAY for n in range(nights - 1, -1, -1)):
        judged = judge_night(histograms, as_of)
        level = LEVEL / max(len(judged), 1)
        rang += [(as_of, one.feature) for one in judged if one.value > one.threshold(level)]
    return {
        "nights": nights,
        "alarm_nights": len({as_of for as_of, _ in rang}),
        "by_feature": Counter(feature for _, feature in rang),
        "by_month": Counter(f"{as_of:%Y-%m}" for as_of in sorted({as_of for as_of, _ in rang})),
        "rang": [f"{as_of} {feature}" for as_of, feature in rang],
    }
