"""Fabricated stock, payments and tickets with what a night would say of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

Rows = list[dict[str, Any]]
AMOUNTS = (12.5, 640.0, 80.0, 2300.0, 9.99, 410.0, 55.0, 0.0, 1280.0, 33.3, 75.0, 5100.0, 21.0, 18.0)
PROBABILITIES = (0.01, 0.03, 0.02, 0.04, 0.0, 0.05, 0.01, 0.01, 0.02, 0.01, 0.02, 0.9, 0.01, 0.01)
REVIEWED = ("X03", "X08", "X05")  # by what a review saves
URGENCIES = ("normal", "high", "low", "critical", "normal", "low", "high", "normal")
INTENTS = ("where_is_my_order", "damaged_item", "where_is_my_order", "damaged_item", "invoice", "other", "invoice")
ANSWERED = ("T90", "T91")
REPLY = "Hello, we are sorry that your parcel came damaged. " * 4


def plan(products: Sequence[str]) -> Rows:
    """A line for each product: the first five are short."""
    return [
        {"product_id": product, "on_hand": 4 * i, "on_order": 0 if i == 2 else 3, "lead_time_days": 14}
        | {"reorder_point": 20, "order_quantity": 24 if i < 5 else 0, "stockout_probability": 1 / (1 + i)}
        | {"expected_cost": None if product == "P03" else 2.5 * i}
        | {"reason": f"order 24: {4 * i + 3} in stock and on order" if i < 5 else "enough: lasts the lead time"}
        for i, product in enumerate(products)
    ]


def payments(as_of: date) -> Rows:
    """Payments of the last days; each row is as of the night that first knew it."""
    return [
        {"payment_id": f"X{i:02d}", "as_of": as_of - timedelta(days=i % 2), "order_id": f"O{i:02d}", "amount": amount}
        | {"paid_at": datetime.combine(as_of - timedelta(days=1 + i % 2), time(12))}
        for i, amount in enumerate(AMOUNTS)
    ]


def flags(as_of: date, version: str) -> Rows:
    """Three payments to review, one blocked, the others accepted."""
    reason = "amount: the amount is 2,300.00; usual is 25.00"
    rows = []
    for payment, probability in zip(payments(as_of), PROBABILITIES, strict=True):
        key = payment["payment_id"]
        rank = REVIEWED.index(key) + 1 if key in REVIEWED else None
        decision = "review" if rank else "block" if probability > 0.5 else "accept"
        row = {"payment_id": key, "order_id": payment["order_id"], "fraud_probability": probability}
        row |= {"expected_loss": probability * payment["amount"], "decision": decision, "review_rank": rank}
        rows.append(row | {"reason_1": reason, "reason_2": None, "reason_3": None, "model_version": version})
    return rows


def tickets(as_of: date) -> Rows:
    """Open tickets."""
    opened = datetime.combine(as_of, time(9))
    return [
        {"ticket_id": f"T{i:02d}", "as_of": as_of, "order_id": f"O{i:02d}", "opened_at": opened - timedelta(days=i + 1)}
        | {"text": "Where is my <order>?"}
        for i in range(len(URGENCIES))
    ]


def replies() -> Rows:
    """Answers of resolved tickets."""
    row = {"order_id": "O90", "intent": "late", "text": "", "reply": REPLY}
    return [{"ticket_id": ticket} | row for ticket in ANSWERED]


def facts() -> Rows:
    """The orders of two of the tickets, of those who ask."""
    return [{"ticket_id": f"T0{i}", "order_id": f"10000{i}", "product_id": "P01"} for i in (3, 5)]


def triage(as_of: date, version: str) -> Rows:
    """Every other ticket has an answer to start from."""
    rows = []
    for i, (ticket, urgency) in enumerate(zip(tickets(as_of), URGENCIES, strict=True)):
        row = {
            "ticket_id": ticket["ticket_id"],
            "intent": INTENTS[i % len(INTENTS)],
            "intent_probability": 0.5 + i / 20,
        }
        row |= {"urgency": urgency, "urgency_reason": "health: an <allergy> is mentioned" if i == 3 else None}
        row |= {"needs_human": i % 4 == 0, "suggested_reply": REPLY if i % 2 else None, "model_version": version}
        rows.append(row | {"reply_source_ticket_id": ANSWERED[i % 4 // 2] if i % 2 else None})
    return rows


def ticket_products(as_of: date) -> Rows:
    """The open tickets about no known product, and five resolved ones of yesterday about a broken one."""
    opened = [{"ticket_id": row["ticket_id"], "opened_at": row["opened_at"]} for row in tickets(as_of)]
    rows = [row | {"product_id": None, "intent": None} for row in opened]
    moment = datetime.combine(as_of, time(9)) - timedelta(days=1)
    broken = {"product_id": "P03", "opened_at": moment, "intent": "damaged_item"}
    return rows + [{"ticket_id": f"T8{i}"} | broken for i in range(5)]


def trends(as_of: date) -> Rows:
    """The counts of the newest week; the broken product is unusual."""
    week = as_of - timedelta(days=7)
    newest = [INTENTS[i % len(INTENTS)] for i in range(7)]  # the eighth ticket is of the week before
    rows = [
        {"product_id": None, "intent": intent, "week_start": week, "tickets": newest.count(intent)}
        | {"usual_low": 0.0, "usual_high": 6.0, "is_unusual": False}
        for intent in sorted(set(newest))
    ]
    unusual = {"product_id": "P03", "intent": "damaged_item", "week_start": week, "tickets": 5}
    return [*rows, unusual | {"usual_low": 0.0, "usual_high": 2.0, "is_unusual": True}]
