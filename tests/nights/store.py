"""A small store of all entities, with half a year of history and some daily partitions, changed orders among them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tests.landing import Landing, Row, customer, line, order, product
from tests.nights.aftermath import write_aftermath

DAY = timedelta(days=1)
FIRST, HISTORY = date(2024, 1, 1), date(2024, 6, 9)
NIGHTS = [HISTORY + DAY * ahead for ahead in range(2, 5)]  # three nights, each with a new partition before it
PRODUCTS, CUSTOMERS = 12, 30
SETTINGS = "demand: {horizon: 2}\nrecommendations: {top_k: 5}\nrisk: {label_maturity_days: 30}\ncompute: {threads: 1}\n"


def orders_of(day: date, random: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """A day's orders with their lines: some products sell by season, some customers are guests."""
    orders, lines = [], []
    for number in range(int(random.poisson(8 + 4 * (day.weekday() < 5)))):
        order_id, who = f"{day:%y%m%d}-{number}", int(random.integers(0, CUSTOMERS + 5))
        orders.append(order(order_id, day, customer_id=f"c{who}" if who < CUSTOMERS else None))
        chosen = sorted(set(np.minimum(random.geometric(0.25, 3), PRODUCTS).tolist()))
        lines += [
            line(order_id, at + 1, product_id=f"p{which}", quantity=int(random.integers(1, 4)))
            for at, which in enumerate(chosen)
        ]
    return orders, lines


def write_store(landing: Landing, until: date = NIGHTS[-1]) -> None:
    """The history partition, then a partition a day up to the day before `until`."""
    random = np.random.default_rng(7)
    landing.write("customers", HISTORY, [customer(f"c{who}", FIRST) for who in range(CUSTOMERS)])
    landing.write("products", HISTORY, [product(f"p{which}", FIRST) for which in range(1, PRODUCTS + 1)])
    days = [FIRST + DAY * ahead for ahead in range((HISTORY - FIRST).days + 1)]
    past = [orders_of(day, random) for day in days]
    landing.write("orders", HISTORY, [row for orders, _ in past for row in orders])
    landing.write("order_lines", HISTORY, [row for _, lines in past for row in lines])
    day = HISTORY + DAY
    yesterday, sold = past[-1], [(day, *rows) for day, rows in zip(days, past, strict=True)]
    while day < until:
        orders, lines = orders_of(day, random)
        cancelled = [row | {"status": "cancelled"} for row in yesterday[0][:1]]
        corrected = [row | {"quantity": row["quantity"] + 5} for row in yesterday[1][-1:]]
        landing.write("orders", day, orders + cancelled)
        landing.write("order_lines", day, lines + corrected)
        landing.write("products", day, [product("p1", day, unit_price=Decimal("3.0000"))])
        sold.append((day, orders, lines))
        yesterday, day = (orders, lines), day + DAY
    write_aftermath(landing, sold, HISTORY)
