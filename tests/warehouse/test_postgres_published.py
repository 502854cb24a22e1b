"""What is published in Postgres: analysts read it and nothing else; no reader fails or sees two releases in one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from pipelines.errors import NightcartError, NothingToDo, UsageFault
from pipelines.warehouse import open_warehouse
from pipelines.warehouse.postgres import PostgresWarehouse
from tests.warehouse.postgres_server import PASSWORD, Server
from tests.warehouse.test_published_file import AS_OF, files_of, publish

READER = """
import sys
from pathlib import Path
import psycopg
one = '''select count(distinct release_id), count(*), min(release_id) from
    (select release_id from published.dim_products union all select release_id from published.dim_customers) as r'''
joined = '''select p.release_id, c.release_id from published.dim_products as p
    full join published.dim_customers as c on p.product_id = c.customer_id'''
each = [f"select release_id from published.{name}" for name in ("dim_products", "dim_customers", "dim_products")]
reads, seen, stop = 0, set(), Path(sys.argv[2])
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    print("reading", flush=True)
    while not stop.exists():
        releases, rows, found = connection.execute(one).fetchone()
        assert (releases, rows) == (1, 2), (releases, rows)
        (pair,) = connection.execute(joined).fetchall()
        assert len(set(pair)) == 1, pair
        with connection.transaction():
            answers = [connection.execute(sql).fetchall() for sql in each]
        assert len(answers[0]) == 1 and answers == answers[:1] * len(each), answers
        seen |= {found, pair[0], answers[0][0][0]}
        reads += 2 + len(each)
print(reads, len(seen))
"""


@pytest.fixture
def warehouse(database: str, tmp_path: Path) -> PostgresWarehouse:
    """A warehouse in a fresh database."""
    found = open_warehouse(database, tmp_path, 1)
    assert isinstance(found, PostgresWarehouse)
    return found


@pytest.fixture
def alice(warehouse: PostgresWarehouse, database: str, postgres_server: Server, tmp_path: Path) -> Iterator[str]:
    """The URL of an analyst, after a first release."""
    with warehouse.session() as session:
        session.execute("create schema raw; create table raw.orders (n bigint)")
        session.execute("create schema secret; create function secret.answer() returns int language sql as 'select 42'")
    publish(warehouse, tmp_path, "first")
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(postgres_server.url("postgres", "root"), autocommit=True) as root:
        root.execute(f"create role alice login password '{PASSWORD}' in role analyst".encode())
        yield postgres_server.url(name, "alice")
        root.execute("drop role alice")


def shown(warehouse: PostgresWarehouse) -> list[Any]:
    """The releases in what readers see."""
    return list(warehouse.query("select release_id from dim_products")["release_id"].to_pylist())


def test_readers_see_no_failure_and_no_mix_over_100_releases(
    warehouse: PostgresWarehouse, alice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", READER, alice, str(tmp_path / "stop")]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
    for number in range(1, 101):
        publish(warehouse, tmp_path, f"release-{number}")
    (tmp_path / "stop").touch()
    for reader in readers:
        output, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors
        reads, seen = map(int, output.split())
        with capsys.disabled():
            print(f"\nPostgres: {reads} reads of {seen} of 101 releases, none failed, none mixed")  # noqa: T201
        assert reads > 100
        assert seen > 20
    with warehouse.session() as session:
        counted = session.read("select count(*) as n, count(distinct release_id) as r from released.dim_products")
    assert counted.to_pylist() == [{"n": 101, "r": 101}], "the releases before are kept"


def test_a_table_that_comes_later_can_be_read(warehouse: PostgresWarehouse, alice: str, tmp_path: Path) -> None:
    warehouse.publish({"demand_forecasts": []}, {}, "second", AS_OF, lambda: None)
    with psycopg.connect(alice) as connection:
        assert connection.execute("select count(*) from published.demand_forecasts").fetchone() == (0,)


def test_what_confirm_raises_leaves_the_release_before(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path, "first")

    def refuse() -> None:
        raise NightcartError("no")

    with pytest.raises(NightcartError, match="no"):
        warehouse.publish(files_of(tmp_path), {}, "second", AS_OF, refuse)
    assert shown(warehouse) == ["first"]
    publish(warehouse, tmp_path, "second")
    assert shown(warehouse) == ["second"]


def test_a_file_that_cannot_be_read_leaves_the_release_before(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path, "first")
    files = files_of(tmp_path)
    files["dim_products"][0].write_bytes(b"nothing")
    with pytest.raises(NightcartError, match="could not build release second in Postgres"):
        warehouse.publish(files, {}, "second", AS_OF, lambda: None)
    assert shown(warehouse) == ["first"]


def test_publishing_again_and_going_back(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    for release_id in ("first", "second", "second", "first"):
        publish(warehouse, tmp_path, release_id)
        assert shown(warehouse) == [release_id]
    with pytest.raises(UsageFault, match="readers see release first"):
        warehouse.published.forget("first")
    warehouse.published.forget("second")
    with warehouse.session() as session:
        assert session.read("select release_id from released.dim_products")["release_id"].to_pylist() == ["first"]


def test_writers_take_turns(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    names = [f"writer-{number}" for number in range(3)]
    writers = [threading.Thread(target=publish, args=(warehouse, tmp_path / name, name)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert shown(warehouse)[0] in names
    with warehouse.session() as session:
        assert session.read("select release_id from released.dim_products").num_rows == 3


def test_a_column_that_comes_later_is_added(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path, "first")
    with warehouse.session() as session:
        session.execute("drop view published.dim_products; alter table released.dim_products drop column brand")
        session.execute("alter table published.releases drop column skipped")
    publish(warehouse, tmp_path, "second")
    assert warehouse.query("select brand, release_id from dim_products").num_rows == 1
    assert warehouse.query("select skipped from releases").num_rows == 0


@pytest.mark.parametrize("table", ["dim_products", "published.dim_products", '"published"."dim_products"'])
def test_names_work_with_and_without_the_schema(warehouse: PostgresWarehouse, tmp_path: Path, table: str) -> None:
    publish(warehouse, tmp_path, "first")
    assert warehouse.query(f"select * from {table};").num_rows == 1
    assert warehouse.query(f"with a as (table {table}) select count(*) from a -- so many").num_rows == 1
    assert warehouse.query("select current_user as who").to_pylist() == [{"who": "analyst"}]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selec 1", "syntax error"),
        ("select nothing from dim_products", 'column "nothing" does not exist'),
        ("select * from nowhere", 'relation "nowhere" does not exist'),
        ("select * from released.dim_products", "permission denied for schema released"),
        ("select 1; select 2", "cannot insert multiple commands"),
        ("select 1) to program 'true' --", "syntax error"),
        ("commit; drop view dim_products", "cannot insert multiple commands"),
        ("", "gives no rows"),
        ("commit", "gives no rows"),
        ("reset role", "gives no rows"),
        ("create table published.mine as select 1", "gives no rows"),
        ("delete from releases returning 1", ""),
        ("with gone as (delete from releases returning 1) select * from gone", ""),
    ],
)
def test_wrong_or_writing_sql_is_refused(warehouse: PostgresWarehouse, tmp_path: Path, sql: str, message: str) -> None:
    publish(warehouse, tmp_path, "first")
    with pytest.raises(UsageFault) as caught:
        warehouse.query(sql)
    assert message in str(caught.value)
    assert "dim_products" in caught.value.hint or "read-only" in caught.value.hint
    assert shown(warehouse) == ["first"]


def test_export_writes_what_is_published(warehouse: PostgresWarehouse, tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="nothing has been published yet"):
        warehouse.query("select 1")
    with pytest.raises(NothingToDo, match="nothing has been published yet"):
        warehouse.export(tmp_path / "out")
    publish(warehouse, tmp_path, "first")
    assert warehouse.export(tmp_path / "out")["dim_products"] == 1
    found = pq.read_table(tmp_path / "out" / "dim_products.parquet")
    assert (found["release_id"].to_pylist(), found["as_of"].to_pylist()) == (["first"], [date(2011, 11, 1)])
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageFault, match="cannot write into"):
        warehouse.export(tmp_path / "file" / "out")


def test_where_roles_may_not_be_made_the_doctor_says_what_to_run(
    warehouse: PostgresWarehouse, database: str, postgres_server: Server, tmp_path: Path
) -> None:
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(postgres_server.url(name, "root"), autocommit=True) as root:
        root.execute("drop role if exists analyst" if not _is_used(root) else "alter role analyst rename to elsewhere")
        root.execute("alter role nightcart nocreaterole")
        root.execute(f"alter database {name} owner to root".encode())
        root.execute(f"grant create on database {name} to nightcart".encode())
        try:
            publish(warehouse, tmp_path, "first")
            assert shown(warehouse) == ["first"]
            for _ in range(2):  # the role first, then what it may
                found, advice, is_wrong = warehouse.examine()
                assert ("not all set up" in found, is_wrong) == (True, False)
                root.execute(advice.partition(": ")[2].encode())
            assert "reads `published` and nothing else" in warehouse.examine()[0]
            assert warehouse.query("select current_user as who").to_pylist() == [{"who": "analyst"}]
        finally:
            root.execute("alter role nightcart createrole")


def _is_used(root: psycopg.Connection[Any]) -> bool:
    """Whether other databases of the server have granted the role something."""
    found = root.execute(
        "select from pg_shdepend where refobjid = (select oid from pg_roles where rolname = 'analyst')"
    )
    return found.fetchone() is not None
