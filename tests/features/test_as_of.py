"""As-of truth: whatever comes late, twice or corrected, the features are what could be known at the cut-off."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import DATASETS
from pipelines.features.build import build_training_features
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.training.cutoffs import judged_nights
from tests.features.conftest import aggregates, build, load, new_home, run_nights
from tests.features.reading import Reading, demand_targets, recommendation_targets, sold_after
from tests.features.store import HISTORY, NIGHTS, Row, Store, midnight

SEEDS = (1, 2)
CUTOFFS = [HISTORY - timedelta(days=days) for days in (70, 30)] + [*NIGHTS, date(2024, 2, 10), date(2024, 3, 1)]
FIT_CUTOFFS = [date(2024, 2, 14), date(2024, 2, 27), NIGHTS[-1]]


def rows_of(snapshot: Snapshot, table: str) -> dict[Any, Row]:
    """A snapshot's table as rows by key, in plain Python."""
    key = DATASETS[table].key
    frame = snapshot.frame(table)
    for column in frame.select_dtypes("datetime"):
        frame[column] = [None if value is None or value != value else value.date() for value in frame[column]]
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    rows = {tuple(row[column] for column in key): {c: v for c, v in row.items() if c not in key} for row in records}
    assert len(rows) == len(frame)
    return rows


@pytest.fixture(scope="module", params=SEEDS)
def night_by_night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Store, Any]:
    store = Store(request.param)
    home = new_home(tmp_path_factory.mktemp(f"nights_{request.param}"))
    return home, store, run_nights(home, store, NIGHTS)


def test_each_night_is_what_a_brute_force_reading_gives(night_by_night: Any) -> None:
    home, store, results = night_by_night
    for as_of in NIGHTS:
        snapshot, reading = Snapshot(home.storage, results[as_of]["snapshot"]), Reading(store, as_of)
        assert rows_of(snapshot, "features_demand_products") == reading.demand_products(7)
        assert rows_of(snapshot, "features_demand_periods") == reading.demand_periods(7)
        assert rows_of(snapshot, "features_product_popularity") == reading.popularity()
        assert rows_of(snapshot, "features_customer_products") == reading.customer_products()
        assert rows_of(snapshot, "features_customer_orders") == reading.customer_orders()
        assert rows_of(snapshot, "features_customers") == reading.last_orders()
        assert rows_of(snapshot, "features_products") == reading.valid_products()
        assert rows_of(snapshot, "fct_daily_sales") == reading.daily_sales()
        assert rows_of(snapshot, "dim_customers") == reading.customers_mart()
        assert rows_of(snapshot, "dim_products").keys() == reading.products.keys()
        assert results[as_of]["orphan_lines"] == reading.waiting()
        judged, products = judged_nights(home, as_of), {key[0] for key in (*reading.products, *reading.levels)}
        sold = sold_after([(past, name) for past in judged["demand"] for name in products], reading, 7, 3)
        assert rows_of(snapshot, "features_demand_targets") == sold
        bought = [recommendation_targets(past, reading) for past in judged["recommendations"]]
        assert rows_of(snapshot, "features_recommendation_targets") == {key: {} for part in bought for key in part}
        assert sold and all(bought)
    assert any(result["orphan_lines"] for result in results.values())


@pytest.mark.parametrize("frequency", ["W", "D"])
def test_past_cutoffs_are_what_a_brute_force_reading_gives(night_by_night: Any, frequency: str) -> None:
    home, store, _ = night_by_night
    home = Home(home.places, home.settings.model_copy(update={"demand": demand_of(frequency)}))
    period_days, horizon = home.settings.demand.period_days, home.settings.demand.horizon
    result = build_training_features(home, NIGHTS[-1], CUTOFFS, FIT_CUTOFFS)
    snapshot = Snapshot(home.storage, result["snapshot"])
    then = {as_of: Reading(store, as_of) for as_of in {*CUTOFFS, *FIT_CUTOFFS}}
    expected = {
        "features_demand_products": [then[c].demand_products(period_days) for c in CUTOFFS],
        "features_demand_periods": [then[c].demand_periods(period_days) for c in CUTOFFS],
        "features_product_popularity": [then[c].popularity() for c in CUTOFFS],
        "features_customer_products": [then[c].customer_products() for c in CUTOFFS],
        "features_customers": [then[c].last_orders() for c in CUTOFFS],
        "features_products": [then[c].valid_products() for c in CUTOFFS],
        "features_demand_targets": [
            demand_targets(then[c], then[k], period_days, horizon) for k in FIT_CUTOFFS for c in CUTOFFS if c < k
        ],
        "features_recommendation_targets": [recommendation_targets(c, then[k]) for k in FIT_CUTOFFS for c in CUTOFFS],
    }
    for table, parts in expected.items():
        rows = {key: row for part in parts for key, row in part.items()}
        assert rows_of(snapshot, table) == rows, table
        assert rows, table
    assert sum(len(part) for parts in expected.values() for part in parts) > 1_000
    for table in ("features_demand_periods", "features_demand_targets"):
        assert sum(row["days_out_of_stock"] > 0 for part in expected[table] for row in part.values()) > 20


def demand_of(frequency: str) -> Any:
    return Settings(demand={"frequency": frequency, "horizon": 3 if frequency == "W" else 20}).demand


def test_all_at_once_and_with_rows_from_the_future_gives_the_same_snapshots(
    night_by_night: Any, tmp_path: Path
) -> None:
    _, store, results = night_by_night
    home, last = new_home(tmp_path), NIGHTS[-1]
    load(home, store.versions, last)
    load(home, from_the_future(last), last)
    assert build(home, last)["snapshot"] == results[last]["snapshot"]
    before = aggregates(home)
    assert build(home, NIGHTS[2])["snapshot"] == results[NIGHTS[2]]["snapshot"]  # an older night, built later
    assert aggregates(home) == before


def from_the_future(last: date) -> dict[str, list[Row]]:
    """A cancelled order, 999 units, a product taken off sale, empty shelves: all known only after the last night."""
    future = last + timedelta(days=1)
    meta = {"dt": last, "known_at": midnight(future), "loaded_as_of": future}
    order = {"order_id": "O1", "customer_id": "C1", "ordered_at": midnight(date(2024, 3, 1)), "status": "cancelled"}
    line = {"order_id": "O2", "line_number": 1, "product_id": "P00", "quantity": 999, "unit_price": Decimal(9)}
    product = {"product_id": "P01", "title": "P", "is_active": False, "unit_price": Decimal(1)}
    stock = [
        {"product_id": "P00", "as_of_date": last - timedelta(days=days), "on_hand": 0, "on_order": 0} | meta
        for days in range(1, 60)
    ]
    return {
        "orders": [order | {"currency": "EUR"} | meta],
        "order_lines": [line | meta],
        "products": [product | meta],
        "stock_levels": stock,
    }
