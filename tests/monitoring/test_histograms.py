"""Histograms: the same counts on DuckDB and Postgres, for each night by itself, whichever night counts them."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from pipelines.home import Home
from pipelines.monitoring.histograms import LEAST_ROWS, MOST_BINS, OTHER, histogram_rows, write_input_histograms
from pipelines.monitoring.watched import INPUTS, WATCHED
from pipelines.records import feature_histograms
from tests.monitoring.conftest import DAY, insert, known

AS_OF = date(2024, 3, 2)
FRIDAY = AS_OF - DAY


def counts_of(home: Home, night: date) -> dict[str, dict[str, int]]:
    rows = home.records.rows(sa.select(feature_histograms).where(feature_histograms.c.as_of == night))
    return {row["feature"]: row["counts"] for row in rows}


def count(home: Home, as_of: date) -> None:
    with home.warehouse.session() as session:
        write_input_histograms(home, session, as_of)


def order(customer: str | None, channel: str, day: date, later: int = 0) -> str:
    """A row of stg_store__orders."""
    who = f"'{customer}'" if customer else "null"
    return f"({who}, '{channel}', 'GB', timestamp '{day} 10:00:00', {known(day + later * DAY)})"


def test_numbers_fall_into_powers_of_two_and_texts_are_themselves(watched_home: Home) -> None:
    prices = ["0.25", "3.999", "4", "1000000", "0", "null"]
    lines = [f"('P', date '{FRIDAY}', 2, {price} * 2, 1, {known(FRIDAY)})" for price in prices]
    lines += [f"('P', date '{FRIDAY}', 2, 5, -1, {known(FRIDAY)})"]  # a line that was taken back
    insert(watched_home, "intermediate.int_order_lines_changes", lines)
    insert(watched_home, "marts.dim_products", [f"('P', 'home > mugs', date '{FRIDAY - 8 * DAY}')"])
    messages = [
        f"('My order?? My ORDER (x-1)', '{who}', timestamp '{FRIDAY} 10:00:00', {known(FRIDAY)})"
        for who in ("customer", "agent")
    ]
    insert(watched_home, "staging.stg_store__ticket_messages", messages)
    count(watched_home, AS_OF)
    found = counts_of(watched_home, AS_OF)
    assert found["order_lines.unit_price"] == {"2^-2": 1, "2^1": 1, "2^2": 1, "2^19": 1, "0": 1, "null": 1}
    assert found["order_lines.product_age_days"] == {"2^3": 6}
    assert found["order_lines.category"] == {"home": 6}
    assert found["order_lines.rows"] == {"rows": 6}
    assert found["ticket_messages.word"] == {"my": 2, "order": 2, "x-1": 1}
    assert found["events.rows"] == {"rows": 0}


def test_segments_are_those_with_enough_rows(watched_home: Home) -> None:
    orders = [order("C", "web", FRIDAY)] * LEAST_ROWS + [order(None, "app", FRIDAY)] * (LEAST_ROWS - 1)
    insert(watched_home, "staging.stg_store__orders", orders)
    count(watched_home, AS_OF)
    found = counts_of(watched_home, AS_OF)
    assert found["orders.channel"] == {"web": LEAST_ROWS, "app": LEAST_ROWS - 1}
    assert found["orders.buyer:channel=web"] == {"customer": LEAST_ROWS}
    assert not [name for name in found if "channel=app" in name]


def test_a_night_s_counts_do_not_depend_on_which_night_counts_them(watched_home: Home) -> None:
    insert(watched_home, "staging.stg_store__orders", [order("C", "web", FRIDAY - DAY)] * 2)
    insert(watched_home, "staging.stg_store__orders", [order("C", "web", FRIDAY)] * 3 + [order("C", "web", FRIDAY, 1)])
    count(watched_home, AS_OF - DAY)
    first = counts_of(watched_home, AS_OF - DAY)
    assert first["orders.rows"] == {"rows": 2}
    assert counts_of(watched_home, AS_OF) == {}
    count(watched_home, AS_OF + DAY)
    assert counts_of(watched_home, AS_OF - DAY) == first
    assert counts_of(watched_home, AS_OF)["orders.rows"] == {"rows": 3}  # a night that never ran
    assert counts_of(watched_home, AS_OF + DAY)["orders.rows"] == {"rows": 0}  # late rows are in no night's
    count(watched_home, AS_OF)
    assert counts_of(watched_home, AS_OF)["orders.rows"] == {"rows": 3}


def test_the_least_frequent_bins_are_one() -> None:
    import pyarrow as pa

    rows = [
        {"night": AS_OF, "feature": "word", "segment": "", "bin": f"w{i:03d}", "n": 1000 - i}
        for i in range(MOST_BINS + 2)
    ]
    (found,) = [
        row["counts"]
        for row in histogram_rows(WATCHED["ticket_messages"], pa.Table.from_pylist(rows), [AS_OF])
        if row["feature"] == "ticket_messages.word"
    ]
    assert len(found) == MOST_BINS + 1
    assert found[OTHER] == 1000 - MOST_BINS + 1000 - MOST_BINS - 1


def test_every_table_is_used_by_an_output() -> None:
    assert all(watched.outputs and (watched.numbers or watched.texts) for watched in INPUTS)
