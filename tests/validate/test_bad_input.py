"""Every line of the list of bad input, up to load: what is let in, what goes to quarantine, what stops the night."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from pipelines.errors import IncomingFault, UsageFault
from pipelines.home import Home
from pipelines.ingest.load import load
from pipelines.records import partitions, quarantine_counts
from pipelines.validate.quarantine import accept, quarantine_rows
from tests.landing import DAY, Landing, at, line, order, raw, run_steps, table_of

FIRST = date(2011, 10, 3)
DT = FIRST + DAY  # the partition that something is wrong with
NIGHT = DT + DAY


@pytest.fixture
def store(landing: Landing) -> Landing:
    """A history partition and a day after it."""
    landing.write_store(FIRST, 2)
    return landing


def stopped(home: Home, as_of: date = NIGHT) -> IncomingFault:
    with pytest.raises(IncomingFault) as fault:
        run_steps(home, as_of)
    assert home.records.newest_loaded_night() is None or home.records.newest_loaded_night() < as_of  # type: ignore
    return fault.value


def truncate(store: Landing) -> None:
    file = store.write("orders", DT, [order("1", DT)])
    file.write_bytes(file.read_bytes()[:-9])


def retype(store: Landing) -> None:
    table = table_of("orders", [order("1", DT)])
    store.write("orders", DT, table.set_column(table.column_names.index("currency"), "currency", pa.array([1.5])))


WRONG: dict[str, tuple[Callable[[Landing], object], str]] = {
    "no bytes": (lambda store: store.write_bytes("orders", DT, b""), "readable: part-0.csv has no bytes"),
    "truncated": (truncate, "readable: part-0.parquet is not a whole Parquet file"),
    "delimiter": (
        lambda store: store.write_bytes("orders", DT, b"order_id;ordered_at;status;currency\n"),
        "columns: part-0.csv has one column, with ';' inside: is the delimiter a comma?",
    ),
    "renamed": (
        lambda store: store.write_bytes("orders", DT, b"order_id,order_date,status,currency\n"),
        "columns: ordered_at missing in part-0.csv; was it renamed to order_date?",
    ),
    "missing": (
        lambda store: store.write_bytes("orders", DT, b"order_id,ordered_at,status\n"),
        "columns: currency missing in part-0.csv",
    ),
    "type": (retype, "type: currency is double in part-0.parquet, expected text or an integer"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_partition_that_cannot_be_taken_stops_the_night(home: Home, store: Landing, name: str) -> None:
    spoil, said = WRONG[name]
    spoil(store)
    fault = stopped(home)
    assert f"- orders {DT}: {said}" in str(fault)
    assert fault.hint == f"deliver orders/dt={DT} again, with _SUCCESS; then run `nightcart night {NIGHT}` again"
    with pytest.raises(UsageFault, match="cannot be accepted"):
        accept(home, "orders", DT, "try")


def test_after_the_fix_everything_is_loaded_once(home: Home, store: Landing) -> None:
    whole = [order("1", DT), order("2", DT)]
    store.write_bytes("orders", DT, b"")
    stopped(home)
    with pytest.raises(IncomingFault, match="has not passed validation"):
        load(home, NIGHT)
    store.write("orders", DT, whole)
    assert run_steps(home, NIGHT)["load"]["rows"]["orders"] == 7
    run_steps(home, NIGHT)
    assert len(raw(home, "orders")) == 7
    assert {row["loaded_as_of"] for row in home.records.rows(sa.select(partitions))} == {NIGHT}


def test_all_faults_are_listed_at_once(home: Home, store: Landing) -> None:
    store.write_bytes("orders", DT, b"")
    (store.root / "products").rename(store.root / "articles")
    said = str(stopped(home))
    assert "what came in has 2 faults" in said
    assert "- products: delivered: no partition before 2011-10-05 was ever delivered" in said


def test_a_column_added(home: Home, store: Landing) -> None:
    table = table_of("orders", [order("1", DT)])
    store.write("orders", DT, table.append_column("note", pa.array(["x"])))
    results = run_steps(home, NIGHT)
    assert results["collect"]["warnings"] == [f"orders {DT}: columns that the contract lacks are ignored: note"]
    assert results["load"]["rows"]["orders"] == 6


def test_duplicate_keys(home: Home, store: Landing) -> None:
    store.write("orders", DT, [order("1", DT), order("1", DT), order("2", DT), order("2", DT, channel="app")])
    result = run_steps(home, NIGHT)["validate_incoming"]
    assert (result["collapsed"], result["quarantined"]) == (1, {"orders": 2})
    assert [row["order_id"] for row in raw(home, "orders") if row["dt"] == DT] == ["1"]


def test_a_negative_quantity_goes_to_quarantine(home: Home, store: Landing) -> None:
    store.write("order_lines", DT, [line("1", quantity=-3), line("2")])
    assert run_steps(home, NIGHT)["load"]["rows"]["order_lines"] == 6
    (row,) = quarantine_rows(home).to_pylist()
    assert row == {
        "entity": "order_lines",
        "dt": DT,
        "rule": "above_0(quantity)",
        "reason": "quantity is -3, expected more than 0",
        "key": "1 1",
        "as_of": NIGHT,
    }
    (count,) = home.records.rows(sa.select(quarantine_counts))
    assert (count["night"], count["rows"], count["loaded_as_of"]) == (NIGHT, 1, NIGHT)
    assert [row["bad_rows"] for row in home.records.rows(sa.select(partitions)) if row["dt"] == DT] == [1, 0]


def test_a_date_in_the_future_goes_to_quarantine(home: Home, store: Landing) -> None:
    midnight = at(DT + DAY, 0)
    last = midnight - timedelta(microseconds=1)
    store.write("orders", DT, [order("1", DT, ordered_at=last), order("2", DT, ordered_at=midnight)])
    run_steps(home, NIGHT)
    (row,) = quarantine_rows(home, "orders").to_pylist()
    assert (row["key"], row["rule"]) == ("2", "not_in_future(ordered_at)")
    expected = "expected a time within the day of its partition or before"
    assert row["reason"] == f"ordered_at is 2011-10-05 00:00:00, {expected}"


def test_an_orphan_line_is_loaded_and_waits(home: Home, store: Landing) -> None:
    store.write("order_lines", DT, [line("no such order")])
    run_steps(home, NIGHT)
    (row,) = [row for row in raw(home, "order_lines") if row["dt"] == DT]
    assert row["order_id"] == "no such order"


def test_orders_of_a_tuesday_at_a_third_of_the_last_tuesdays(home: Home, landing: Landing) -> None:
    tuesday = date(2011, 11, 1)
    landing.write_store(tuesday - timedelta(days=36), 1)
    for back in range(1, 5):
        landing.write_orders(tuesday - back * timedelta(days=7), 30)
    landing.write_orders(tuesday, 10)
    fault = stopped(home, tuesday + DAY)
    assert f"- orders {tuesday}: min_volume_ratio: 10 rows, expected at least 0.5 of the median" in str(fault)
    assert 'nightcart accept orders 2011-11-01 --reason "..."' in fault.hint
    with pytest.raises(UsageFault, match="nothing of orders 2011-10-25 waits") as refused:
        accept(home, "orders", date(2011, 10, 25), "why not")
    assert "order_lines 2011-11-01, orders 2011-11-01" in refused.value.hint
    for entity in ("orders", "order_lines"):
        accept(home, entity, tuesday, "bank holiday")
    assert run_steps(home, tuesday + DAY)["validate_incoming"]["accepted_faults"] == 2
    landing.write_orders(tuesday, 9)  # an acceptance is of the content that was seen
    assert "9 rows" in str(stopped_again(home, tuesday + DAY))


def stopped_again(home: Home, as_of: date) -> IncomingFault:
    with pytest.raises(IncomingFault) as fault:
        run_steps(home, as_of)
    return fault.value


def test_a_cell_that_cannot_be_read_goes_to_quarantine(home: Home, store: Landing) -> None:
    text = "order_id,line_number,product_id,quantity,unit_price\n1,1,p1,two,2.5\n2,1,p1,2,2.5\n"
    store.write_bytes("order_lines", DT, text.encode())
    run_steps(home, NIGHT)
    (row,) = quarantine_rows(home).to_pylist()
    assert (row["rule"], row["reason"]) == ("parses(quantity)", "quantity is 'two', expected an integer")


def test_a_partition_without_success_waits_for_the_next_night(home: Home, store: Landing) -> None:
    (store.folder("orders", DT) / "_SUCCESS").unlink()
    assert run_steps(home, NIGHT)["load"]["rows"]["orders"] == 5
    (store.folder("orders", DT) / "_SUCCESS").touch()
    assert run_steps(home, NIGHT + DAY)["load"]["rows"]["orders"] == 5
    assert {row["known_at"].date() for row in raw(home, "orders") if row["dt"] == DT} == {NIGHT + DAY}


def test_the_same_partition_twice_changes_nothing(home: Home, store: Landing) -> None:
    run_steps(home, NIGHT)
    before = raw(home, "orders")
    ids = [row["order_id"] for row in before if row["dt"] == DT]
    store.write("orders", DT, [order(order_id, DT) for order_id in ids], form="csv.gz")
    assert run_steps(home, NIGHT + DAY)["collect"]["partitions"] == 0
    assert raw(home, "orders") == before


def test_a_late_partition_is_known_when_it_came(home: Home, store: Landing) -> None:
    (store.folder("orders", DT) / "part-0.parquet").rename(store.root / "held back")
    run_steps(home, NIGHT)
    (store.root / "held back").rename(store.folder("orders", DT) / "part-0.parquet")
    store.write("order_lines", DT, [line("x", quantity=-1)])
    assert run_steps(home, NIGHT + DAY)["collect"]["late"] == 2
    assert {str(row["known_at"]) for row in raw(home, "orders") if row["dt"] == DT} == {"2011-10-06 00:00:00"}
    (count,) = home.records.rows(sa.select(quarantine_counts))
    assert count["night"] == NIGHT + DAY
    late = [row for row in home.records.rows(sa.select(partitions)) if row["is_late"]]
    assert {(row["dt"], row["known_at"]) for row in late} == {(DT, NIGHT + DAY)}
