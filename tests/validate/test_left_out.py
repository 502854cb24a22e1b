"""Optional entities: all of them end to end, and faulty ones that are left out without stopping the night."""

from datetime import date

import pytest
import sqlalchemy as sa

from pipelines.contract import ENTITIES, OPTIONAL
from pipelines.errors import IncomingFault
from pipelines.home import Home
from pipelines.ingest.load import load
from pipelines.records import partitions, quarantine_counts
from pipelines.validate.quarantine import accept, quarantine_rows
from pipelines.validate.validate import validate_incoming
from tests.landing import DAY, OPTIONAL_ROWS, Landing, chargeback, event, payment, raw, run_steps, stock_level

FIRST = date(2011, 10, 3)
DT = FIRST + DAY
NIGHT = DT + DAY


@pytest.fixture
def store(landing: Landing) -> Landing:
    """A history partition and a day after it, of all entities."""
    landing.write_store(FIRST, 2)
    landing.write_optional(FIRST)
    landing.write_optional(DT)
    return landing


def test_all_entities_are_loaded(home: Home, store: Landing) -> None:
    store.write_optional(DT, form="csv.gz")
    results = run_steps(home, NIGHT)
    optional = {entity.name: 4 for entity in OPTIONAL}
    assert {name: rows for name, rows in results["load"]["rows"].items() if name in optional} == optional
    assert results["validate_incoming"]["left_out"] == {}
    assert list(results["load"]["rows"]) == list(ENTITIES)
    for entity in OPTIONAL:
        known = {str(row["known_at"]) for row in raw(home, entity.name)}
        assert known == {"2011-10-04 00:00:00", "2011-10-05 00:00:00"}, entity.name
        assert entity.name not in results["validate_incoming"]["quarantined"]


def test_entities_that_were_never_delivered_are_empty_tables(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 2)
    (landing.root / "refunds").mkdir()
    results = run_steps(home, NIGHT)
    assert results["validate_incoming"]["left_out"] == {}
    assert all(raw(home, entity.name) == [] for entity in OPTIONAL)
    assert "refunds: no entity of the contract, ignored" in results["collect"]["warnings"][0]


@pytest.mark.parametrize("entity", OPTIONAL_ROWS)
def test_a_faulty_partition_is_left_out_and_collected_when_fixed(home: Home, store: Landing, entity: str) -> None:
    store.write_bytes(entity, DT, b"")
    results = run_steps(home, NIGHT)
    said = f"{entity} {DT}: readable: part-0.csv has no bytes"
    assert results["validate_incoming"]["left_out"] == {entity: said}
    assert {row["dt"] for row in raw(home, entity)} == {FIRST}
    assert (entity, DT) not in {(row["entity"], row["dt"]) for row in home.records.rows(sa.select(partitions))}
    assert run_steps(home, NIGHT + DAY)["validate_incoming"]["left_out"] == {entity: said}
    store.write_optional(DT)
    results = run_steps(home, NIGHT + 2 * DAY)
    assert results["validate_incoming"]["left_out"] == {}
    assert results["load"]["rows"][entity] == 2
    assert {str(row["known_at"].date()) for row in raw(home, entity) if row["dt"] == DT} == {str(NIGHT + 2 * DAY)}


def test_a_missing_column_leaves_out_and_the_rest_of_the_entity_stays(home: Home, store: Landing) -> None:
    store.write_bytes("payments", DT, b"payment_id,order_id,paid_at,method\n")
    result = run_steps(home, NIGHT)["validate_incoming"]
    assert result["left_out"] == {"payments": f"payments {DT}: columns: amount missing in part-0.csv"}
    assert result["accepted"]["payments"] == 2


def test_a_required_fault_stops_beside_a_left_out_one(home: Home, store: Landing) -> None:
    store.write_bytes("payments", DT, b"")
    store.write_bytes("orders", DT, b"")
    with pytest.raises(IncomingFault) as fault:
        run_steps(home, NIGHT)
    assert "what came in has 1 fault:" in str(fault.value)
    assert "payments" not in str(fault.value)


def test_a_share_of_bad_rows_is_left_out_until_it_is_accepted(home: Home, store: Landing) -> None:
    events = [event(str(n), DT, kind="stare" if n < 3 else "view") for n in range(20)]
    store.write("events", DT, events)
    result = run_steps(home, NIGHT)["validate_incoming"]
    assert "allowed(kind): 3 rows (15.0%)" in result["left_out"]["events"]
    assert result["quarantined"] == {}
    assert home.records.rows(sa.select(quarantine_counts)) == []
    assert quarantine_rows(home).num_rows == 3
    accept(home, "events", DT, "the shop's new page")
    result = run_steps(home, NIGHT + DAY)["validate_incoming"]
    assert (result["left_out"], result["quarantined"], result["accepted"]["events"]) == ({}, {"events": 3}, 17)
    assert quarantine_rows(home).num_rows == 3


def test_rows_of_optional_entities_go_to_quarantine(home: Home, store: Landing) -> None:
    store.write("stock_levels", DT, [stock_level("p1", DT), stock_level("p2", DT + DAY), stock_level("p1", FIRST)])
    store.write("chargebacks", DT, [chargeback("x", DT), chargeback("x", DT, reason="other"), chargeback("y", DT)])
    result = run_steps(home, NIGHT)["validate_incoming"]
    assert result["quarantined"] == {"chargebacks": 2, "stock_levels": 1}
    reasons = {(row["entity"], row["key"]): row["rule"] for row in quarantine_rows(home).to_pylist()}
    assert reasons == {
        ("stock_levels", f"p2 {NIGHT}"): "not_in_future(as_of_date)",
        ("chargebacks", "x"): "unique(payment_id)",
    }
    assert [(row["product_id"], row["as_of_date"]) for row in raw(home, "stock_levels") if row["dt"] == DT] == [
        ("p1", FIRST),
        ("p1", DT),
    ]


def test_a_retry_and_an_older_night_say_the_same(home: Home, store: Landing) -> None:
    store.write_bytes("payments", DT, b"")
    results = run_steps(home, NIGHT)
    assert validate_incoming(home, NIGHT) == results["validate_incoming"]
    assert load(home, NIGHT) == results["load"]
    store.write("payments", DT, [payment("x", DT)])
    run_steps(home, NIGHT + DAY)
    again = run_steps(home, NIGHT)["validate_incoming"]
    assert again["why"]
    assert again["left_out"] == results["validate_incoming"]["left_out"]
