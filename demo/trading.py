"""One day's trade of a simulated store: what the shelves allow, the orders that come of it, what comes back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from demo.catalogue import Catalogue
from demo.draws import Flags, Ints, days_later, integers, uniform
from demo.frames import GUEST, Lines, Orders, money, names, only_where, timestamps, words
from demo.shoppers import COUNTRIES, Shoppers, Wishes
from demo.stock import Shelves

CANCELLED, RETURNED = 0.02, 0.05  # of the orders, of the lines
RETURNERS, RETURNED_BY_THEM = 0.03, 0.35  # customers who send much back, and how much
LATELY = 14  # days that browsing visitors and what they look at are taken from

Tables = list[tuple[str, pa.Table, str]]  # entity, rows, the column that says when they happened or `dt`


@dataclass
class Store:
    """The state that one day hands to the next."""

    catalogue: Catalogue
    shoppers: Shoppers
    shelves: Shelves
    seed: int
    orders: int = 0
    returns: Ints = field(init=False)  # by customer, so far
    returns_due: dict[int, list[Ints]] = field(default_factory=dict)
    lately: deque[tuple[Ints, Ints]] = field(default_factory=lambda: deque(maxlen=LATELY))  # products, customers

    def __post_init__(self) -> None:
        self.returns = np.zeros(len(self.shoppers.rate), np.int64)


def on_shelf(wishes: Wishes, on_hand: Ints) -> Flags:
    """Which lines can be served, first come first served; what cannot be is lost, and never seen in the orders."""
    by_product = np.lexsort((wishes.order, wishes.product))
    product, quantity = wishes.product[by_product], wishes.quantity[by_product]
    total = np.cumsum(quantity)
    before = np.searchsorted(product, product)
    taken = total - (total[before] - quantity[before])
    is_sold = np.zeros(len(product), np.bool_)
    is_sold[by_product] = taken <= on_hand[product]
    return is_sold


def place_orders(day: int, history: int, wishes: Wishes, is_sold: Flags, store: Store) -> tuple[Orders, Lines, Tables]:
    """The orders with at least one line that could be served, and their lines."""
    kept, order = np.unique(wishes.order[is_sold], return_inverse=True)
    product, quantity = wishes.product[is_sold], wishes.quantity[is_sold]
    price = store.catalogue.price_cents(day)[product]
    discount = (price * quantity * store.catalogue.discount(day)[product]).astype(np.int64)
    cents = np.bincount(order, price * quantity - discount).astype(np.int64)
    orders = _orders(day, wishes, kept, cents, store)
    lines = pa.table(
        {
            "order_id": orders.order_id.take(pa.array(order)),
            "line_number": np.arange(len(order)) - np.searchsorted(order, order) + 1,
            "product_id": store.catalogue.product_id.take(pa.array(product)),
            "quantity": quantity,
            "unit_price": money(price),
            "discount": only_where(discount > 0, money(discount)),
            "dt": pa.array(np.full(len(order), np.datetime64(day, "D"))),
        }
    )
    versions = _versions(day, day - store.catalogue.first_day < history, history, orders, store)
    return orders, Lines(order, product, quantity), [("orders", versions, "dt"), ("order_lines", lines, "dt")]


def _orders(day: int, wishes: Wishes, kept: Ints, cents: Ints, store: Store) -> Orders:
    """The day's orders; a guest is not told."""
    number, customer, is_guest = store.orders + np.arange(len(kept)), wishes.customer[kept], wishes.is_guest[kept]
    store.orders += len(kept)
    same_day = np.bincount(customer[~is_guest], minlength=len(store.returns))[customer]
    return Orders(
        number=number,
        order_id=names("O", number, 9),
        customer=np.where(is_guest, GUEST, customer),
        customer_id=only_where(~is_guest, store.shoppers.customer_id.take(pa.array(customer))),
        ordered_at=np.datetime64(day, "D").astype("datetime64[us]") + wishes.second[kept].astype("timedelta64[s]"),
        cents=cents,
        country=words(COUNTRIES, store.shoppers.country[customer]),
        prior_returns=np.where(is_guest, 0, store.returns[customer]),
        same_day=np.where(is_guest, 1, same_day),
    )


def _versions(day: int, is_history: bool, history: int, orders: Orders, store: Store) -> pa.Table:
    """The rows of the day's orders, and those that cancel some of them, on the day that is told."""
    number = orders.number
    cancelled = np.flatnonzero(uniform(store.seed, "cancelled", number) < CANCELLED)
    told = day + integers(store.seed, "cancelled after", 3, number[cancelled])
    last_of_history = store.catalogue.first_day + history - 1
    at_once = np.maximum(told, last_of_history) == max(day, last_of_history)
    status = np.full(len(number), 1 if is_history else 0)
    status[cancelled[at_once]] = 2
    rows = np.concatenate([np.arange(len(number)), cancelled[~at_once]])
    status = np.concatenate([status, np.full(int((~at_once).sum()), 2)])
    dt = np.concatenate([np.full(len(number), day), told[~at_once]])
    places = pa.array(rows)
    return pa.table(
        {
            "order_id": orders.order_id.take(places),
            "customer_id": orders.customer_id.take(places),
            "ordered_at": timestamps(orders.ordered_at[rows]),
            "status": words(("paid", "delivered", "cancelled"), status),
            "ship_country": orders.country.take(places),
            "channel": words(("web", "app"), integers(store.seed, "channel", 1.6, number)[rows]),
            "currency": words(("GBP",), np.zeros(len(rows), np.int64)),
            "dt": pa.array(dt.astype("datetime64[D]")),
        }
    )


def plan_returns(day: int, orders: Orders, lines: Lines, store: Store) -> pa.Table:
    """What will come back of the day's lines; counted for its customer on the day after it did."""
    number, customer = orders.number[lines.order], orders.customer[lines.order]
    returns_much = (uniform(store.seed, "returner", customer) < RETURNERS) & (customer != GUEST)
    luck = uniform(store.seed, "returned", number, lines.product)
    rows = np.flatnonzero(luck < np.where(returns_much, RETURNED_BY_THEM, RETURNED))
    number, customer, order = number[rows], customer[rows], lines.order[rows]
    days = 3.0 + 25.0 * uniform(store.seed, "returned after", number, lines.product[rows])
    returned_at = days_later(orders.ordered_at[order], days)
    on_day = returned_at.astype("datetime64[D]").astype(np.int64) + 1
    for told in np.unique(on_day).tolist():
        back = customer[(on_day == told) & (customer != GUEST)]
        store.returns_due.setdefault(told, []).append(back)
    quantity = 1 + integers(store.seed, "units back", lines.quantity[rows], number, lines.product[rows])
    keys = zip(number.tolist(), lines.product[rows].tolist(), strict=True)
    return pa.table(
        {
            "return_id": pa.array([f"R{a}-{b}" for a, b in keys], pa.string()),
            "order_id": orders.order_id.take(pa.array(order)),
            "customer_id": orders.customer_id.take(pa.array(order)),
            "product_id": store.catalogue.product_id.take(pa.array(lines.product[rows])),
            "quantity": quantity,
            "returned_at": timestamps(returned_at),
        }
    )
