"""A store of any size, simulated day by day: a landing zone, and beside it the truths that were planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from demo.catalogue import make_catalogue
from demo.draws import uniform
from demo.events import simulate_events
from demo.frames import GUEST, Lines, Orders, Products
from demo.landing import LandingWriter
from demo.payments import simulate_payments
from demo.shoppers import Wishes, make_shoppers, wishes_of
from demo.stock import Shelves
from demo.tickets import simulate_tickets
from demo.trading import Store, on_shelf, place_orders, plan_returns
from demo.truths import Truths

FIRST_DT = date(2024, 1, 1)
HISTORY_SHARE = 0.6  # of the days lie in the history partition
TYPICAL_CENTS = 4_000
CUSTOMERS_A_RING = 6_000


def simulate(
    folder: Path,
    customers: int,
    products: int,
    days: int,
    seed: int,
    progress: Callable[[str], None] | None = None,
    failing: float = 0.0,
) -> dict[str, Any]:
    """Write a landing zone into the empty `folder` and the truths into `<folder>.truth`; figures of both.

    The history partition holds the first 60% of the days. failing: share of the products whose supplier fails for six
    weeks of each half year. The same arguments write the same bytes.
    """
    if min(customers, products) < 10 or days < 5:
        raise ValueError("a store needs at least 10 customers, 10 products and 5 days")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    first_day = int(np.datetime64(FIRST_DT).astype(np.int64))
    history = max(int(days * HISTORY_SHARE), 1)
    writer = LandingWriter(
        folder,
        FIRST_DT + timedelta(days=history - 1),
        FIRST_DT + timedelta(days=days - 1),
        {"simulated": "true", "simulator": f"nightcart simulate, seed {seed}: nobody and nothing in it is real"},
    )
    store = _open(customers, products, days, first_day, seed, failing)
    with Truths(folder.with_name(folder.name + ".truth"), first_day + days - 1) as truths:
        truths.plant(store.catalogue, store.shoppers)
        for day in range(first_day, first_day + days):
            _run_day(day, history, store, writer, truths)
            writer.close_day(FIRST_DT + timedelta(days=day - first_day))
            if progress is not None:
                progress(f"day {day - first_day + 1} of {days}, {store.orders:,} orders")
    figures = truths.figures() | {"rows": writer.rows, "seed": seed, "days": days, "history_days": history}
    (truths.folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (folder / "ATTRIBUTION.txt").write_text("\n".join(f"{k}: {v}" for k, v in writer.metadata.items()) + "\n", "utf-8")
    return figures


def _open(customers: int, products: int, days: int, first_day: int, seed: int, failing: float) -> Store:
    """The store on the morning of its first day."""
    catalogue = make_catalogue(products, days, first_day, seed)
    shoppers = make_shoppers(customers, days, seed)
    shelves = Shelves(catalogue.lead_time, catalogue.order_multiple, seed, failing)
    return Store(catalogue, shoppers, shelves, seed)


def _run_day(day: int, history: int, store: Store, writer: LandingWriter, truths: Truths) -> None:
    """One day: what is new, who comes, what the shelves allow, and all that follows from the orders."""
    _tell_news(day, history, store, writer)
    for customers in store.returns_due.pop(day, []):
        np.add.at(store.returns, customers, 1)
    wishes = wishes_of(day, store.shoppers, store.catalogue, store.seed)
    _stock_launches(day, wishes, store)
    wanted = np.bincount(wishes.product, wishes.quantity, len(store.catalogue.leaf)).astype(np.int64)
    is_sold = on_shelf(wishes, store.shelves.on_hand)
    sold = np.bincount(wishes.product[is_sold], wishes.quantity[is_sold], len(wanted)).astype(np.int64)
    truths.add_day(day, store.catalogue, wanted, sold)
    store.shelves.step(day, sold)
    writer.add("stock_levels", store.shelves.levels(day, store.catalogue.product_id), "as_of_date")
    if not is_sold.any():
        return
    orders, lines, tables = place_orders(day, history, wishes, is_sold, store)
    tables.append(("returns", plan_returns(day, orders, lines, store), "returned_at"))
    _follow(day, orders, lines, store, writer, truths)
    for entity, table, happened in tables:
        writer.add(entity, table, happened)


def _tell_news(day: int, history: int, store: Store, writer: LandingWriter) -> None:
    """Customers who sign up, products that are launched or change their price; the history tells its last versions."""
    catalogue, offset = store.catalogue, day - store.catalogue.first_day
    if offset < history - 1:
        return
    dt = np.datetime64(day, "D")
    is_last = offset == history - 1
    signed = store.shoppers.signup <= offset if is_last else store.shoppers.signup == offset
    people = store.shoppers.rows(np.flatnonzero(signed), catalogue.first_day)
    writer.add("customers", people.append_column("dt", pa.array(np.full(people.num_rows, dt))))
    launched = catalogue.launch <= offset if is_last else catalogue.launch == offset
    is_repriced = (catalogue.price_cents(day) != catalogue.price_cents(day - 1)) & (catalogue.launch < offset)
    which = np.flatnonzero(launched | (is_repriced & (offset > 0)))
    changed = np.where(is_repriced[which] & (not is_last), offset, catalogue.launch[which])
    goods = catalogue.rows(day, which, changed)
    writer.add("products", goods.append_column("dt", pa.array(np.full(goods.num_rows, dt))))


def _stock_launches(day: int, wishes: Wishes, store: Store) -> None:
    """Products on their first day get a first delivery: the share of the day's demand that their appeal expects."""
    catalogue = store.catalogue
    is_new = catalogue.launch == day - catalogue.first_day
    if is_new.any():
        met = np.exp(catalogue.appeal)
        share = met / met.sum()
        store.shelves.stock_up(
            is_new, float(wishes.quantity.sum()) * share * (0.5 + uniform(store.seed, "guess", share))
        )


def _follow(day: int, orders: Orders, lines: Lines, store: Store, writer: LandingWriter, truths: Truths) -> None:
    """Payments, chargebacks, tickets and events of the day's orders."""
    goods = Products(store.catalogue.product_id, store.catalogue.title)
    rings = max(round(len(store.shoppers.rate) / CUSTOMERS_A_RING), 1)
    paid = simulate_payments(orders, TYPICAL_CENTS, store.seed, rings)
    writer.add("payments", paid.payments, "paid_at")
    writer.add("chargebacks", paid.chargebacks, "reported_at")
    support = simulate_tickets(orders, lines, goods, store.seed)
    happened = {"tickets": "opened_at", "ticket_messages": "sent_at", "ticket_resolutions": "resolved_at"}
    for entity, column in happened.items():
        writer.add(entity, support[entity], column)
    truths.add_payments(paid.truth)
    truths.add_tickets(support["tickets"], support["ticket_messages"], support["truth"])
    lately = np.concatenate([np.zeros(0, np.int64), *(products for products, _ in store.lately)])
    seen = np.concatenate([np.zeros(0, np.int64), *(customers for _, customers in store.lately)])
    visitors = store.shoppers.customer_id.take(pa.array(seen))
    writer.add("events", simulate_events(day, orders, lines, goods, lately, visitors, store.seed), "occurred_at")
    store.lately.append((lines.product, orders.customer[orders.customer != GUEST]))
