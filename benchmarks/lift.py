"""The lift of recommendations on customers with a planted truth: does the interval hold it, and how much is seen.

python -m benchmarks.lift --orders demo/orders.parquet --first 2011-10-04 --customers 4000 --lifts 0 0.1 --out FILE.json

The customers are those of a file of orders (customer_id, order_id, ordered_at, quantity, unit_price) who had bought
before `--first`, with what they did in the 28 days from it; so many are drawn of them, with replacement. In each draw
a hold-out is drawn by its hash with another seed, and a planted share of customers of the other arm makes one order
more, like one that somebody made. The truth is what that adds on average; with a lift of 0 an arm that wins is a
false alarm.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.bootstrap import apart, entities_needed
from models.metrics import DENOMINATOR, NUMERATOR
from models.recommendations.holdout import in_holdout

DAYS = 28
MEASURES = ("buyers", "orders", "money")
EFFECT = 0.05  # relative gain that the needed hold-out is told for


def customers_of(file: Path, first: date) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """orders and money of the 28 days from `first`, of all who had bought before; and the money of each such order."""
    columns = ["customer_id", "order_id", "ordered_at", "quantity", "unit_price"]
    lines = pd.read_parquet(file, columns=columns).dropna(subset=["customer_id"])
    lines = lines[lines["quantity"] > 0]
    lines["money"] = lines["quantity"] * lines["unit_price"].astype("float64")
    start = pd.Timestamp(first)
    known = lines.loc[lines["ordered_at"] < start, "customer_id"].unique()
    within = lines[(lines["ordered_at"] >= start) & (lines["ordered_at"] < start + timedelta(days=DAYS))]
    baskets = within[within["customer_id"].isin(known)].groupby(["customer_id", "order_id"])["money"].sum()
    by_customer = baskets.groupby("customer_id").agg(["size", "sum"]).reindex(known).fillna(0.0)
    return by_customer.set_axis(["orders", "money"], axis=1), baskets.to_numpy(np.float64)


def measured(
    store: tuple[pd.DataFrame, NDArray[np.float64]], customers: int, lift: float, draws: int, share: float
) -> dict[str, Any]:
    """Of each measure: how often the interval held the truth, lay above 0, and lay below."""
    found: dict[str, list[tuple[bool, bool, bool]]] = {name: [] for name in MEASURES}
    for seed in range(draws):
        for name, (truth, estimate) in one_draw(store, customers, lift, share, seed).items():
            held = estimate.low <= truth <= estimate.high
            found[name].append((held, estimate.low > 0, estimate.high < 0))
    rates = {name: np.mean(hits, axis=0).round(3).tolist() for name, hits in found.items()}
    return {name: dict(zip(("coverage", "above", "below"), rate, strict=True)) for name, rate in rates.items()}


def one_draw(
    store: tuple[pd.DataFrame, NDArray[np.float64]], customers: int, lift: float, share: float, seed: int
) -> dict[str, tuple[float, Any]]:
    """The true lift of each measure, and the estimate of it."""
    people, baskets = store
    random = np.random.default_rng(seed)
    drawn = people.sample(customers, replace=True, random_state=random).reset_index(drop=True)
    held = in_holdout(pd.Series([f"c{number}" for number in range(customers)]), share, seed)
    chance = lift * people["orders"].mean()  # of an order more, so that orders rise by the lift
    more = (random.random(customers) < chance) & ~held
    orders = drawn["orders"] + more
    money = drawn["money"] + np.where(more, random.choice(baskets, customers), 0.0)
    values = {"buyers": orders > 0, "orders": orders, "money": money}
    buying = (people["orders"] > 0).mean()
    truths = {"buyers": chance * (1 - buying) / buying, "orders": lift}
    truths["money"] = chance * baskets.mean() / people["money"].mean()
    return {
        name: (truths[name], apart(_frame(values[name][~held]), _frame(values[name][held]), seed=seed)[1])
        for name in MEASURES
    }


def _frame(values: Any) -> pd.DataFrame:
    return pd.DataFrame({NUMERATOR: np.asarray(values, dtype=np.float64), DENOMINATOR: 1.0})


def needed(people: pd.DataFrame, share: float) -> dict[str, int]:
    """Customers of the hold-out by which a lift of EFFECT is seen in four of five cases."""
    values = {"buyers": people["orders"] > 0, "orders": people["orders"], "money": people["money"]}
    return {name: round(entities_needed(_frame(found), share, effect=EFFECT)) for name, found in values.items()}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--first", type=date.fromisoformat, required=True, help="first of the 28 days")
    parser.add_argument("--customers", type=int, nargs="+", default=[4_000, 20_000])
    parser.add_argument("--lifts", type=float, nargs="+", default=[0.0, 0.1], help="in orders")
    parser.add_argument("--share", type=float, default=0.05, help="of the hold-out")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    store = customers_of(asked.orders, asked.first)
    results: dict[str, Any] = {"customers": len(store[0]), "needed": needed(store[0], asked.share), "measured": []}
    table = Table("customers", "lift in orders", "measure", "coverage", "seen above 0", "seen below 0")
    for customers in asked.customers:
        for lift in asked.lifts:
            rates = measured(store, customers, lift, asked.draws, asked.share)
            results["measured"].append({"customers": customers, "lift": lift} | rates)
            for name, rate in rates.items():
                table.add_row(f"{customers:,}", f"{lift:.0%}", name, *(f"{value:.3f}" for value in rate.values()))
    Console().print(table, results["needed"])
    if asked.out:
        asked.out.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
