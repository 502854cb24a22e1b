"""Sales out of a landing zone: the last word on each order counts, and what stock-outs lost was wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.landing import landing_sales, products_by, units_lost

Rows = list[dict[str, Any]]


def write(landing: Path, entity: str, dt: str, rows: Rows) -> None:
    folder = landing / entity / f"dt={dt}"
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(folder / "part-0.parquet")
    (folder / "_SUCCESS").touch()


def order(number: int, day: str, status: str = "paid") -> dict[str, Any]:
    return {"order_id": f"o{number}", "ordered_at": pd.Timestamp(day), "status": status}


def line(number: int, product: str, quantity: int) -> dict[str, Any]:
    return {"order_id": f"o{number}", "line_number": 1, "product_id": product, "quantity": quantity}


def product(name: str, price: float, brand: str | None = None) -> dict[str, Any]:
    given = {"product_id": name, "category": f"of {name}", "brand": brand, "unit_price": price, "unit_cost": 1.0}
    return given | {"lead_time_days": 9, "order_multiple": 6}


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Three weeks of two products, the last day of which is 2024-01-21."""
    folder = tmp_path / "store"
    write(folder, "products", "2024-01-10", [product("a", 5.0), product("b", 3.0)])
    write(folder, "products", "2024-01-20", [product("a", 6.0)])
    write(folder, "orders", "2024-01-10", [order(1, "2024-01-01"), order(2, "2024-01-09"), order(3, "2024-01-10")])
    write(folder, "orders", "2024-01-21", [order(3, "2024-01-10", "cancelled"), order(4, "2024-01-21")])
    write(folder, "order_lines", "2024-01-10", [line(1, "a", 2), line(2, "b", 3), line(3, "a", 50)])
    write(folder, "order_lines", "2024-01-21", [line(4, "a", 7)])
    return folder


def test_cancelled_orders_do_not_count_and_weeks_end_on_the_last_day(landing: Path) -> None:
    sales = landing_sales(landing, "W")
    assert sales.ids.tolist() == ["a", "b"]
    assert sales.values.tolist() == [[2, 0, 7], [0, 3, 0]]
    assert sales.groups["category"].tolist() == ["of a", "of b"]
    assert sales.groups["brand"].isna().all()


def test_what_stock_outs_lost(landing: Path) -> None:
    sales = landing_sales(landing, "W")
    assert not units_lost(landing, sales).any()
    truth = landing.with_name("store.truth")
    truth.mkdir()
    days = pd.to_datetime(["2024-01-07", "2024-01-08", "2023-01-01", "2024-01-22"]).date
    outs = {"product_id": ["a", "b", "a", "a"], "day": days, "units_wanted": 9, "units_sold": [4, 2, 0, 0]}
    pd.DataFrame(outs).to_parquet(truth / "stock_outs.parquet")
    assert units_lost(landing, sales).tolist() == [[5, 0, 0], [0, 7, 0]]


def test_products_as_told_by_a_day(landing: Path) -> None:
    ids = np.array(["b", "a"])
    for day, price in (("2024-01-01", 5.0), ("2024-01-19", 5.0), ("2024-01-20", 6.0)):
        found = products_by(landing, np.datetime64(day), ids)
        assert found["product_id"].tolist() == ["b", "a"]
        assert found["unit_price"].tolist() == [3.0, price]


def test_no_landing_zone_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found no orders/dt="):
        landing_sales(tmp_path, "W")
