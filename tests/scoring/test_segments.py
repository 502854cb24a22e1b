"""Segments: who belongs to which as of a cut-off, named like the entities of the output's own figures."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from models.protocol import Features
from pipelines.scoring.demand import DemandOutput
from pipelines.scoring.outputs import output_of

CUTOFF = pd.Timestamp("2024-05-01")


def demand_products(known_days_ago: list[int], active: list[int]) -> Features:
    days = [CUTOFF - dt.timedelta(days=ago) for ago in known_days_ago]
    rows = {"as_of": CUTOFF, "product_id": list("abcd"), "first_known_on": days, "active_periods_13": active}
    return {"demand_products": pd.DataFrame(rows)}


def test_products_by_age_and_by_how_often_they_sell() -> None:
    found = DemandOutput().segments(demand_products([90, 91, 400, 5], [13, 10, 9, 0]))
    assert found["product"].tolist() == ["new", "old", "old", "new"]
    assert found["sales"].tolist() == ["regular", "regular", "intermittent", "none"]
    assert found.index.tolist() == list("abcd")


def test_payers_by_whether_they_paid_before() -> None:
    rows = [  # payment, customer, hour, guest, payments before
        ("x1", "ann", 9, 0, 3),
        ("x2", "bob", 9, 0, 1),
        ("x3", "bob", 8, 0, 0),
        ("x4", None, 7, 1, 0),
    ]
    payments = pd.DataFrame(rows, columns=["payment_id", "customer_id", "hour", "is_guest", "customer_payments_before"])
    payments["paid_at"] = CUTOFF + pd.to_timedelta(payments["hour"], unit="h")
    found = output_of("risk").segments({"payments": payments})
    assert found["customer"].to_dict() == {"ann": "known", "bob": "new", "x4": "guest"}


def test_tickets_by_channel() -> None:
    tickets = pd.DataFrame({"ticket_id": ["t1", "t2"], "channel": ["chat", None]})
    assert output_of("support").segments({"tickets": tickets})["channel"].dropna().to_dict() == {"t1": "chat"}
