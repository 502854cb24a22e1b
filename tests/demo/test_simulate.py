"""A simulated store keeps the contract, tells nothing early, repeats byte for byte, and lays its truths beside it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from demo.landing import ALL_ENTITIES, columns_of
from demo.oracle import auc, average_precision, keyword_intent
from demo.simulate import FIRST_DT, simulate
from demo.stock import FAILURE_DAYS, FAILURES_EVERY, Shelves
from demo.wording import INTENTS

CUSTOMERS, PRODUCTS, DAYS, SEED = 4_000, 300, 40, 11
HISTORY_DT = date(2024, 1, 24)
HAPPENED = {
    "customers": "updated_at",
    "products": "updated_at",
    "orders": "ordered_at",
    "returns": "returned_at",
    "payments": "paid_at",
    "chargebacks": "reported_at",
    "events": "occurred_at",
    "stock_levels": "as_of_date",
    "tickets": "opened_at",
    "ticket_messages": "sent_at",
    "ticket_resolutions": "resolved_at",
}
KEYS = {
    "customers": "customer_id",
    "products": "product_id",
    "orders": "order_id",
    "order_lines": "order_id, line_number",
    "returns": "return_id",
    "payments": "payment_id",
    "chargebacks": "payment_id",
    "events": "event_id",
    "stock_levels": "product_id, as_of_date",
    "tickets": "ticket_id",
    "ticket_messages": "ticket_id, message_number",
    "ticket_resolutions": "ticket_id",
}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "landing"
    simulate(folder, CUSTOMERS, PRODUCTS, DAYS, SEED)
    return folder


@pytest.fixture(scope="module")
def figures(landing: Path) -> dict[str, Any]:
    return dict(json.loads((_truth(landing) / "figures.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def shop(landing: Path) -> duckdb.DuckDBPyConnection:
    """Each entity as a view with its `dt`, each truth as `truth_<name>`."""
    connection = duckdb.connect()
    for name in ALL_ENTITIES:
        connection.sql(
            f"create view {name} as from read_parquet('{landing}/{name}/*/*.parquet', hive_partitioning = true)"
        )
    for path in _truth(landing).glob("*.parquet"):
        connection.sql(f"create view truth_{path.stem} as from read_parquet('{path}')")
    return connection


def test_partitions_hold_the_contract_columns_and_say_that_they_are_simulated(landing: Path) -> None:
    for name in ALL_ENTITIES:
        partitions = sorted((landing / name).iterdir())
        is_early = partitions[0].name == f"dt={HISTORY_DT}"
        assert is_early or name == "chargebacks", "only chargebacks may be too few for one in the history"
        for partition in partitions:
            assert sorted(path.name for path in partition.iterdir()) == ["_SUCCESS", "part-0.parquet"]
            schema = pq.read_schema(partition / "part-0.parquet")
            assert dict(zip(schema.names, schema.types, strict=True)) == columns_of(name)
            assert schema.metadata[b"simulated"] == b"true"


def test_a_key_is_told_once_a_partition(shop: duckdb.DuckDBPyConnection) -> None:
    for name, key in KEYS.items():
        assert _one(shop, f"select count(*) - count(distinct ({key}, dt)) from {name}") == 0, name


def test_a_partition_tells_nothing_of_later_days(shop: duckdb.DuckDBPyConnection) -> None:
    for name, happened in HAPPENED.items():
        assert _one(shop, f"select count(*) from {name} where {happened}::date > dt") == 0, name
        late = f"select count(*) from {name} where {happened}::date < dt and dt > date '{HISTORY_DT}'"
        versions = " and status != 'cancelled'" if name == "orders" else ""
        assert _one(shop, late + versions) == 0, name


def test_what_a_row_names_is_there_and_came_before(shop: duckdb.DuckDBPyConnection) -> None:
    first_told = "(select product_id, min(dt) as dt from products group by all)"
    for name, join, wrong in (
        ("order_lines", "orders using (order_id, dt)", "orders.order_id is null"),
        ("order_lines", f"{first_told} p using (product_id)", "coalesce(p.dt > order_lines.dt, true)"),
        ("orders", "customers using (customer_id)", "orders.customer_id is not null and customers.customer_id is null"),
        ("payments", "orders using (order_id, dt)", "orders.order_id is null or paid_at < ordered_at"),
        ("orders", "payments using (order_id)", "payments.order_id is null"),
        ("chargebacks", "payments using (payment_id)", "coalesce(reported_at <= paid_at, true)"),
        ("returns", "orders using (order_id)", "coalesce(returned_at <= ordered_at, true)"),
        (
            "tickets",
            "orders using (order_id)",
            "tickets.order_id = orders.order_id and opened_at < ordered_at",
        ),
        ("ticket_messages", "tickets using (ticket_id)", "coalesce(sent_at < opened_at, true)"),
        ("ticket_resolutions", "tickets using (ticket_id)", "coalesce(resolved_at < opened_at, true)"),
        ("stock_levels", "products using (product_id)", "products.product_id is null"),
    ):
        assert _one(shop, f"select count(*) from {name} left join {join} where {wrong}") == 0, (name, join)


def test_truths_tell_what_was_planted(shop: duckdb.DuckDBPyConnection) -> None:
    assert _one(shop, "select count(*) from payments anti join truth_payments using (payment_id)") == 0
    assert _one(shop, "select count(*) from tickets anti join truth_tickets using (ticket_id)") == 0
    assert _one(shop, "select count(*) from truth_product_preferences") == PRODUCTS
    assert _one(shop, "select count(*) from truth_customer_preferences") == CUSTOMERS
    assert _one(shop, "select count(*) from truth_seasonality") > 1
    promoted = "(select product_id from truth_promotions where ordered_at::date between first_day and last_day)"
    sold = "from order_lines join orders using (order_id, dt)"
    assert _one(shop, f"select count(*) {sold} where (discount is not null) != (product_id in {promoted})") == 0


def test_what_the_shelf_did_not_hold_was_not_sold(shop: duckdb.DuckDBPyConnection) -> None:
    assert _one(shop, "select count(*) from truth_stock_outs where units_wanted <= units_sold") == 0
    assert _one(shop, "select count(*) from truth_stock_outs") > 20
    sold = """
        select product_id, ordered_at::date as day, sum(quantity) as units
        from (select order_id, ordered_at from orders group by all) join order_lines using (order_id) group by all
    """
    outs = f"truth_stock_outs left join ({sold}) using (product_id, day)"
    assert _one(shop, f"select count(*) from {outs} where units_sold != coalesce(units, 0)") == 0


def test_fraud_is_rare_and_even_the_oracle_is_not_perfect(figures: dict[str, Any]) -> None:
    assert 0.003 < figures["fraud_rate"] < 0.02
    assert 0.80 < figures["oracle_auc"] < 0.99
    assert 0.2 < figures["oracle_average_precision"] < 0.8


def test_intents_are_harder_than_keywords(figures: dict[str, Any], shop: duckdb.DuckDBPyConnection) -> None:
    assert 0.5 < figures["keyword_accuracy"] < 0.8
    assert 0.82 < figures["oracle_accuracy"] < 0.95
    noted = {row[0] for row in shop.sql("select distinct intent from ticket_resolutions").fetchall()}
    assert noted <= set(INTENTS)
    assert _one(shop, "select count(*) from tickets anti join ticket_resolutions using (ticket_id)") > 0


def test_a_customer_writes_in_one_language(shop: duckdb.DuckDBPyConnection) -> None:
    sql = """
        select customer_id, count(*) as tickets, count(*) filter (regexp_matches(body, '[一-鿿]')) as chinese,
            count(*) filter (regexp_matches(body, '(?i)(\\b(ich|nicht|ist|sie|wir|die)\\b)')) as german
        from tickets join ticket_messages using (ticket_id)
        where message_number = 1 and customer_id is not null group by 1
    """
    assert _one(shop, f"select count(*) from ({sql}) where chinese not in (0, tickets)") == 0
    assert 0.02 < _one(shop, f"select sum(chinese) / sum(tickets) from ({sql})") < 0.1
    assert 0.04 < _one(shop, f"select sum(german) / sum(tickets) from ({sql})") < 0.2


def test_personal_data_is_of_nobody(shop: duckdb.DuckDBPyConnection) -> None:
    emails = "select unnest(regexp_extract_all(body, '[a-z.0-9]+@[a-z.]+')) as email from ticket_messages"
    assert _one(shop, f"select count(*) from ({emails})") > 0
    assert (
        _one(shop, f"select count(*) from ({emails}) where not regexp_matches(email, '@example.(com|org|net).?$')") == 0
    )
    reserved = r"^(100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|198\.1[89])\."
    assert _one(shop, f"select count(*) from payments where not regexp_matches(ip_address, '{reserved}')") == 0


def test_the_same_arguments_write_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name / "landing", 120, 40, 15, seed)
        digests.append((_digest(tmp_path / name / "landing"), _digest(tmp_path / name / "landing.truth")))
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[2][0]


def test_nothing_arrives_while_a_supplier_fails() -> None:
    shelves = Shelves(np.full(50, 3), np.ones(50, np.int64), 5, failing=0.5)
    shelves.stock_up(np.ones(50, bool), np.full(50, 2.0))
    on_hand, failing = [], []
    for day in range(FAILURES_EVERY):
        failing.append(shelves.is_failing(day))
        shelves.step(day, np.minimum(2, shelves.on_hand))
        on_hand.append(shelves.on_hand)
    fails, grew = np.array(failing), np.diff(np.array(on_hand), axis=0, prepend=0) > 0
    assert set(fails.sum(axis=0).tolist()) == {0, FAILURE_DAYS}
    assert not (fails & grew)[1:].any()
    assert not np.array(on_hand)[fails][-FAILURE_DAYS:].all()
    assert (shelves.on_hand > 0).mean() > 0.5


def test_a_folder_in_use_and_a_store_too_small_are_refused(landing: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="is not empty"):
        simulate(landing, 100, 100, 10, 1)
    with pytest.raises(ValueError, match="at least 10 customers"):
        simulate(tmp_path / "new", 5, 100, 10, 1)


def test_measures() -> None:
    truth, score = np.array([False, True, False, True]), np.array([0.1, 0.9, 0.8, 0.4])
    assert auc(truth, score) == 0.75
    assert auc(truth, np.zeros(4)) == 0.5
    assert average_precision(truth, score) == pytest.approx((1 + 2 / 3) / 2)
    assert keyword_intent("My card was charged twice") == "payment_problem"
    assert FIRST_DT < HISTORY_DT


def _one(shop: duckdb.DuckDBPyConnection, sql: str) -> Any:
    rows = shop.execute(sql).fetchall()
    assert len(rows) == 1
    return rows[0][0]


def _truth(landing: Path) -> Path:
    return landing.with_name(landing.name + ".truth")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()
