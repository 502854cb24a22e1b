"""The published file is replaced whole: readers never fail and never see two releases in one."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.catalog import DATASETS, MARTS, RECORD_TABLES
from pipelines.errors import NightcartError, NothingToDo, UsageFault
from pipelines.storage import write_parquet
from pipelines.warehouse import Warehouse, open_warehouse

AS_OF = date(2011, 11, 1)
READER = """
import os, sys
from pathlib import Path
import duckdb
from pipelines.warehouse import open_warehouse
os.nice(15)  # the writer goes first
warehouse = open_warehouse(str(Path(sys.argv[1]) / "warehouse.duckdb"), Path(sys.argv[1]), 1)
sql = '''select count(distinct release_id) as releases, count(*) as rows, min(release_id) as id from
    (select release_id from dim_products union all select release_id from published.dim_customers)'''
joined = '''select p.release_id, c.release_id from published.dim_products as p
    full join published.dim_customers as c on p.product_id = c.customer_id'''
reads, seen, stop = 0, set(), Path(sys.argv[1]) / "stop"
print("reading", flush=True)
while not stop.exists():
    row = warehouse.query(sql).to_pylist()[0]
    assert (row["releases"], row["rows"]) == (1, 2), row
    with duckdb.connect(warehouse.published.file, read_only=True) as connection:  # as an analyst's own program does
        (pair,) = connection.execute(joined).fetchall()
        again = connection.execute("select release_id from published.dim_products").fetchall()
    assert {pair, *((found, found) for found, in again)} == {(pair[0], pair[0])}, (pair, again)
    seen |= {row["id"], pair[0]}
    reads += 3
print(reads, len(seen))
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse in a folder of its own."""
    return open_warehouse(str(tmp_path / "warehouse.duckdb"), tmp_path, 1)


def files_of(folder: Path) -> dict[str, list[Path]]:
    """One product and one customer."""
    found = {}
    for name, key in (("dim_products", "product_id"), ("dim_customers", "customer_id")):
        row = dict.fromkeys(DATASETS[name].column_names) | {key: "1"}
        file = folder / f"{name}.parquet"
        write_parquet(pa.Table.from_pylist([row], schema=DATASETS[name].schema), file)
        found[name] = [file]
    return found | {"fct_daily_sales": []}


def publish(warehouse: Warehouse, folder: Path, release_id: str) -> None:
    """Publish a small release."""
    records = {dataset.name: dataset.schema.empty_table() for dataset in RECORD_TABLES}
    warehouse.publish(files_of(folder), records, release_id, AS_OF, lambda: None)


def test_readers_see_no_failure_and_no_mix_over_100_replacements(
    warehouse: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(warehouse, tmp_path, "release-0")
    command = [sys.executable, "-c", READER, str(tmp_path)]
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
            print(f"\nDuckDB: {reads} reads of {seen} of 101 releases, none failed, none mixed")  # noqa: T201
        assert reads > 5
        assert seen > 1


def test_two_writers_take_turns(warehouse: Warehouse, tmp_path: Path) -> None:
    folders = [tmp_path / f"writer-{number}" for number in range(3)]
    writers = [threading.Thread(target=publish, args=(warehouse, folder, folder.name)) for folder in folders]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert warehouse.query("from dim_products").num_rows == 1
    assert not list(tmp_path.glob("*.next*"))


def test_what_confirm_raises_leaves_the_release_before(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path, "first")

    def refuse() -> None:
        raise NightcartError("no")

    with pytest.raises(NightcartError, match="no"):
        warehouse.publish(files_of(tmp_path), {}, "second", AS_OF, refuse)
    assert warehouse.query("select release_id from dim_products")["release_id"].to_pylist() == ["first"]
    assert not list(tmp_path.glob("*.next*"))


def test_a_file_that_cannot_be_read_leaves_the_release_before(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse, tmp_path, "first")
    files = files_of(tmp_path)
    files["dim_products"][0].write_bytes(b"nothing")
    with pytest.raises(NightcartError, match="could not build"):
        warehouse.publish(files, {}, "second", AS_OF, lambda: None)
    assert warehouse.query("select release_id from dim_products")["release_id"].to_pylist() == ["first"]


@pytest.mark.parametrize("table", ["dim_products", "published.dim_products", '"published"."dim_products"'])
def test_names_work_with_and_without_the_schema(warehouse: Warehouse, tmp_path: Path, table: str) -> None:
    publish(warehouse, tmp_path, "first")
    assert warehouse.query(f"select * from {table};").num_rows == 1
    assert warehouse.query("show tables").num_rows == len(MARTS + RECORD_TABLES)
    assert warehouse.query("with a as (from fct_daily_sales) select * from a").num_rows == 0


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selec 1", "syntax error"),
        ("select nothing from dim_products", 'column "nothing" not found'),
        ("from nowhere", "Table with name nowhere does not exist"),
        ("select 1; select 2", "found SELECT, SELECT, expected one SELECT"),
        ("", "found no statement"),
        ("create table published.mine as select 1", "found CREATE"),
        ("drop table dim_products", "found DROP"),
        ("delete from dim_products", "found DELETE"),
        ("update dim_products set title = ''", "found UPDATE"),
        ("insert into dim_products default values", "found INSERT"),
        ("copy dim_products to 'stolen.csv'", "found COPY"),
        ("explain analyze copy dim_products to 'stolen.csv'", "found EXPLAIN"),
        ("attach 'other.duckdb'", "found ATTACH"),
        ("set lock_configuration = false", "found SET"),
        ("select * from read_csv('/etc/passwd')", "file system operations are disabled"),
        ("from 'dim_products.parquet'", "file system operations are disabled"),
    ],
)
def test_wrong_or_writing_sql_is_refused(warehouse: Warehouse, tmp_path: Path, sql: str, message: str) -> None:
    publish(warehouse, tmp_path, "first")
    with pytest.raises(UsageFault) as caught:
        warehouse.query(sql)
    assert message in str(caught.value)
    assert "dim_products" in caught.value.hint or "read-only" in caught.value.hint


def test_nothing_published_yet_is_said(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="nothing has been published yet"):
        warehouse.query("select 1")
    with pytest.raises(NothingToDo, match="nothing has been published yet"):
        warehouse.export(tmp_path / "out")


def test_another_kind_of_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="mysql:// is no warehouse we know"):
        open_warehouse("mysql://host/db", tmp_path, 1)
