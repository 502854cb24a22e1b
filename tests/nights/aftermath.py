"""What follows from a small store's orders, each on its day: payments and chargebacks, tickets with threads, stock."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from tests.landing import (
    DAY,
    Landing,
    Row,
    at,
    chargeback,
    payment,
    returned,
    stock_level,
    ticket,
    ticket_message,
    ticket_resolution,
)

ABOUT = {
    "where_is_order": ("Where is my parcel for {}? It is late.", "Your parcel of {} is on its way."),
    "refund": ("Please give me my money back for {}, it broke.", "The refund of {} was sent."),
}
Days = dict[str, dict[date, list[Row]]]


def write_aftermath(landing: Landing, sold: Sequence[tuple[date, list[Row], list[Row]]], history: date) -> None:
    """Write the optional entities of days of orders and their lines, in order; what would come later does not."""
    draw, last = random.Random(11), sold[-1][0]
    days: Days = defaultdict(lambda: defaultdict(list))
    for day, orders, lines in sold:
        for order in orders:
            _pay(days, order, [line for line in lines if line["order_id"] == order["order_id"]], day, draw)
            if draw.random() < 0.25:
                _ask(days, order, day, draw)
        if draw.random() < 0.5:
            days["returns"][day].append(returned(f"r{day:%y%m%d}", day, order_id=orders[0]["order_id"]))
        days["stock_levels"][day] = [
            stock_level(f"p{which}", day, on_hand=draw.randrange(60), on_order=draw.randrange(9))
            for which in range(1, 9)
        ]
    for entity, by_day in days.items():
        landing.write(entity, history, [row for day in sorted(by_day) if day <= history for row in by_day[day]])
        for day in (day for day in sorted(by_day) if history < day <= last):
            landing.write(entity, day, by_day[day])


def _pay(days: Days, order: Row, lines: list[Row], day: date, draw: random.Random) -> None:
    """A payment; those from the one bad device are often charged back, others seldom."""
    number, is_bad = order["order_id"], draw.random() < 0.06
    paid = {
        "order_id": number,
        "customer_id": order["customer_id"],
        "paid_at": order["ordered_at"] + timedelta(minutes=draw.randrange(1, 50)),
        "amount": sum((row["quantity"] * row["unit_price"] for row in lines), Decimal(0)) * (3 if is_bad else 1),
        "card_token": f"card {draw.randrange(40)}",
        "device_id": "bad" if is_bad else f"device of {order['customer_id']}",
        "ip_address": f"198.51.100.{draw.randrange(200)}",
        "billing_country": draw.choice(["France", "Spain"]) if is_bad else "France",
    }
    days["payments"][day].append(payment(f"pay{number}", day, **paid))
    if draw.random() < (0.7 if is_bad else 0.005):
        told = day + draw.randrange(2, 25) * DAY
        days["chargebacks"][told].append(chargeback(f"pay{number}", told))


def _ask(days: Days, order: Row, day: date, draw: random.Random) -> None:
    """A ticket with its first message, mostly an answer and a resolution some days later."""
    number, intent = f"t{order['order_id']}", draw.choice(list(ABOUT))
    asked, answer = (text.format(order["order_id"]) for text in ABOUT[intent])
    about = {"customer_id": order["customer_id"], "order_id": order["order_id"], "subject": None}
    days["tickets"][day].append(ticket(number, day, opened_at=at(day, 20), **about))
    days["ticket_messages"][day].append(ticket_message(number, day, sent_at=at(day, 20), body=asked))
    if draw.random() < 0.9:
        solved = day + draw.randrange(1, 5) * DAY
        days["ticket_messages"][solved].append(ticket_message(number, solved, 2, author="agent", body=answer))
        noted = intent if draw.random() < 0.95 else "other"
        days["ticket_resolutions"][solved].append(ticket_resolution(number, solved, intent=noted))
