"""The models of the optional entities: nights in order, retried ones and one full build give the same rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog import DATASETS
from pipelines.features.dbt import run_dbt
from pipelines.home import Home
from tests.features.conftest import load, new_home

Row = dict[str, Any]
MODELS = {
    "int_payments": "payment_id",
    "int_returns_days": "product_id, day, known_at",
    "int_tickets": "ticket_id, known_from",
    "int_empty_shelf_days": "product_id, day, known_at",
    "features_stock": "as_of, product_id",
}
DAY = timedelta(days=1)
FIRST = date(2024, 1, 3)
NIGHTS = [FIRST + back * DAY for back in range(4)]


def version(dt: date, loaded_as_of: date, known_on: date | None = None, **row: Any) -> Row:
    """A version of a row; it is known the day after its dt."""
    known_at = datetime.combine(known_on or dt + DAY, datetime.min.time())
    return row | {"dt": dt, "known_at": known_at, "loaded_as_of": loaded_as_of}


def at(day: int) -> datetime:
    """00:00 of a day in January."""
    return datetime(2024, 1, day)  # noqa: DTZ001


def payment(name: str, order_id: str, customer_id: str | None, amount: int) -> Row:
    return {"payment_id": name, "order_id": order_id, "customer_id": customer_id, "amount": Decimal(amount)}


def delivered() -> dict[date, dict[str, list[Row]]]:
    """What each night loads: corrections, late partitions, and on the last night a history known long before."""
    one, two, three, four = NIGHTS
    new, old = two - DAY, one - DAY
    stock, gone = {"on_order": 0, "product_id": "P"}, {"on_order": 0, "product_id": "Q", "as_of_date": old}
    return {
        one: {
            "orders": [version(old, one, order_id="O", customer_id="C", ordered_at=at(1))],
            "payments": [version(old, one, **payment("A", "O", None, 5))],
            "returns": [version(old, one, return_id="R", product_id="P", quantity=2, returned_at=at(2))],
            "stock_levels": [
                version(old, one, as_of_date=old, on_hand=4, **stock),
                version(old, one, on_hand=0, **gone),
            ],
        },
        two: {
            "payments": [
                version(new, two, **payment("A", "O", "D", 9)),
                version(new, two, **payment("B", "O", None, 1)),
            ],
            "orders": [version(new, two, order_id="O", customer_id="E", ordered_at=at(1))],
            "chargebacks": [version(new, two, payment_id="A", reported_at=at(3))],
            "returns": [version(new, two, return_id="R", product_id="P", quantity=1, returned_at=at(2))],
            "stock_levels": [
                version(new, two, as_of_date=new, on_hand=3, **stock),
                version(new, two, on_hand=0, **gone),
            ],
        },
        three: {
            "returns": [version(old - DAY, three, three, return_id="R", product_id="Q", quantity=9)],
            "chargebacks": [version(two, three, payment_id="B", reported_at=at(4))],
            "stock_levels": [
                version(old, three, three, as_of_date=old, on_hand=8, **stock),
                version(two, three, on_hand=7, **gone),
            ],
        },
        four: {
            "stock_levels": [version(three, four, old, as_of_date=old - DAY, on_hand=0, on_order=0, product_id="R")],
            "tickets": [
                version(three, four, old, ticket_id="T", order_id="O", subject="one", opened_at=at(1)),
                version(three, four, ticket_id="U", customer_id="C", subject="new", opened_at=at(5)),
            ],
            "ticket_resolutions": [version(three, four, one, ticket_id="T", intent="size", urgency="low")],
        },
    }


def build(home: Home, night: date, known_after: date, *flags: str) -> None:
    nights = [str(night)]
    days = {"as_of": str(night), "cutoffs": nights, "recommendation_cutoffs": nights, "known_after": str(known_after)}
    run_dbt(
        home,
        ["build", "--exclude-resource-type", "unit_test", "--select", *(f"+{name}" for name in MODELS), *flags],
        days,
    )


def rows(home: Home) -> dict[str, list[Row]]:
    with home.warehouse.session() as session:
        return {
            name: session.read(f"select * from {DATASETS[name].layer}.{name} order by {key}").to_pylist()
            for name, key in MODELS.items()
        }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path]:
    """A home that built night after night; the second one loaded something else at first."""
    folder = tmp_path_factory.mktemp("optional")
    home, before = new_home(folder / "nights"), date(1900, 1, 1)
    for night, tables in delivered().items():
        if night == NIGHTS[1]:
            wrong = {
                "payments": [version(night - DAY, night, **payment("WRONG", "O", "C", 1))],
                "chargebacks": [version(night - DAY, night, payment_id="A", reported_at=at(2))],
                "stock_levels": [
                    version(night - DAY, night, product_id="W", as_of_date=night - DAY, on_hand=0, on_order=0),
                    version(night - DAY, night, product_id="Q", as_of_date=FIRST - DAY, on_hand=9, on_order=0),
                ],
            }
            load(home, wrong, night)
            build(home, night, before)
            with home.warehouse.session() as session:
                for entity in wrong:
                    session.execute(f"delete from raw.{entity} where loaded_as_of = date '{night}'")
        load(home, tables, night)
        build(home, night, before)
        before = night
    return home, folder


def test_nights_in_order_give_what_one_full_build_gives(built: tuple[Home, Path]) -> None:
    home, folder = built
    in_order = rows(home)
    full = new_home(folder / "full")
    for night, tables in delivered().items():
        load(full, tables, night)
    build(full, NIGHTS[-1], date(1900, 1, 1), "--full-refresh")
    assert in_order == rows(full)
    build(home, NIGHTS[-1], NIGHTS[-2])  # a retry
    assert in_order == rows(home)
    build(home, NIGHTS[-1], NIGHTS[-1])  # nothing is new
    assert in_order == rows(home)


def test_what_the_rows_say(built: tuple[Home, Path]) -> None:
    found = rows(built[0])
    payments = {
        row["payment_id"]: (row["customer_id"], row["amount"], str(row["chargeback_known_at"])[:10])
        for row in found["int_payments"]
    }
    assert payments == {"A": ("C", 5, "2024-01-04"), "B": ("E", 1, "2024-01-05")}
    returns = [(row["product_id"], str(row["known_at"])[:10], row["units"]) for row in found["int_returns_days"]]
    assert returns == [("P", "2024-01-03", 2), ("P", "2024-01-04", -1)]
    tickets = [(row["ticket_id"], str(row["known_from"])[:10], row["intent"]) for row in found["int_tickets"]]
    assert tickets == [("T", "2024-01-02", None), ("T", "2024-01-03", "size"), ("U", "2024-01-06", None)]
    assert [row["customer_id"] for row in found["int_tickets"]] == [None, "C", "C"]
    stock = {row["product_id"]: (row["as_of_date"], row["on_hand"]) for row in found["features_stock"]}
    assert stock["P"] == (date(2024, 1, 3), 3)
    empty = [(row["product_id"], row["day"], row["sign"], row["loaded_as_of"]) for row in found["int_empty_shelf_days"]]
    day = FIRST - DAY
    assert empty == [("Q", day, 1, FIRST), ("Q", day, -1, NIGHTS[2]), ("R", day - DAY, 1, NIGHTS[3])]
