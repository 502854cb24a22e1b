"""Files that cannot be taken: each fault says what was found and what was expected."""

import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.contract import ENTITIES
from pipelines.home import Home
from pipelines.ingest.engine import Engine, open_engine
from pipelines.ingest.landing import list_landing
from pipelines.ingest.read import FAULT, PartitionFault, Read, read_partition
from tests.landing import Landing, customer, line, order, table_of

DT = date(2011, 10, 3)
ORDERS_CSV = "order_id,ordered_at,status,currency\n"


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    with open_engine(home) as opened:
        yield opened


def read(engine: Engine, landing: Landing) -> Read:
    (partition,) = list_landing(landing.root).partitions
    return read_partition(engine, partition, ENTITIES[partition.entity], b"k" * 32)


def fault_of(engine: Engine, landing: Landing) -> PartitionFault:
    with pytest.raises(PartitionFault) as found:
        read(engine, landing)
    assert found.value.__cause__ is None
    return found.value


@pytest.mark.parametrize("name", ["part-0.csv", "part-0.csv.gz", "part-0.parquet"])
def test_a_file_of_no_bytes(engine: Engine, landing: Landing, name: str) -> None:
    landing.write_bytes("orders", DT, b"", name)
    assert fault_of(engine, landing).text == f"{name} has no bytes"


def test_truncated_parquet(engine: Engine, landing: Landing) -> None:
    file = landing.write("orders", DT, [order("1", DT)])
    file.write_bytes(file.read_bytes()[:-20])
    assert fault_of(engine, landing).text == "part-0.parquet is not a whole Parquet file: truncated or damaged"


def test_truncated_gzip(engine: Engine, landing: Landing) -> None:
    whole = gzip.compress((ORDERS_CSV + "".join(f"{n},2011-10-03,paid,GBP\n" for n in range(9999))).encode())
    landing.write_bytes("orders", DT, whole[: len(whole) // 2], "part-0.csv.gz")
    assert "part-0.csv.gz ends early or is damaged" in fault_of(engine, landing).text


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_wrong_delimiter(engine: Engine, landing: Landing, mark: str) -> None:
    landing.write_bytes("orders", DT, (ORDERS_CSV + "1,2011-10-03,paid,GBP\n").replace(",", mark).encode())
    assert "is the delimiter a comma?" in fault_of(engine, landing).text


def test_not_utf8(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("orders", DT, ORDERS_CSV.encode() + "1,2011-10-03,bezahlt für,GBP\n".encode("latin-1"))
    assert fault_of(engine, landing).text == "part-0.csv is not UTF-8"


def test_a_byte_order_mark_and_quotes_are_fine(engine: Engine, landing: Landing) -> None:
    text = '\ufeff"order_id","ordered_at",status,currency,channel\r\n"1,2",2011-10-03,paid,"GBP",""\r\n'
    landing.write_bytes("orders", DT, text.encode())
    (row,) = read(engine, landing).rows.to_pylist()
    assert (row["order_id"], row["channel"], row[FAULT]) == ("1,2", None, None)


def test_a_line_with_too_many_fields(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("orders", DT, (ORDERS_CSV + "1,2011-10-03,paid,GBP,secret\n").encode())
    assert fault_of(engine, landing).text == "part-0.csv has a line of 5 fields where the header has 4"


def test_no_header(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("customers", DT, b"c1,Anna,2011-10-03\nc2,Berta,2011-10-03\n")
    assert fault_of(engine, landing).text == (
        "part-0.csv has none of the columns of customers: is its first line the header?"
    )


def test_a_column_renamed(engine: Engine, landing: Landing) -> None:
    table = table_of("order_lines", [line("1")])
    landing.write("order_lines", DT, table.rename_columns([n.replace("quantity", "qty") for n in table.column_names]))
    fault = fault_of(engine, landing)
    assert (fault.rule, fault.column) == ("columns", "quantity")
    assert fault.text == "quantity missing in part-0.parquet; was it renamed to qty?"


def test_a_column_missing(engine: Engine, landing: Landing) -> None:
    landing.write("order_lines", DT, table_of("order_lines", [line("1")]).drop_columns("quantity"))
    assert fault_of(engine, landing).text == "quantity missing in part-0.parquet"


def test_a_column_twice(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("orders", DT, b"order_id,order_id,ordered_at,status,currency\n1,1,2011-10-03,paid,GBP\n")
    assert "has the column order_id more than once" in fault_of(engine, landing).text


def test_a_column_added(engine: Engine, landing: Landing) -> None:
    table = table_of("orders", [order("1", DT)]).append_column("note", pa.array(["x"]))
    landing.write("orders", DT, table)
    found = read(engine, landing)
    assert found.warnings == ("columns that the contract lacks are ignored: note",)
    assert "note" not in found.rows.column_names


def test_an_absent_nullable_column_is_null(engine: Engine, landing: Landing) -> None:
    landing.write("customers", DT, table_of("customers", [customer("1", DT)]).drop_columns(["email", "country"]))
    (row,) = read(engine, landing).rows.to_pylist()
    assert (row["email"], row["country"], row["signed_up_at"]) == (None, None, None)


def test_a_column_of_another_type(engine: Engine, landing: Landing) -> None:
    table = table_of("order_lines", [line("1")])
    at = table.column_names.index("quantity")
    landing.write("order_lines", DT, table.set_column(at, "quantity", pa.array(["two"])))
    fault = fault_of(engine, landing)
    assert (fault.rule, fault.column) == ("type", "quantity")
    assert fault.text == "quantity is string in part-0.parquet, expected an integer"


def test_a_cell_that_cannot_be_read_is_a_row_fault(engine: Engine, landing: Landing) -> None:
    text = "order_id,line_number,product_id,quantity,unit_price\n1,1,p1,two,2.5\n1,2,p1,2,2.5\n"
    landing.write_bytes("order_lines", DT, text.encode())
    bad, good = read(engine, landing).rows.to_pylist()
    assert bad["quantity"] is None
    assert bad[FAULT] == "parses(quantity): quantity is 'two', expected an integer"
    assert (good["quantity"], good["unit_price"], good[FAULT]) == (2, Decimal("2.5000"), None)


def test_an_integral_float_is_a_count_and_another_is_a_row_fault(engine: Engine, landing: Landing) -> None:
    table = table_of("order_lines", [line("1", 1), line("1", 2)])
    at = table.column_names.index("quantity")
    landing.write("order_lines", DT, table.set_column(at, "quantity", pa.array([2.0, 2.5])))
    good, bad = read(engine, landing).rows.to_pylist()
    assert (good["quantity"], good[FAULT]) == (2, None)
    assert bad[FAULT] == "parses(quantity): quantity is '2.5', expected an integer"


def test_a_value_in_a_table_with_persons_is_masked(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("customers", DT, b"customer_id,updated_at\nc1,anna7@example.org\n")
    (row,) = read(engine, landing).rows.to_pylist()
    assert row[FAULT] == "parses(updated_at): updated_at is 'aaaa9@aaaaaaa.aaa', expected a timestamp or a date"


def test_text_in_parquet_that_is_not_utf8(engine: Engine, landing: Landing) -> None:
    table = table_of("orders", [order("1", DT)])
    broken = pa.array([b"\xff\xfe"]).view(pa.string())
    file = landing.folder("orders", DT) / "part-0.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(table.set_column(table.column_names.index("status"), "status", broken), file)
    (file.parent / "_SUCCESS").touch()
    assert fault_of(engine, landing).text == "part-0.parquet holds values that are damaged or not UTF-8"


def test_a_damaged_gzip_file(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("orders", DT, b"not gzip at all", "part-0.csv.gz")
    assert fault_of(engine, landing).text == "part-0.csv.gz is not a whole gzip file: truncated or damaged"


def test_a_header_that_is_not_there_or_not_utf8(engine: Engine, landing: Landing) -> None:
    landing.write_bytes("orders", DT, b"\n1,2011-10-03,paid,GBP\n")
    assert fault_of(engine, landing).text == "part-0.csv has no header line"
    landing.write_bytes("orders", DT, "order_id,Währung\n".encode("latin-1"))
    assert fault_of(engine, landing).text == "the header of part-0.csv is not UTF-8 text with commas"
