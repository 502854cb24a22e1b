"""The demo store delivers what the contract asks, tells nothing before its day, and writes the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from demo.events import UNKNOWN
from demo.landing import ALL_ENTITIES, columns_of
from demo.store import HISTORY_DT, landing_tables, write_demo_store
from demo.trim_orders import ORDERS_FILE
from pipelines.contract import ENTITIES


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The landing zone, written once."""
    folder = tmp_path_factory.mktemp("landing")
    write_demo_store(folder)
    return folder


@pytest.fixture(scope="module")
def tables(landing: Path) -> dict[str, pa.Table]:
    """Each entity's rows as delivered, with their `dt`."""
    return {name: _read(landing / name) for name in ALL_ENTITIES}


def test_partitions_hold_the_contract_columns_and_count(landing: Path) -> None:
    for name in ALL_ENTITIES:
        expected = pa.schema(list(columns_of(name).items()))
        for partition in (landing / name).iterdir():
            assert sorted(path.name for path in partition.iterdir()) == ["_SUCCESS", "part-0.parquet"]
            assert (partition / "_SUCCESS").stat().st_size == 0
            assert pq.read_schema(partition / "part-0.parquet").equals(expected)


def test_values_are_those_the_contract_allows(tables: dict[str, pa.Table]) -> None:
    for name, entity in ENTITIES.items():
        table = tables[name]
        keys = table.select(["dt", *entity.key])
        assert keys.group_by(keys.column_names).aggregate([]).num_rows == table.num_rows
        for column in entity.delivered.values():
            values = table[column.name]
            assert column.nullable or values.null_count == 0, (name, column.name)
            allowed = {*column.allowed, *([UNKNOWN] if name == "events" else [])}
            assert not column.allowed or set(pc.unique(values).to_pylist()) <= allowed
            if values.null_count < len(values):
                assert column.above is None or pc.min(values).as_py() > column.above
                assert column.at_least is None or pc.min(values).as_py() >= column.at_least


def test_a_few_events_are_of_a_kind_that_nobody_knows(tables: dict[str, pa.Table]) -> None:
    broken = pc.equal(tables["events"]["kind"], UNKNOWN)
    assert 0 < pc.sum(broken).as_py() < 0.001 * len(broken)


def test_what_a_row_names_is_delivered_by_its_day(tables: dict[str, pa.Table]) -> None:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        unknown = connection.execute("""
            select count(*)
            from order_lines
            left join orders using (order_id)
            left join (select product_id, min(dt) as dt from products group by all) as product using (product_id)
            left join customers using (customer_id)
            where orders.dt is distinct from order_lines.dt
                or coalesce(product.dt > order_lines.dt, true)
                or (orders.customer_id is not null and coalesce(customers.dt > orders.dt, true))
        """).fetchone()
    assert unknown == (0,)


def test_rows_happened_on_their_day(tables: dict[str, pa.Table]) -> None:
    for name, entity in ENTITIES.items():
        if entity.happened is not None:
            days = tables[name][entity.happened].cast(pa.date32())
            for dt, day in zip(tables[name]["dt"].to_pylist(), days.to_pylist(), strict=True):
                assert day == dt or (dt == HISTORY_DT and day < dt), name


def test_a_partition_tells_nothing_of_later_days(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    """A store that had stopped on a day had delivered the same until then: titles, prices, countries and all."""
    last_day = date(2011, 9, 15)
    orders = pq.read_table(ORDERS_FILE)
    until = datetime.combine(last_day, datetime.max.time())
    pq.write_table(
        orders.filter(pc.field("ordered_at") <= pa.scalar(until, pa.timestamp("us"))), tmp_path / "o.parquet"
    )

    for name, stopped in landing_tables(tmp_path / "o.parquet").items():
        assert stopped.num_rows > 0
        assert stopped.equals(tables[name].filter(pc.field("dt") <= last_day)), name


def test_writing_again_repairs_the_folder_to_the_same_bytes(landing: Path) -> None:
    before = _digest(landing)
    partition = landing / "orders" / "dt=2011-06-01"
    (partition / "_SUCCESS").unlink()
    (partition / "part-0.parquet").write_bytes(b"torn")
    (partition / "part-0.parquet.partial").write_bytes(b"left by a write that was stopped")
    told: list[str] = []

    write_demo_store(landing, told.append)

    assert _digest(landing) == before
    assert [line.split(":")[0] for line in told] == list(ALL_ENTITIES)


def test_totals(tables: dict[str, pa.Table]) -> None:
    """The figures that README.md tells."""
    assert {name: table.num_rows for name, table in tables.items()} == {
        "customers": 5_852,
        "products": 5_635,
        "orders": 39_513,
        "order_lines": 1_014_974,
        "returns": 17_858,
        "payments": 39_513,
        "chargebacks": 422,
        "events": 431_355,
        "stock_levels": 762_558,
        "tickets": 5_348,
        "ticket_messages": 16_099,
        "ticket_resolutions": 4_976,
    }
    history = {name: table.filter(pc.field("dt") == HISTORY_DT).num_rows for name, table in tables.items()}
    assert {name: history[name] for name in ("customers", "products", "orders", "order_lines")} == {
        "customers": 4_908,
        "products": 4_290,
        "orders": 27_810,
        "order_lines": 690_281,
    }
    assert len(pc.unique(tables["products"]["product_id"])) == 4_720
    assert tables["orders"]["customer_id"].null_count == 2_922

    days = pc.unique(tables["orders"]["dt"]).to_pylist()
    assert (len(days), days[0], days[-1]) == (165, HISTORY_DT, date(2011, 12, 9))
    lines = tables["order_lines"]
    sold = sum(q * p for q, p in zip(lines["quantity"].to_pylist(), lines["unit_price"].to_pylist(), strict=True))
    assert str(sold) == "19699539.1100"


def test_the_committed_file_is_small_and_names_its_source(landing: Path) -> None:
    assert ORDERS_FILE.stat().st_size < 6_000_000
    for path in (ORDERS_FILE, landing / "orders" / "dt=2011-12-09" / "part-0.parquet"):
        metadata = pq.read_schema(path).metadata
        assert metadata[b"doi"] == b"10.24432/C5CG6D"
        assert metadata[b"license"].startswith(b"CC BY 4.0")
        assert {b"title", b"creator", b"source", b"changes"} <= metadata.keys()


def test_what_is_simulated_says_so(landing: Path) -> None:
    real = {"customers", "products", "orders", "order_lines", "returns"}
    for name in ALL_ENTITIES:
        metadata = pq.read_schema(next((landing / name).glob("*/part-0.parquet"))).metadata
        assert (metadata.get(b"simulated") == b"true") == (name not in real), name
    assert "Simulated by Nightcart" in (landing / "ATTRIBUTION.txt").read_text("utf-8")


def test_what_is_simulated_hangs_on_real_orders(tables: dict[str, pa.Table]) -> None:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        for sql in (
            "from orders anti join payments using (order_id, dt)",
            "from payments anti join orders using (order_id, customer_id) where customer_id is not null",
            "from chargebacks left join payments using (payment_id) where coalesce(reported_at <= paid_at, true)",
            "from tickets join orders using (order_id) where opened_at < ordered_at",
            "from ticket_messages left join tickets using (ticket_id) where coalesce(sent_at < opened_at, true)",
            "from ticket_resolutions left join tickets using (ticket_id) where coalesce(resolved_at < opened_at, true)",
            "from returns join orders using (order_id) where returned_at < ordered_at",
            "from stock_levels anti join products using (product_id)",
            "from events anti join products using (product_id) where product_id is not null",
        ):
            assert connection.execute(f"select count(*) {sql}").fetchall() == [(0,)], sql


def test_no_model_can_be_perfect(landing: Path) -> None:
    """The figures that README.md tells."""
    figures = json.loads((landing.with_name(landing.name + ".truth") / "figures.json").read_text("utf-8"))
    assert figures == {
        "payments": 39_513,
        "frauds": 449,
        "fraud_rate": 0.01136,
        "oracle_auc": 0.924,
        "oracle_average_precision": 0.5133,
        "tickets": 5_348,
        "keyword_accuracy": 0.6086,
        "oracle_accuracy": 0.8946,
    }


def _read(folder: Path) -> pa.Table:
    parts = []
    for partition in sorted(folder.iterdir()):
        rows = pq.read_table(partition / "part-0.parquet", partitioning=None)
        dt = pa.scalar(date.fromisoformat(partition.name.removeprefix("dt=")))
        parts.append(rows.add_column(0, "dt", pa.repeat(dt, rows.num_rows)))
    return pa.concat_tables(parts)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()
