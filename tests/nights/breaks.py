"""A busier store than `store`, with three breaks of its last day: prices, a fraud pattern, a new kind of ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tests.landing import DAY, Landing, Row, at, customer, line, order, payment, product, ticket, ticket_message
from tests.nights.aftermath import write_aftermath

HISTORY = date(2024, 6, 9)
QUIET, BROKEN_NIGHT = HISTORY + 2 * DAY, HISTORY + 3 * DAY
FIRST = HISTORY - 170 * DAY
CUSTOMERS, PRODUCTS, ORDERS = 200, 16, 90
BROKEN = "Garden"  # the category whose prices break
ABOUT = "My gift card shows a balance of zero, please reload the voucher code for {}."


def write_store(landing: Landing) -> None:
    """The history, one day after it that is as all before, and one that is broken in three ways."""
    random = np.random.default_rng(7)
    landing.write("customers", HISTORY, [customer(f"c{who}", FIRST) for who in range(CUSTOMERS)])
    landing.write("products", HISTORY, [_product(which, FIRST) for which in range(PRODUCTS)])
    days = [FIRST + ahead * DAY for ahead in range((BROKEN_NIGHT - FIRST).days)]
    sold = [(day, *_orders(day, random)) for day in days]
    last, orders, lines = sold[-1]
    sold[-1] = last, orders, [_broken(row) for row in lines]
    past = [(day, *rows) for day, *rows in sold if day <= HISTORY]
    landing.write("orders", HISTORY, [row for _, some, _ in past for row in some])
    landing.write("order_lines", HISTORY, [row for _, _, some in past for row in some])
    for day, some, theirs in sold[len(past) :]:
        landing.write("orders", day, some)
        landing.write("order_lines", day, theirs)
    write_aftermath(landing, sold, HISTORY)
    _break(landing, last, orders)


def _product(which: int, day: date) -> Row:
    return product(f"p{which}", day, category=f"{BROKEN} > Pots" if which < 4 else "Home > Lamps")


def _broken(row: Row) -> Row:
    """The line with its price times a hundred, where the product is one of the broken category."""
    return row | {"unit_price": row["unit_price"] * (100 if int(row["product_id"][1:]) < 4 else 1)}


def _orders(day: date, random: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """A day's orders with their lines; fewer at weekends."""
    orders, lines = [], []
    for number in range(int(random.poisson(ORDERS * (0.7 if day.weekday() > 4 else 1)))):
        order_id = f"{day:%y%m%d}-{number}"
        placed = at(day, 0) + timedelta(seconds=int(random.integers(86_400 - 3_600)))
        orders.append(order(order_id, day, customer_id=f"c{random.integers(CUSTOMERS)}", ordered_at=placed))
        chosen = sorted(set(random.integers(0, PRODUCTS, 3).tolist()))
        lines += [
            line(order_id, at + 1, product_id=f"p{which}", quantity=int(random.integers(1, 4)))
            for at, which in enumerate(chosen)
        ]
    return orders, lines


def _break(landing: Landing, day: date, orders: Sequence[Row]) -> None:
    """A third of the day's payments come from one new device abroad; forty tickets ask what nobody asked before."""
    landing.write("products", day, [_product(which, day) | {"unit_price": Decimal(250)} for which in range(4)])
    attack = [
        payment(
            f"attack{number}",
            day,
            order_id=row["order_id"],
            customer_id=row["customer_id"],
            paid_at=row["ordered_at"] + timedelta(minutes=55),
            amount=Decimal(900 + number),
            card_token="card of nobody",
            device_id="device of nobody",
            ip_address="203.0.113.9",
            ip_country="Spain",
        )
        for number, row in enumerate(orders[::2])
    ]
    landing.add("payments", day, attack, name="attack")
    asked = [(f"g{number}", row) for number, row in enumerate(orders[:40])]
    tickets = [ticket(ident, day, customer_id=row["customer_id"], order_id=None, subject=None) for ident, row in asked]
    messages = [ticket_message(ident, day, body=ABOUT.format(row["order_id"])) for ident, row in asked]
    landing.add("tickets", day, tickets, name="asked")
    landing.add("ticket_messages", day, messages, name="asked")
