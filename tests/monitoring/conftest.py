"""Homes on DuckDB and on Postgres, with the relations that histograms are counted from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.monitoring.watched import PAYMENT_NUMBERS, PAYMENT_TEXTS
from pipelines.settings import Places, Settings
from tests.publishing.generators import VERSIONS, crown, home_in
from tests.warehouse.postgres_server import database, postgres_server

__all__ = ["database", "postgres_server"]
DAY = timedelta(days=1)
RELATIONS = {
    "staging.stg_store__orders": "customer_id varchar, channel varchar, ship_country varchar, ordered_at timestamp",
    "staging.stg_store__events": "kind varchar, placement varchar, occurred_at timestamp",
    "staging.stg_store__stock_levels": "on_hand bigint, on_order bigint, as_of_date date",
    "staging.stg_store__tickets": "channel varchar, opened_at timestamp",
    "staging.stg_store__ticket_messages": "body varchar, author varchar, sent_at timestamp",
    "intermediate.int_order_lines_changes": "product_id varchar, day date, quantity bigint, "
    "revenue decimal(18, 4), sign bigint",
    "intermediate.int_payment_features": "paid_at timestamp, "
    + ", ".join([f"{name} float8" for name in PAYMENT_NUMBERS] + [f"{name} varchar" for name in PAYMENT_TEXTS]),
}


def new_home(folder: Path, warehouse: str | None = None) -> Home:
    """A home with those relations, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {"NIGHTCART_HOME": str(folder)} | ({"NIGHTCART_WAREHOUSE": warehouse} if warehouse else {})
    home = Home(Places.from_environment(places), Settings(compute={"threads": 1}))  # type: ignore[arg-type]
    with home.warehouse.session() as session:
        for schema in ("staging", "intermediate", "marts"):
            session.execute(f"create schema {schema}")
        for name, columns in RELATIONS.items():
            session.execute(f"create table {name} ({columns}, known_at timestamp)")
        session.execute("create table marts.dim_products (product_id varchar, category varchar, first_sold_on date)")
    return home


def insert(home: Home, relation: str, rows: list[str]) -> None:
    """Append rows, as SQL."""
    with home.warehouse.session() as session:
        session.execute(f"insert into {relation} values {', '.join(rows)}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home whose outputs have champions."""
    home = home_in(tmp_path)
    for output in VERSIONS:
        crown(home, output)
    return home


@pytest.fixture(params=["duckdb", "postgres"])
def watched_home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """The same home on either warehouse."""
    yield new_home(tmp_path, request.getfixturevalue("database") if request.param == "postgres" else None)


def known(day: date) -> str:
    """The moment at which a day's rows are known."""
    return f"timestamp '{day + DAY}'"
