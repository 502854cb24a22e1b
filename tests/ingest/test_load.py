from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.contract import ENTITIES, META
from pipelines.errors import Busy
from pipelines.home import Home
from pipelines.ingest import load as module
from pipelines.ingest.collect import collect
from pipelines.ingest.manifest import need_manifest
from pipelines.records import nights, partitions
from pipelines.validate.validate import validate_incoming
from tests.landing import DAY, Landing, at, customer, line, order, product, raw, run_steps

FIRST = date(2011, 10, 3)
NIGHT = FIRST + 2 * DAY


def known_days(home: Home, entity: str, key: str) -> dict[str, str]:
    return {row[key]: str(row["known_at"].date()) for row in raw(home, entity)}


def test_when_rows_of_the_history_partition_are_known(home: Home, landing: Landing) -> None:
    landing.write("customers", FIRST, [customer("c1", FIRST - 9 * DAY)])
    landing.write("products", FIRST, [product("p1", FIRST - 9 * DAY)])
    old, early = order("old", FIRST - 5 * DAY), order("early", FIRST, ordered_at=at(FIRST, 0))
    landing.write("orders", FIRST, [old, early])
    landing.write("orders", FIRST + DAY, [old | {"status": "cancelled"}, order("later", FIRST - 3 * DAY)])
    landing.write("order_lines", FIRST, [line("old"), line("early"), line("later"), line("never")])
    landing.write("order_lines", FIRST + DAY, [line("old", 2)])
    run_steps(home, NIGHT)
    assert known_days(home, "customers", "customer_id") == {"c1": "1970-01-01"}
    assert known_days(home, "products", "product_id") == {"p1": "1970-01-01"}
    orders = {(row["order_id"], row["dt"]): str(row["known_at"].date()) for row in raw(home, "orders")}
    assert orders == {
        ("old", FIRST): "2011-09-29",
        ("early", FIRST): "2011-10-04",
        ("old", FIRST + DAY): "2011-10-05",
        ("later", FIRST + DAY): "2011-10-05",
    }
    lines = {(row["order_id"], row["dt"]): str(row["known_at"].date()) for row in raw(home, "order_lines")}
    assert lines == {
        ("old", FIRST): "2011-09-29",
        ("early", FIRST): "2011-10-04",
        ("later", FIRST): "2011-10-04",  # its order came after it: the day after its own dt
        ("never", FIRST): "2011-10-04",
        ("old", FIRST + DAY): "2011-10-05",
    }


def test_all_tables_are_there_and_typed(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    run_steps(home, NIGHT)
    with home.warehouse.session() as session:
        for entity in ENTITIES.values():
            found = session.read(f"select * from raw.{entity.name} limit 0").schema
            assert found.names == [*entity.column_names, *META.names]
            assert [str(found.field(name).type) for name in META.names] == [
                "date32[day]",
                "timestamp[us]",
                "date32[day]",
            ]


def test_other_content_is_added_and_what_an_earlier_night_saw_stays(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 1)
    run_steps(home, NIGHT)
    before = raw(home, "orders")
    landing.write("orders", FIRST, [order(row["order_id"], FIRST, status="cancelled") for row in before])
    run_steps(home, NIGHT + DAY)
    after = raw(home, "orders")
    assert [row for row in after if row["loaded_as_of"] == NIGHT] == before
    added = [row for row in after if row["loaded_as_of"] == NIGHT + DAY]
    assert {(row["status"], row["dt"], row["known_at"].date()) for row in added} == {("cancelled", FIRST, NIGHT + DAY)}


def test_a_kill_between_warehouse_and_records(home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.write_store(FIRST, 2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "_record", _die)
        run_steps(home, NIGHT)
    assert home.records.newest_loaded_night() is None
    assert len(raw(home, "orders")) == 10
    run_steps(home, NIGHT + DAY)  # the next night takes over what was never recorded
    assert {row["loaded_as_of"] for row in raw(home, "orders")} == {NIGHT + DAY}
    assert len(raw(home, "orders")) == 10


def test_a_kill_within_the_transaction_loads_nothing(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.write_store(FIRST, 2)
    run_steps(home, FIRST + DAY)
    before = raw(home, "orders")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        append = module._append
        patch.setattr(module, "_append", lambda *given: _die() if given[3].name == "products" else append(*given))
        run_steps(home, NIGHT)
    assert raw(home, "orders") == before
    run_steps(home, NIGHT)
    assert len(raw(home, "orders")) == 10


def _die(*_: object) -> Any:
    raise KeyboardInterrupt


def test_a_retry_loads_the_same_again(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 2)
    run_steps(home, NIGHT)
    before = {name: raw(home, name) for name in ENTITIES}
    ledger = home.records.rows(sa.select(partitions))
    run_steps(home, NIGHT)
    assert {name: raw(home, name) for name in ENTITIES} == before
    assert home.records.rows(sa.select(partitions)) == ledger
    assert [row["attempt"] for row in home.records.rows(sa.select(nights))] == [2]


def test_a_partition_taken_away_before_a_retry_is_not_loaded(home: Home, landing: Landing) -> None:
    landing.write_store(FIRST, 2)
    run_steps(home, NIGHT)
    for entity in ("orders", "order_lines"):
        (landing.folder(entity, FIRST + DAY) / "_SUCCESS").unlink()
    run_steps(home, NIGHT)
    assert {row["dt"] for row in raw(home, "orders")} == {FIRST}
    assert {row["dt"] for row in home.records.rows(sa.select(partitions))} == {FIRST}


def test_nights_in_order_load_what_one_night_loads(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    landing.write_store(FIRST, 3)
    landing.write("orders", FIRST + DAY, [order(f"{FIRST:%y%m%d}-0", FIRST, status="cancelled")])
    for back in range(1, 4):
        run_steps(home, FIRST + back * DAY)
    monkeypatch.setenv("NIGHTCART_HOME", str(tmp_path / "fresh"))
    monkeypatch.setenv("NIGHTCART__PRIVACY__KEY_FILE", str(home.root / "key"))
    fresh = Home.open()
    run_steps(fresh, FIRST + 3 * DAY)
    assert run_steps(fresh, FIRST + DAY)["load"]["why"]
    for name in ENTITIES:
        in_order, at_once = ([row | {"loaded_as_of": None} for row in raw(one, name)] for one in (home, fresh))
        assert in_order == at_once


@pytest.mark.parametrize("is_older_first", [True, False])
def test_two_nights_at_once_load_nothing_twice(home: Home, landing: Landing, is_older_first: bool) -> None:
    """Both collect before either loads; what the night before saw of a changed partition stays as it was."""
    landing.write_store(FIRST, 2)
    for step in (collect, validate_incoming):
        step(home, NIGHT)
    landing.write_store(FIRST, 3)
    changed = order(f"{FIRST:%y%m%d}-0", FIRST, status="cancelled")
    landing.write("orders", FIRST + 2 * DAY, [changed])
    for step in (collect, validate_incoming):
        step(home, NIGHT + DAY)
    pair = [NIGHT, NIGHT + DAY] if is_older_first else [NIGHT + DAY, NIGHT]
    said = [module.load(home, as_of) for as_of in pair]
    assert bool(said[1]["why"]) is not is_older_first
    loaded = [(row["entity"], row["dt"]) for row in home.records.rows(sa.select(partitions))]
    assert len(loaded) == len(set(loaded))
    versions = [(row["order_id"], row["dt"]) for row in raw(home, "orders")]
    assert len(versions) == len(set(versions))
    assert (changed["order_id"], FIRST + 2 * DAY) in versions


def test_a_night_that_loads_while_another_waits_for_it(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.write_store(FIRST, 3)
    for step in (collect, validate_incoming):
        step(home, NIGHT + DAY)
    run_steps(home, NIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(
            module, "_collected", lambda home, as_of: need_manifest(home.storage, as_of)
        )  # it had just looked
        with pytest.raises(Busy, match="another night loaded"):
            module.load(home, NIGHT + DAY)
    module.load(home, NIGHT + DAY)
    assert {row["dt"] for row in raw(home, "orders") if row["loaded_as_of"] == NIGHT + DAY} == {FIRST + 2 * DAY}


def test_what_is_loaded_is_the_landing_zone_whatever_came_when(home: Home, landing: Landing) -> None:
    """Nights with gaps, late and repeated partitions: each content of a partition is loaded exactly once."""
    landing.write_store(FIRST, 1)
    landing.write_orders(FIRST + 2 * DAY, 3)
    run_steps(home, FIRST + 3 * DAY)
    landing.write_orders(FIRST + DAY, 4)  # late
    landing.write_orders(FIRST + 2 * DAY, 3, form="csv")  # the same again
    landing.write_orders(FIRST + 3 * DAY, 2)
    run_steps(home, FIRST + 4 * DAY)
    landing.write_orders(FIRST + DAY, 4, channel="app")  # another version
    run_steps(home, FIRST + 6 * DAY)
    counts: dict[tuple[timedelta, str], int] = {}
    for row in raw(home, "orders"):
        version = (row["dt"] - FIRST, str(row["known_at"].date()))
        counts[version] = counts.get(version, 0) + 1
    assert counts == {
        (timedelta(0), "2011-10-04"): 5,
        (timedelta(1), "2011-10-07"): 4,
        (timedelta(1), "2011-10-09"): 4,
        (timedelta(2), "2011-10-06"): 3,
        (timedelta(3), "2011-10-07"): 2,
    }
