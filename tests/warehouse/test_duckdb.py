"""The warehouse's one writing slot."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipelines.errors import Busy
from pipelines.warehouse import Warehouse, duckdb, open_warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse in a folder of its own."""
    return open_warehouse(str(tmp_path / "deep" / "warehouse.duckdb"), tmp_path, 1)


def test_what_a_session_wrote_the_next_one_reads(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("create table rows as select ? as n", [1])
    with warehouse.session() as session:
        assert session.read("select * from rows").to_pylist() == [{"n": 1}]


def test_sessions_take_turns(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("create table rows (n integer)")

    def write(number: int) -> None:
        with warehouse.session() as session:
            before = session.read("select count(*) as n from rows")["n"][0].as_py()
            session.execute("insert into rows values (?)", [before])

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with warehouse.session() as session:
        assert session.read("select n from rows order by n")["n"].to_pylist() == [0, 1, 2, 3]


def test_a_slot_that_stays_taken_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "WAIT_SECONDS", 0.05)
    first, second = (open_warehouse(str(tmp_path / "warehouse.duckdb"), tmp_path, 1) for _ in range(2))
    with first.slot(), pytest.raises(Busy, match="another process has"), second.slot():
        pass
    with second.slot():
        pass
