"""Reordering replayed: what our plan would have cost, beside a base stock on last year's sales and one that knows them.

python -m benchmarks.reorder --sales FILE.parquet --id COL --time COL --value COL --price COL --weeks 26 --out FILE.json
python -m benchmarks.reorder --landing FOLDER --weeks 26 --out FILE.json

Each week a policy sees the stock, orders by the plan of `models.reorder` on its own forecasts, and meets what customers
wanted; what is not in stock is lost. Deliveries come on the mornings of weeks, so lead times are rounded up to whole
weeks. Of a sales file, lead times and packs are drawn by the seed and a unit costs COST_SHARE of its price. A landing
zone tells them itself, and what its stock-outs lost was wanted too (where `FOLDER.truth` has them). Models see what
sold under the store's own policy; `--seen wanted` shows them what no empty shelf cut off. A service level of `costs`
stands for each product's own, from its costs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.landing import landing_sales, products_by, units_lost
from benchmarks.replay import WEEK, Outcome, Shop, cheaper, figures, fill_at_equal_stock, replay
from benchmarks.sales import Columns, Sales, origins, read_sales
from benchmarks.sales_lessons import SalesLessons, block_at
from models.demand import SeasonalNaive, XGBoostQuantiles
from models.demand.trees import Recipe
from models.reorder import Costs

Floats = NDArray[np.float64]
COST_SHARE = 0.6
FROM_COSTS = "costs"
LEVELS = ("0.7", "0.8", "0.9", "0.95", "0.98", FROM_COSTS)
OURS, NAIVE, ORACLE = "xgboost_quantiles", "seasonal_naive", "oracle"


class Store(NamedTuple):
    """What sold by week, what was wanted, and the products that are replayed from a week on."""

    sales: Sales
    wanted: NDArray[np.floating]
    start: int
    rows: NDArray[np.int64]
    products: pd.DataFrame


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Replay all policies at all service levels; writes and gives the figures."""
    given = parsed(arguments)
    store = _landing(given) if given.landing else _file(given)
    shop = _shop(store, given)
    told = {name: _forecasts(name, given, store) for name in (OURS, NAIVE)}
    told[ORACLE] = [_truth(store, store.start + week, given.horizon) for week in range(given.weeks)]
    result: dict[str, Any] = {
        "products": len(store.rows),
        "start": str(store.sales.starts[store.start]),
        "units_wanted": float(shop.wanted.sum()),
        "costs": shop.costs._asdict(),
        "levels": {},
    }
    replayed: dict[str, dict[str, Outcome]] = {}
    for level in given.levels:
        found = {name: replay(shop, frames, _level(level)) for name, frames in told.items()}
        gain = cheaper(found[OURS], found[NAIVE], shop.wanted, given.seed)
        replayed[level] = found
        result["levels"][level] = figures(found, shop.wanted) | {"cheaper_than_naive": gain}
        print(json.dumps({"service_level": level} | result["levels"][level]), flush=True)  # noqa: T201
    ours, naive = ([found[name] for found in replayed.values()] for name in (OURS, NAIVE))
    result["fill_at_equal_stock"] = fill_at_equal_stock(ours, naive, shop.wanted, given.seed)
    print(json.dumps(result["fill_at_equal_stock"]))  # noqa: T201
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reorder", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--landing", type=Path, help="a landing zone, simulated or real")
    source.add_argument(
        "--sales", type=Path, help="a Parquet file, one row a sale; takes --id, --time, --value, --price"
    )
    parser.add_argument("--where", help="rows of the file that count, as pandas' query takes it")
    for name in ("id", "time", "value", "price"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--seen", choices=("sold", "wanted"), default="sold", help="what models see of a landing zone")
    parser.add_argument("--weeks", type=int, default=26)
    parser.add_argument(
        "--before", type=int, default=0, help="windows of so many weeks at the end that nobody looks at"
    )
    parser.add_argument("--horizon", type=int, default=8)
    parser.add_argument("--refit", type=int, default=8, help="weeks between two fits of our model")
    parser.add_argument("--least", type=int, default=30, help="weeks with a sale before the first of a product")
    parser.add_argument("--levels", nargs="+", default=list(LEVELS), help="service levels, and `costs`")
    parser.add_argument("--order-cost", type=float, default=0.0, help="money an order")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON of what our trees are grown by")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.sales and None in (given.id, given.time, given.value, given.price):
        parser.error("--sales needs --id, --time, --value and --price")
    return given


def _level(text: str) -> float | None:
    return None if text == FROM_COSTS else float(text)


def _landing(given: argparse.Namespace) -> Store:
    """The store as its landing zone tells of it."""
    sales = landing_sales(given.landing, "W")
    start = origins(sales, given.weeks, 1, given.before)[0]
    products = products_by(given.landing, sales.starts[start], sales.ids)
    known = products[["unit_price", "unit_cost"]].notna().all(axis=1).to_numpy()
    rows = sales.scope(start, given.least)
    rows = rows[known[rows]]
    products = products.iloc[rows].reset_index(drop=True)
    weeks = np.maximum(np.ceil(products["lead_time_days"].fillna(2 * WEEK) / WEEK), 1)
    products = products.assign(lead_time_days=WEEK * weeks, order_multiple=products["order_multiple"].fillna(1.0))
    wanted = sales.values + units_lost(given.landing, sales)
    return Store(replace(sales, values=wanted) if given.seen == "wanted" else sales, wanted, start, rows, products)


def _file(given: argparse.Namespace) -> Store:
    """The store as a sales file tells of it, with lead times, packs and costs made up."""
    sales = read_sales(given.sales, Columns([given.id], given.time, given.value, []), "W", given.where)
    start = origins(sales, given.weeks, 1, given.before)[0]
    rows = sales.scope(start, given.least)
    random = np.random.default_rng(given.seed)
    frame = pd.read_parquet(given.sales)
    frame = frame.query(given.where, engine="python") if given.where else frame
    known = frame[pd.to_datetime(frame[given.time]) < pd.Timestamp(sales.starts[start])]
    price = known.groupby(known[given.id].astype(str))[given.price].median().reindex(sales.ids[rows]).to_numpy()
    products = pd.DataFrame(
        {
            "product_id": sales.ids[rows],
            "unit_price": price,
            "unit_cost": COST_SHARE * price,
            "lead_time_days": random.choice([7, 14, 21], len(rows)),
            "order_multiple": random.choice([1, 6, 12], len(rows)),
        }
    )
    return Store(sales, sales.values, start, rows, products)


def _shop(store: Store, given: argparse.Namespace) -> Shop:
    """What was wanted in the weeks replayed; the shelves begin with what sells in the lead time and two weeks."""
    start, weeks = store.start, store.products["lead_time_days"].to_numpy(np.float64) / WEEK
    wanted = np.maximum(np.round(store.wanted[store.rows, start : start + given.weeks]), 0.0)
    first = store.sales.values[store.rows, max(start - 8, 0) : start].mean(axis=1) * (weeks + 2)
    return Shop(wanted, store.products, np.maximum(first, 0.0).astype(np.int64), Costs(order_cost=given.order_cost))


def _forecasts(name: str, given: argparse.Namespace, store: Store) -> list[pd.DataFrame]:
    """What a model says on each morning, knowing what had sold by then."""
    settings: dict[str, Any] = {"horizon": given.horizon, "period_days": WEEK, "seed": given.seed}
    found, sales = [], store.sales
    model: Any = SeasonalNaive(**settings)
    for week in range(given.weeks):
        if name == OURS and week % given.refit == 0:
            model = XGBoostQuantiles(**settings, threads=given.threads, recipe=Recipe(**given.recipe))
            model.learn(SalesLessons(sales, store.start + week, given.horizon, "W"))
        said = model.forecast(block_at(sales, store.start + week, store.rows, "W"))
        found.append(_frame(sales.ids[store.rows], said.mean, said.p10, said.p90))
    return found


def _truth(store: Store, cut: int, horizon: int) -> pd.DataFrame:
    """What will be wanted, as a forecast without doubt; past the end of the file as in the last weeks."""
    ahead = np.maximum(store.wanted[store.rows, cut : cut + horizon], 0.0)
    ahead = np.pad(ahead, ((0, 0), (0, horizon - ahead.shape[1])), mode="edge")
    return _frame(store.sales.ids[store.rows], ahead, ahead, ahead)


def _frame(ids: NDArray[np.str_], mean: Floats, low: Floats, high: Floats) -> pd.DataFrame:
    count, horizon = mean.shape
    key = {"product_id": np.repeat(ids, horizon), "horizon": np.tile(np.arange(1, horizon + 1), count)}
    columns = {"units_mean": mean.ravel(), "units_p10": low.ravel(), "units_p90": high.ravel()}
    return pd.DataFrame(key | columns)


if __name__ == "__main__":
    main()
