"""Reordering replayed on a sales file: what our plan would have cost, beside a base stock on last year's sales.

python -m benchmarks.reorder --sales FILE.parquet --id COL --time COL --value COL --price COL --weeks 26 --out FILE.json

Each week a policy sees the stock, orders by the plan of `models.reorder` on its own forecasts, and meets what really
sold; what is not in stock is lost. Lead times and pack sizes are drawn by the seed; a unit costs COST_SHARE of its
price.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.sales import Columns, Sales, origins, read_sales
from benchmarks.sales_lessons import SalesLessons, block_at
from models.bootstrap import paired_gain
from models.demand import SeasonalNaive, XGBoostQuantiles
from models.demand.xgboost_quantiles import Recipe
from models.metrics import DENOMINATOR, NUMERATOR
from models.reorder import Costs, reorder_plan

Floats = NDArray[np.float64]
COST_SHARE = 0.6
LEVELS = (0.7, 0.8, 0.9, 0.95, 0.98)
OURS, NAIVE, ORACLE = "xgboost_quantiles", "seasonal_naive", "oracle"
WEEK = 7


class Shop(NamedTuple):
    """What every policy meets."""

    sold: Floats
    """[n, weeks] units that customers wanted."""
    products: pd.DataFrame
    """product_id, unit_price, unit_cost, lead_time_days, order_multiple"""
    on_hand: NDArray[np.int64]
    """[n] units on the first morning."""


class Outcome(NamedTuple):
    """What a policy came to, [n] each."""

    holding: Floats
    lost: Floats
    stock: Floats
    units_lost: Floats

    @property
    def cost(self) -> Floats:
        """Money over all weeks."""
        return self.holding + self.lost


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Replay all policies at all service levels; writes and gives the figures."""
    given = parsed(arguments)
    sales = read_sales(given.sales, Columns([given.id], given.time, given.value, []), "W", given.where)
    start = origins(sales, given.weeks, 1)[0]
    rows = sales.scope(start, given.least)
    shop = _shop(given, sales, rows, start)
    told = {name: _forecasts(name, given, sales, rows, start) for name in (OURS, NAIVE)}
    told[ORACLE] = [_truth(sales, rows, start + week, given.horizon) for week in range(given.weeks)]
    result: dict[str, Any] = {"products": len(rows), "start": str(sales.starts[start]), "levels": {}}
    for level in given.levels:
        found = {name: replay(shop, frames, level) for name, frames in told.items()}
        result["levels"][str(level)] = _compared(found, shop.sold.sum(axis=1), given.seed)
        print(json.dumps({"service_level": level} | result["levels"][str(level)]), flush=True)  # noqa: T201
    result["fill_at_equal_stock"] = _at_equal_stock(result["levels"])
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return result


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reorder", description=__doc__)
    parser.add_argument("--sales", type=Path, required=True)
    parser.add_argument("--where", help="rows that count, as pandas' query takes it")
    for name in ("id", "time", "value", "price"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--weeks", type=int, default=26)
    parser.add_argument("--horizon", type=int, default=8)
    parser.add_argument("--refit", type=int, default=8, help="weeks between two fits of our model")
    parser.add_argument("--least", type=int, default=30, help="weeks with a sale before the first of a product")
    parser.add_argument("--levels", type=float, nargs="+", default=list(LEVELS), help="service levels")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON of what our trees are grown by")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def replay(shop: Shop, told: Sequence[pd.DataFrame], level: float) -> Outcome:
    """Every week: receive, order by the plan on that week's forecast, sell what is there."""
    count, weeks = shop.sold.shape
    arrives = -(-shop.products["lead_time_days"].to_numpy() // WEEK)
    due = np.zeros((weeks + int(arrives.max()) + 1, count))
    on_hand, stock, short = shop.on_hand.astype(np.float64), np.zeros(count), np.zeros(count)
    for week in range(weeks):
        on_hand += due[week]
        known = pd.DataFrame(
            {
                "product_id": shop.products["product_id"],
                "on_hand": on_hand.astype(np.int64),
                "on_order": due[week + 1 :].sum(axis=0).astype(np.int64),
            }
        )
        plan = reorder_plan(
            told[week], shop.products, known, period_days=WEEK, service_level=level, costs=Costs(), review_days=WEEK
        )
        due[week + arrives, np.arange(count)] += plan["order_quantity"].to_numpy()
        on_hand += np.where(arrives == 0, due[week], 0.0)
        wanted = shop.sold[:, week]
        short += np.maximum(wanted - on_hand, 0.0)
        on_hand = np.maximum(on_hand - wanted, 0.0)
        stock += on_hand
    costs, price, unit = Costs(), shop.products["unit_price"].to_numpy(), shop.products["unit_cost"].to_numpy()
    holding = costs.holding_cost_share * unit * stock * WEEK / 365.0
    return Outcome(holding, costs.stockout_cost_share * (price - unit) * short, stock / weeks, short)


def _shop(given: argparse.Namespace, sales: Sales, rows: NDArray[np.int64], start: int) -> Shop:
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
    sold = np.maximum(np.round(sales.values[rows, start : start + given.weeks]), 0.0)
    first = sales.values[rows, start - 8 : start].mean(axis=1) * (products["lead_time_days"].to_numpy() / WEEK + 2)
    return Shop(sold, products, np.maximum(first, 0.0).astype(np.int64))


def _forecasts(
    name: str, given: argparse.Namespace, sales: Sales, rows: NDArray[np.int64], start: int
) -> list[pd.DataFrame]:
    """What a model says on each morning, knowing what had sold by then."""
    settings: dict[str, Any] = {"horizon": given.horizon, "period_days": WEEK, "seed": given.seed}
    found = []
    model: Any = SeasonalNaive(**settings)
    for week in range(given.weeks):
        if name == OURS and week % given.refit == 0:
            model = XGBoostQuantiles(**settings, threads=given.threads, recipe=Recipe(**given.recipe))
            model.learn(SalesLessons(sales, start + week, given.horizon, "W"))
        said = model.forecast(block_at(sales, start + week, rows, "W"))
        found.append(_frame(sales.ids[rows], said.mean, said.p10, said.p90))
    return found


def _truth(sales: Sales, rows: NDArray[np.int64], cut: int, horizon: int) -> pd.DataFrame:
    """What will sell, as a forecast without doubt; past the end of the file as in the last weeks."""
    ahead = np.maximum(sales.values[rows, cut : cut + horizon], 0.0)
    ahead = np.pad(ahead, ((0, 0), (0, horizon - ahead.shape[1])), mode="edge")
    return _frame(sales.ids[rows], ahead, ahead, ahead)


def _frame(ids: NDArray[np.str_], mean: Floats, low: Floats, high: Floats) -> pd.DataFrame:
    count, horizon = mean.shape
    key = {"product_id": np.repeat(ids, horizon), "horizon": np.tile(np.arange(1, horizon + 1), count)}
    columns = {"units_mean": mean.ravel(), "units_p10": low.ravel(), "units_p90": high.ravel()}
    return pd.DataFrame(key | columns)


def _compared(found: Mapping[str, Outcome], sold: Floats, seed: int) -> dict[str, Any]:
    """Money, mean stock and fill rate of every policy, and how much cheaper ours is than the naive one."""
    per_product = {
        name: pd.DataFrame({NUMERATOR: one.cost, DENOMINATOR: np.maximum(sold, 1e-9)}) for name, one in found.items()
    }
    figures: dict[str, Any] = {
        name: {
            "cost": round(float(one.cost.sum()), 1),
            "holding": round(float(one.holding.sum()), 1),
            "lost_margin": round(float(one.lost.sum()), 1),
            "mean_stock": round(float(one.stock.sum()), 1),
            "fill_rate": round(float(1.0 - one.units_lost.sum() / sold.sum()), 4),
        }
        for name, one in found.items()
    }
    cheaper = paired_gain(per_product[OURS], per_product[NAIVE], seed=seed)
    return figures | {"cheaper_than_naive": [round(part, 4) for part in cheaper]}


def _at_equal_stock(levels: Mapping[str, Any]) -> list[dict[str, float]]:
    """At each stock of the naive policy that ours spans: both fill rates, ours between two of its levels."""
    curve = sorted((one[OURS]["mean_stock"], one[OURS]["fill_rate"]) for one in levels.values())
    stocks, fills = (np.array(column) for column in zip(*curve, strict=True))
    found = []
    for one in levels.values():
        stock, fill = one[NAIVE]["mean_stock"], one[NAIVE]["fill_rate"]
        if stocks[0] <= stock <= stocks[-1]:
            ours = float(np.interp(stock, stocks, fills))
            found.append({"mean_stock": stock, "naive": fill, "ours": round(ours, 4), "higher": round(ours - fill, 4)})
    return found


if __name__ == "__main__":
    main()
