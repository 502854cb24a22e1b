"""No personal value of any entity, in any column or text, reaches a byte of the home."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.contract import ENTITIES, Personal
from pipelines.errors import IncomingFault
from pipelines.home import Home
from pipelines.validate.quarantine import quarantine_rows
from tests.landing import DAY, OPTIONAL_ROWS, Landing, customer, payment, raw, run_steps, ticket_message

FIRST = date(2011, 10, 3)
IN_TEXT = (
    "canary.anna{n}@example.org",
    "+44 7700 9001{n:02d}",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "{n} Canary Street, Canarytown",
)
CANARIES_A_COLUMN = 20


def canary_of(column: str, personal: Personal, n: int) -> str:
    """A value that a column must not let through, and that a text holds."""
    if personal is Personal.TEXT:
        return IN_TEXT[n % len(IN_TEXT)].format(n=n + 10)
    return f"203.0.113.{n + 10}" if column == "ip_address" else f"canary {column} {n:02d}"


def rows_of(entity: str, canaries: dict[str, list[str]], day: date) -> Iterator[dict[str, Any]]:
    """Rows with a canary in each personal column."""
    make = customer if entity == "customers" else OPTIONAL_ROWS[entity]
    columns = [column for column in ENTITIES[entity].delivered.values() if column.personal]
    for n in range(CANARIES_A_COLUMN):
        changes = {}
        for column in columns:
            assert column.personal
            canary = canary_of(column.name, column.personal, n)
            canaries.setdefault(column.name, []).append(canary)
            changes[column.name] = f"Hi, this is {canary}, bye" if column.personal is Personal.TEXT else canary
        yield make(f"{day:%d}-{n}", day, **changes)


def contents(home: Home) -> Iterator[tuple[Path, bytes]]:
    for file in home.root.rglob("*"):
        if file.is_file():
            yield file, file.read_bytes()
            if file.suffix == ".parquet":
                yield file, str(pq.read_table(file).to_pylist()).encode()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_canaries_in_every_personal_column_are_in_no_byte(home: Home, landing: Landing, form: str) -> None:
    landing.write_store(FIRST, 1)
    canaries: dict[str, list[str]] = {}
    personal = [name for name, entity in ENTITIES.items() if any(column.personal for column in entity.columns)]
    for entity in personal:
        landing.write(entity, FIRST, list(rows_of(entity, canaries, FIRST)), form=form)
    assert set(canaries) == {
        *("email", "full_name", "phone", "card_token", "device_id", "ip_address", "subject", "body"),
    }
    results = run_steps(home, FIRST + DAY)
    assert results["load"]["rows"]["ticket_messages"] == CANARIES_A_COLUMN
    with home.warehouse.session() as session:
        loaded = str([session.read(f"select * from raw.{entity}").to_pylist() for entity in personal])
    everything = [*contents(home), (Path("raw"), loaded.encode()), (Path("results"), str(results).encode())]
    every_canary = {canary for values in canaries.values() for canary in values}
    for file, content in everything:
        assert not [canary for canary in every_canary if canary.encode() in content], file


def test_a_faulty_cell_beside_a_person_is_masked(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    head = "payment_id,order_id,paid_at,amount,method,ip_address\n"
    landing.write_bytes("payments", FIRST, f"{head}p1,o1,2011-10-03,canary@example.org,card,203.0.113.9\n".encode())
    results = run_steps(home, FIRST + DAY)
    assert results["validate_incoming"]["quarantined"] == {"payments": 1}
    for file, content in contents(home):
        assert b"canary" not in content, file
        assert b"203.0.113.9" not in content, file


def test_a_shifted_line_leaves_no_person_in_other_columns(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    lines = (
        "customer_id,updated_at,email,full_name,country",
        "c8,2011-10-03,a,b,canary@example.org",  # moved, and each cell can be read
        ",c9,2011-10-03,canary@example.org,Canary Annasson",
        "canary@example.org,Canary Annasson,+44 7700 900123,France,",
    )
    landing.write_bytes("customers", FIRST, "\n".join([*lines, ""]).encode())
    results = run_steps(home, FIRST + DAY)
    assert results["validate_incoming"]["quarantined"] == {"customers": 2}
    assert raw(home, "customers")[0]["country"] == "[email]"
    for file, content in contents(home):
        assert b"canary" not in content.lower(), file
        assert b"900123" not in content, file  # four digits come by chance in a pseudonym, six hardly ever


@pytest.mark.parametrize(("buyer", "shown"), [("", "at noon"), (",buyer", "aa aaaa")])
def test_a_file_with_columns_that_the_contract_lacks_may_hold_persons(
    home: Home, landing: Landing, buyer: str, shown: str
) -> None:
    """A cell that cannot be read is shown as it came, unless it could come from a column that nobody knows."""
    landing.write_store(FIRST, 1)
    head = f"order_id,ordered_at,status,currency{buyer}\n"
    landing.write_bytes("orders", FIRST, f"{head}o1,at noon,paid,GBP{buyer and ',Anna'}\n".encode())
    run_steps(home, FIRST + DAY)
    (reason,) = quarantine_rows(home, "orders")["reason"].to_pylist()
    assert reason == f"ordered_at is '{shown}', expected a timestamp or a date"


def test_prefixes_link_payments_of_one_network(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    addresses = {"a": "198.51.100.7", "b": "198.51.100.8", "c": "198.51.101.7", "d": None, "e": "none"}
    rows = [payment(name, FIRST, ip_address=address) for name, address in addresses.items()]
    for form in ("parquet", "csv"):
        landing.write("payments", FIRST, rows, form=form)
        run_steps(home, FIRST + DAY)
        found = {row["payment_id"]: row["ip_prefix"] for row in raw(home, "payments")}
        assert found["a"] == found["b"] != found["c"]
        assert (found["d"], found["e"]) == (None, None)


def test_a_prefix_that_a_store_delivers_is_ignored(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    landing.write("payments", FIRST, [payment("a", FIRST, ip_prefix="203.0.113")])
    results = run_steps(home, FIRST + DAY)
    assert "columns that the contract lacks are ignored: ip_prefix" in str(results["collect"]["warnings"])
    assert len(str(raw(home, "payments")[0]["ip_prefix"])) == 64


def test_a_message_without_a_body_goes_to_quarantine(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    landing.write("ticket_messages", FIRST, [ticket_message("t", FIRST), ticket_message("t", FIRST, 2, body=None)])
    assert run_steps(home, FIRST + DAY)["validate_incoming"]["quarantined"] == {"ticket_messages": 1}


def test_the_landing_zone_is_still_required(home: Home, landing: Landing) -> None:
    landing.write_optional(FIRST)
    with pytest.raises(IncomingFault, match="customers: delivered"):
        run_steps(home, FIRST + DAY)
