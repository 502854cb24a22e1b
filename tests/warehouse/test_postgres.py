"""The warehouse on a real Postgres server: exact types and order, one writer, and a password that nobody sees."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import Busy, StorageFault, UsageFault
from pipelines.home import PROJECT
from pipelines.settings import Places
from pipelines.storage import write_parquet
from pipelines.warehouse import Warehouse, open_warehouse, postgres
from pipelines.warehouse.address import masked
from tests.warehouse.postgres_server import PASSWORD, Server

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "n": pa.int64(),
        "money": pa.decimal128(18, 4),
        "share": pa.float64(),
        "day": pa.date32(),
        "at": pa.timestamp("us"),
        "flag": pa.bool_(),
    }
)
COLUMNS = 'id varchar, n bigint, money decimal(18, 4), share float8, "day" date, "at" timestamp, flag boolean'
LAST = datetime.fromisoformat("9999-12-31T23:59:59.999999")
IDS = ["ä", "Z", "a", "é1", "E", "_", "10", "9", "zürich", "Ω", "日本", "", 'say "hi", then\nleave', "\\N", "a b", "ab"]


@pytest.fixture
def warehouse(database: str, tmp_path: Path) -> Warehouse:
    """A warehouse in a fresh database."""
    return open_warehouse(database, tmp_path, 1)


def rows() -> pa.Table:
    """Awkward values of every type."""
    values: list[dict[str, Any]] = [
        {"id": id_, "n": 2**53 + number, "money": Decimal("-0.0001") * number, "share": 0.1 * number / 3}
        | {"day": date(1970, 1, 1 + number), "at": LAST - timedelta(microseconds=number), "flag": number % 2 == 0}
        for number, id_ in enumerate(IDS)
    ]
    edges = [
        {"id": None},
        {"id": "null", "share": float("inf"), "money": Decimal("99999999999999.9999"), "n": -(2**63)},
    ]
    return pa.Table.from_pylist([*values, *edges], schema=SCHEMA)


def test_rows_come_back_as_they_were_and_in_duckdbs_order(warehouse: Warehouse, tmp_path: Path) -> None:
    file, digests = tmp_path / "rows.parquet", []
    write_parquet(rows(), file)
    for store in (warehouse, open_warehouse(str(tmp_path / "w.duckdb"), tmp_path, 1)):
        with store.session() as session:
            session.execute("create schema if not exists raw")
            columns = (
                'id varchar, n bigint, money decimal(18, 4), share float8, "day" date, "at" timestamp, flag boolean'
            )
            session.execute(f"create table raw.t ({columns})")
            session.execute(f"insert into raw.t select * from {session.parquet(file)} as s")
            found = session.read("select * from raw.t", order_by=("id", "n"))
        assert found.schema == SCHEMA
        write_parquet(found, tmp_path / "found.parquet")
        digests.append((tmp_path / "found.parquet").read_bytes())
    assert digests[0] == digests[1]
    found = pq.read_table(tmp_path / "found.parquet")
    assert found["id"].to_pylist()[:-1] == sorted([*IDS, "null"], key=str.encode)
    assert sorted(found.to_pylist(), key=str) == sorted(rows().to_pylist(), key=str)


def test_no_rows_are_typed_too(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        found = session.read("select 1::bigint as n, 'a'::varchar as a where false", order_by=("a",))
    assert (found.num_rows, found.schema) == (0, pa.schema({"n": pa.int64(), "a": pa.string()}))


def test_sessions_take_turns(warehouse: Warehouse) -> None:
    with warehouse.slot(), warehouse.session() as session:
        session.execute("create table rows (n bigint)")

    def write() -> None:
        with warehouse.session() as session:
            before = session.read("select count(*) as n from rows")["n"][0].as_py()
            session.execute(f"insert into rows values ({before})")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with warehouse.session() as session:
        assert session.read("select n from rows", order_by=("n",))["n"].to_pylist() == [0, 1, 2, 3]


def test_a_session_without_its_commit_leaves_nothing(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("begin")
        session.execute("create table torn (n bigint)")
    with warehouse.session() as session:
        assert session.read("select to_regclass('torn')::text as t")["t"].to_pylist() == [None]


def test_the_slot_of_a_killed_process_is_free(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, time; from pathlib import Path; from pipelines.warehouse import open_warehouse\n"
        "with open_warehouse(sys.argv[1], Path('.'), 1).slot(): print('has it', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, database]
    holder = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "has it\n"
    warehouse = open_warehouse(database, tmp_path, 1)
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "WAIT_SECONDS", 0.1)
        with pytest.raises(Busy, match="another process is writing to postgresql://nightcart:"), warehouse.slot():
            pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    started = time.perf_counter()
    with warehouse.slot():
        assert time.perf_counter() - started < 5


def test_a_lost_slot_is_said(warehouse: Warehouse, database: str, postgres_server: Server) -> None:
    import psycopg

    end = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
    with (
        pytest.raises(StorageFault, match="kept others from writing to"),
        warehouse.slot(),
        psycopg.connect(postgres_server.url(database.rsplit("/", 1)[1], "root")) as connection,
    ):
        connection.execute(end)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("postgresql://u:{0}@127.0.0.1:1/d", "cannot reach postgresql://u:***@127.0.0.1:1/d"),
        ("postgresql://u:{0}@127.0.0.1:1", "names no dbname"),
        ("postgresql://:{0}@host/d", "names no user"),
        ("postgresql://u:{0}@host:port/d", "is no URL"),
        ("postgresql://u:{0}@host/d?password={0}", "has the option password, which we do not know"),
        ("mysql://u:{0}@host/d", "mysql:// is no warehouse we know"),
    ],
)
def test_errors_never_show_the_password(place: str, message: str, tmp_path: Path) -> None:
    with pytest.raises((StorageFault, UsageFault)) as caught:
        open_warehouse(place.format(PASSWORD), tmp_path, 1).query("select 1")
    assert message in str(caught.value)
    assert PASSWORD not in str(caught.value) + caught.value.hint + repr(caught.value)


def test_a_wrong_password_is_refused_without_showing_it(database: str, tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="password authentication failed") as caught:
        open_warehouse(database.replace(PASSWORD, "a-guess"), tmp_path, 1).query("select 1")
    assert "a-guess" not in str(caught.value)


def test_places_hide_the_password(database: str, tmp_path: Path) -> None:
    places = Places.from_environment({"NIGHTCART_HOME": str(tmp_path), "NIGHTCART_WAREHOUSE": database})
    assert PASSWORD not in repr(places) + str(places)
    assert places.as_environment["NIGHTCART_WAREHOUSE"] == database
    assert PASSWORD not in masked(database) + repr(open_warehouse(database, tmp_path, 1).address)  # type: ignore[attr-defined]
    assert masked("/home/w.duckdb") == "/home/w.duckdb"


def test_only_one_variable_of_dbt_holds_the_password(database: str, tmp_path: Path) -> None:
    environment = open_warehouse(database, tmp_path, 1).dbt_environment()
    assert environment["NIGHTCART_DBT_TARGET"] == "postgres"
    assert [name for name, value in environment.items() if PASSWORD in value] == ["DBT_ENV_SECRET_NIGHTCART"]
