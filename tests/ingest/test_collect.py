from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pipelines.errors import IncomingFault
from pipelines.home import Home
from pipelines.ingest import collect as module
from pipelines.ingest.collect import collect
from pipelines.ingest.manifest import ALWAYS, Entry, Manifest, need_manifest
from pipelines.records import clock, nights, partitions, releases
from pipelines.storage import Storage
from tests.landing import DAY, Landing, line, order, product

FIRST = date(2011, 10, 3)
NIGHT = date(2011, 10, 6)


def collected(home: Home, as_of: date = NIGHT) -> Manifest:
    collect(home, as_of)
    return need_manifest(home.storage, as_of)


def pretend_loaded(home: Home, as_of: date) -> None:
    """Record what load would: the night has loaded what its manifest lists."""
    rows = [
        {
            **{name: getattr(entry, name) for name in ("entity", "dt", "content_digest", "fingerprint", "rows")},
            **{"loaded_as_of": as_of, "known_at": as_of, "is_history": entry.is_history, "is_late": entry.is_late},
            "bad_rows": 0,
        }
        for entry in need_manifest(home.storage, as_of).partitions
    ]
    home.records.replace(partitions, rows, partitions.c.loaded_as_of == as_of)
    with home.records.begin() as connection:
        connection.execute(sa.update(nights).where(nights.c.as_of == as_of).values(loaded_at=clock()))


def pretend_published(home: Home, as_of: date) -> None:
    row: dict[str, Any] = {"release_id": "r", "as_of": as_of, "published_at": clock(), "attempt": 1}
    empty: dict[str, Any] = {name: {} for name in ("rows", "model_versions", "snapshot_digests", "skipped")}
    row |= empty | {"status": "published", "inputs_digest": ""}
    home.records.replace(releases, [row], releases.c.as_of == as_of)


def entry_of(manifest: Manifest, entity: str, dt: date) -> Entry:
    (entry,) = [entry for entry in manifest.partitions if (entry.entity, entry.dt) == (entity, dt)]
    return entry


def test_csv_and_gzip_csv_give_what_parquet_gives(home: Home, landing: Landing) -> None:
    digests = []
    for form in ("parquet", "csv", "csv.gz"):
        landing.write_store(FIRST, 3, form=form)
        digests.append([entry.content_digest for entry in collected(home).partitions])
    assert None not in digests[0]
    assert digests[0] == digests[1] == digests[2]


def test_the_order_of_rows_and_files_does_not_matter(home: Home, landing: Landing) -> None:
    landing.write("orders", FIRST, [order("1", FIRST), order("2", FIRST)])
    before = collected(home).partitions[0].content_digest
    landing.write("orders", FIRST, [order("2", FIRST)])
    landing.add("orders", FIRST, [order("1", FIRST)], form="csv", name="part-1")
    assert collected(home).partitions[0].content_digest == before


def test_a_partition_without_success_does_not_count(home: Home, landing: Landing) -> None:
    landing.write("orders", FIRST, [order("1", FIRST)], success=False)
    result = collect(home, NIGHT)
    assert (result["partitions"], result["incomplete"]) == (0, [f"orders {FIRST}"])


def test_only_days_before_the_night_are_collected(home: Home, landing: Landing) -> None:
    landing.write_store(NIGHT - DAY, 2)
    assert {entry.dt for entry in collected(home).partitions} == {NIGHT - DAY}


def test_a_partition_without_files_or_rows_is_empty(home: Home, landing: Landing) -> None:
    (landing.folder("orders", FIRST)).mkdir(parents=True)
    (landing.folder("orders", FIRST) / "_SUCCESS").touch()
    landing.write("order_lines", FIRST, [])
    assert [(entry.rows, entry.fault) for entry in collected(home).partitions] == [(0, None), (0, None)]


def test_times_of_the_history_partition_and_of_those_after(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 2)
    manifest = collected(home)
    known = {(entry.entity, entry.dt): (entry.is_history, entry.known_at) for entry in manifest.partitions}
    assert known[("customers", FIRST)] == known[("products", FIRST)] == (True, ALWAYS)
    assert known[("orders", FIRST)] == known[("order_lines", FIRST)] == (True, None)
    assert known[("orders", FIRST + DAY)] == (False, FIRST + 2 * DAY)


def test_a_late_partition_is_known_on_the_night_that_loads_it(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 3)
    collect(home, NIGHT)
    pretend_loaded(home, NIGHT)
    landing.write("orders", NIGHT - DAY, [order("late", FIRST)])
    landing.write("orders", NIGHT, [order("on time", FIRST)])
    manifest = collected(home, NIGHT + DAY)
    assert [(entry.dt, entry.is_late, entry.known_at) for entry in manifest.partitions] == [
        (NIGHT - DAY, True, NIGHT + DAY),
        (NIGHT, False, NIGHT + DAY),
    ]


def test_missed_nights_are_made_up_as_they_would_have_been(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    collect(home, FIRST + DAY)
    pretend_loaded(home, FIRST + DAY)
    for days in (1, 2):
        landing.write_orders(FIRST + days * DAY, 1)
    manifest = collected(home, FIRST + 3 * DAY)
    assert {(entry.dt, entry.is_late, entry.known_at) for entry in manifest.partitions} == {
        (FIRST + DAY, False, FIRST + 2 * DAY),
        (FIRST + 2 * DAY, False, FIRST + 3 * DAY),
    }


def test_the_same_content_again_changes_nothing(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    collect(home, NIGHT)
    pretend_loaded(home, NIGHT)
    landing.write("orders", FIRST, [order(f"{FIRST:%y%m%d}-{number}", FIRST) for number in range(5)], form="csv")
    assert collected(home, NIGHT + DAY).partitions == ()
    module._read = _must_not_read  # type: ignore[assignment]
    assert collected(home, NIGHT + DAY).partitions == ()


def _must_not_read(*_: object) -> Entry:
    raise AssertionError("files that have not changed were read")


@pytest.fixture(autouse=True)
def _restore_read() -> Any:
    read: Callable[..., Entry] = module._read
    yield
    module._read = read


def test_other_content_is_a_new_version(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    collect(home, NIGHT)
    pretend_loaded(home, NIGHT)
    landing.write("orders", FIRST, [order("1", FIRST, status="cancelled")])
    (entry,) = collected(home, NIGHT + DAY).partitions
    assert (entry.is_history, entry.is_late, entry.known_at) == (False, True, NIGHT + DAY)


def test_a_retry_reads_only_what_has_changed(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 2)
    before = collected(home)
    entry = entry_of(before, "orders", FIRST)
    home.storage.path(str(entry.key)).write_bytes(b"half a file")
    landing.write("orders", FIRST + DAY, [order("new", FIRST)])
    read: list[tuple[str, date]] = []
    original = module._read
    module._read = lambda *given: read.append((given[3].entity, given[3].dt)) or original(*given)  # type: ignore
    after = collected(home)
    assert read == [("orders", FIRST), ("orders", FIRST + DAY)]
    assert entry_of(after, "orders", FIRST) == entry


def test_an_older_or_a_published_night_collects_nothing(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    collect(home, NIGHT)
    pretend_loaded(home, NIGHT)
    assert "newer night of 2011-10-06" in collect(home, NIGHT - DAY)["why"]
    assert need_manifest(home.storage, NIGHT - DAY).partitions == ()
    assert collect(home, NIGHT)["partitions"] == 4  # not published yet
    pretend_published(home, NIGHT)
    result = collect(home, NIGHT)
    assert result["partitions"] == 0
    assert "is published" in result["why"]


def test_each_collect_begins_an_attempt_and_keeps_that_the_night_has_loaded(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    collect(home, NIGHT)
    pretend_loaded(home, NIGHT)
    collect(home, NIGHT)
    row = home.records.first(sa.select(nights))
    assert row is not None
    assert row["attempt"] == 2
    assert row["loaded_at"] is not None


def test_landing_zone_gone(home: Home, landing: Landing) -> None:
    landing.root.rmdir()
    with pytest.raises(IncomingFault, match="is not there"):
        collect(home, NIGHT)


def test_a_kill_before_the_manifest_leaves_nothing_that_a_retry_trips_over(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.write_store(FIRST, 2)
    wanted = collected(home)
    home.storage.remove("incoming")
    calls = iter(range(3))
    put = Storage.put_table

    def die_at_the_third(storage: Storage, key: str, table: Any) -> str:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return put(storage, key, table)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Storage, "put_table", die_at_the_third)
        collect(home, NIGHT)
    assert not home.storage.exists(f"incoming/{NIGHT}/manifest.json")
    assert collected(home) == wanted


def test_extra_columns_are_ignored_with_a_warning(home: Home, landing: Landing) -> None:
    rows = [{**order("1", FIRST), "note": "x"}]
    landing.write_bytes("orders", FIRST, _csv(rows), "part-0.csv")
    result = collect(home, NIGHT)
    assert result["warnings"] == [f"orders {FIRST}: columns that the contract lacks are ignored: note"]


def _csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


def test_products_and_lines_keep_their_types(home: Home, landing: Landing) -> None:
    landing.write("products", FIRST, [product("p1", FIRST)], form="csv")
    landing.write("order_lines", FIRST, [line("1")], form="csv")
    names = {entry.entity: str(entry.key) for entry in collected(home).partitions}
    assert pq.read_schema(home.storage.path(names["products"])).field("is_active").type == "bool"
    assert str(pq.read_schema(home.storage.path(names["order_lines"])).field("unit_price").type) == "decimal128(18, 4)"


def test_files_written_to_while_they_are_read(home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.write("orders", FIRST, [order("1", FIRST)])
    read = module.read_partition

    def read_slowly(*given: Any) -> Any:
        found = read(*given)
        landing.write("orders", FIRST, [order("1", FIRST), order("2", FIRST)])
        return found

    monkeypatch.setattr(module, "read_partition", read_slowly)
    (entry,) = collected(home).partitions
    assert entry.fault == {"rule": "readable", "column": None, "text": "its files were written to while they were read"}
