"""Segments: who belongs to which as of a cut-off, named like the entities of the output's own figures."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from models.protocol import Features
from pipelines.scoring.bands import bands
from pipelines.scoring.demand import DemandOutput
from pipelines.scoring.outputs import output_of

CUTOFF = pd.Timestamp("2024-05-01")


def demand_products(known_days_ago: list[int], active: list[int]) -> Features:
    days = [CUTOFF - dt.timedelta(days=ago) for ago in known_days_ago]
    rows = {"as_of": CUTOFF, "product_id": list("abcd"), "first_known_on": days, "active_periods_13": active}
    rows |= {"category": ["Home > Lamps", "Home", None, "Toys > Games > Cards"]}
    sold = [("a", 1, 2, 20.0), ("a", 9, 2, 0.0), ("b", 1, 1, 1.0), ("c", 3, 5, 45.0)]  # mean prices 5, 1 and 9
    periods = pd.DataFrame(sold, columns=["product_id", "periods_ago", "units", "revenue"]).assign(as_of=CUTOFF)
    return {"demand_products": pd.DataFrame(rows), "demand_periods": periods}


def test_products_by_age_and_by_how_often_they_sell() -> None:
    found = DemandOutput().segments(demand_products([90, 91, 400, 5], [13, 10, 9, 0]))
    assert found["product"].tolist() == ["new", "old", "old", "new"]
    assert found["sales"].tolist() == ["regular", "regular", "intermittent", "none"]
    assert found.index.tolist() == list("abcd")


def test_products_by_the_first_level_of_their_category_and_by_what_was_paid() -> None:
    found = DemandOutput().segments(demand_products([90, 91, 400, 5], [13, 10, 9, 0]))
    assert found["category"].dropna().to_dict() == {"a": "Home", "b": "Home", "d": "Toys"}
    assert found["price"].dropna().to_dict() == {"a": "middle", "b": "low", "c": "high"}


@pytest.mark.parametrize("count", [4, 0])
def test_products_of_a_store_without_categories_are_of_none(count: int) -> None:
    features = demand_products([90, 91, 400, 5], [13, 10, 9, 0])
    features["demand_products"] = features["demand_products"].assign(category=None).head(count)
    assert DemandOutput().segments(features)["category"].tolist() == [pytest.approx(float("nan"), nan_ok=True)] * count


def test_equal_amounts_are_in_one_band() -> None:
    assert bands(pd.Series([5.0, 5.0, 5.0, 5.0])).tolist() == ["middle"] * 4
    assert bands(pd.Series(dtype="float64")).tolist() == []


def test_payers_by_whether_they_paid_before() -> None:
    rows = [  # payment, customer, hour, guest, payments before
        ("x1", "ann", 9, 0, 3),
        ("x2", "bob", 9, 0, 1),
        ("x3", "bob", 8, 0, 0),
        ("x4", None, 7, 1, 0),
    ]
    payments = pd.DataFrame(rows, columns=["payment_id", "customer_id", "hour", "is_guest", "customer_payments_before"])
    payments["paid_at"] = CUTOFF + pd.to_timedelta(payments["hour"], unit="h")
    payments["amount"] = [30.0, 99.0, 20.0, 10.0]
    found = output_of("risk").segments({"payments": payments})
    assert found["customer"].to_dict() == {"ann": "known", "bob": "new", "x4": "guest"}
    assert found["amount"].to_dict() == {"ann": "high", "bob": "middle", "x4": "low"}


def test_tickets_by_channel_and_language() -> None:
    texts = ["where is my order, please", None]
    tickets = pd.DataFrame({"ticket_id": ["t1", "t2"], "channel": ["chat", None], "text": texts})
    tickets.loc[2] = ["t3", "form", "wo ist meine Bestellung, bitte"]
    found = output_of("support").segments({"tickets": tickets})
    assert found["channel"].dropna().to_dict() == {"t1": "chat", "t3": "form"}
    assert found["language"].to_dict() == {"t1": "en", "t2": "en", "t3": "de"}
