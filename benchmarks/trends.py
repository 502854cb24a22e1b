"""Trends of tickets on stores made for it: false alarms a night where nothing is wrong, and broken products found.

python -m benchmarks.trends --stores 200 --products 500 --tickets 150 --out result.json

Each store: products of very different popularity, intents of different weight that differ by product, weeks that differ
by season and by chance (gamma noise of each product and each intent), tickets of `--tickets` a week. A broken product
brings tickets about damage on the last day alone.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.support.trends import DAYS, ticket_trends

AS_OF = date(2024, 6, 10)
INTENTS = (
    "where",
    "damaged",
    "wrong",
    "return",
    "refund",
    "invoice",
    "cancel",
    "payment",
    "question",
    "stock",
    "address",
)
NOISE = 0.3  # coefficient of variation of a product's and of an intent's week
BROKEN = (2, 3, 4, 5, 6, 8, 12)
NO_GUESSES = pd.DataFrame({"ticket_id": pd.Series(dtype="str"), "intent": pd.Series(dtype="str")})


def store(random: np.random.Generator, products: int, tickets: float) -> pd.DataFrame:
    """The tickets of a store in which nothing is wrong."""
    weeks = DAYS // 7
    popularity = random.lognormal(0, 1.5, products)
    mix = random.dirichlet(np.linspace(3, 0.5, len(INTENTS)), products)
    season = 1 + 0.3 * np.sin(np.arange(weeks) / 8)
    gamma = 1 / NOISE**2
    week_of_product = random.gamma(gamma, 1 / gamma, (weeks, products, 1))
    week_of_intent = random.gamma(gamma, 1 / gamma, (weeks, 1, len(INTENTS)))
    rate = season[:, None, None] * (popularity / popularity.sum())[None, :, None] * mix[None] * tickets
    counts = random.poisson(rate * week_of_product * week_of_intent)
    week, product, intent = (np.repeat(place, counts[counts > 0]) for place in np.nonzero(counts))
    days = 7 * week + random.integers(0, 7, len(week)) + 1
    return pd.DataFrame(
        {
            "ticket_id": [f"t{number}" for number in range(len(week))],
            "product_id": [None if random.random() < 0.2 else f"p{number}" for number in product],
            "intent": np.array(INTENTS, object)[intent],
            "opened_at": [datetime.combine(AS_OF, datetime.min.time()) - timedelta(days=int(day)) for day in days],
        }
    )


def broken(tickets: pd.DataFrame, product: str, many: int) -> pd.DataFrame:
    """The store with tickets about damage to a product, of yesterday."""
    moment = datetime.combine(AS_OF, datetime.min.time()) - timedelta(hours=8)
    rows = {"ticket_id": [f"x{number}" for number in range(many)], "product_id": product, "intent": "damaged"}
    return pd.concat([tickets, pd.DataFrame(rows | {"opened_at": moment})], ignore_index=True)


def measured(stores: int, products: int, tickets: float, seed: int) -> dict[str, Any]:
    """False alarms a night, and the share of broken products found the next morning by how many tickets came."""
    random = np.random.default_rng(seed)
    alarms: list[Any] = []
    found: dict[int, list[Any]] = {many: [] for many in BROKEN}
    for _ in range(stores):
        own = store(random, products, tickets)
        newest = _alarms(own)
        alarms.append(len(newest))
        which = f"p{random.integers(products)}"
        for many in BROKEN:
            found[many].append((which, "damaged") in _alarms(broken(own, which, many)))
    return {
        "stores": stores,
        "false_alarms_a_night": round(float(np.mean(alarms)), 4),
        "nights_with_one": round(float(np.mean(np.array(alarms) > 0)), 4),
        "found": {many: round(float(np.mean(hits)), 3) for many, hits in found.items()},
    }


def _alarms(tickets: pd.DataFrame) -> set[tuple[str | None, str]]:
    """Product and intent of what is unusual in the newest week."""
    table = ticket_trends(tickets, NO_GUESSES, AS_OF)
    newest = table[table["is_unusual"] & (table["week_start"] == AS_OF - timedelta(days=7))]
    return set(zip(newest["product_id"], newest["intent"], strict=True))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=200)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--tickets", type=float, nargs="+", default=[50.0, 150.0, 1000.0], help="a week, one or more")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    results = {str(one): measured(asked.stores, asked.products, one, asked.seed) for one in asked.tickets}
    table = Table("tickets a week", "false alarms a night", *(f"found, {many} tickets" for many in BROKEN))
    for one, row in results.items():
        table.add_row(one, str(row["false_alarms_a_night"]), *(str(row["found"][many]) for many in BROKEN))
    Console().print(table)
    if asked.out:
        asked.out.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
