"""Nights in any order give the same tables; and whole nights are what the analyst reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.home import Home
from pipelines.publishing.publish import query
from pipelines.records import champions, releases
from tests.nights.conftest import walk
from tests.nights.store import NIGHTS


def files_of(home: Home) -> dict[str, bytes]:
    """Every file of every release, by key."""
    return {key: home.storage.path(key).read_bytes() for key in home.storage.keys("releases")}


def decisions_of(home: Home) -> list[tuple[object, ...]]:
    columns = (champions.c.output, champions.c.model_version, champions.c.effective_from, champions.c.reason)
    return [tuple(row.values()) for row in home.records.rows(sa.select(*columns).order_by(champions.c.output))]


def test_five_nights_forward_and_reversed(tmp_path: Path, enter: Callable[[Path], Home]) -> None:
    forward = enter(tmp_path / "forward")
    for as_of in NIGHTS:
        walk(as_of)
    current = query(forward, "select distinct as_of from demand_forecasts").to_pylist()
    assert current == [{"as_of": NIGHTS[-1]}]

    backward = enter(tmp_path / "backward")
    for as_of in reversed(NIGHTS):
        walk(as_of, earliest=NIGHTS[0])
    assert query(backward, "select distinct as_of from demand_forecasts").to_pylist() == current

    assert files_of(forward).keys() == files_of(backward).keys()
    assert files_of(forward) == files_of(backward)
    assert decisions_of(forward) == decisions_of(backward)
    published = [row["as_of"] for row in forward.records.rows(sa.select(releases.c.as_of).order_by(releases.c.as_of))]
    assert published == NIGHTS


def test_a_cancelled_order_and_a_corrected_line_are_seen_from_their_night_on(
    tmp_path: Path, enter: Callable[[Path], Home]
) -> None:
    """The day before NIGHTS[0] - 1 loses an order and gains five units on the night that this is known."""
    home = enter(tmp_path / "home")
    units = []
    for as_of in NIGHTS[:2]:
        walk(as_of)
        day = f"date '{NIGHTS[0]}' - interval '1 day'"
        rows = query(home, f"select sum(units) as units, sum(order_lines) as n from fct_daily_sales where day = {day}")
        units.append(rows.to_pylist()[0])
    assert units[1]["n"] < units[0]["n"]  # the cancelled order's lines are gone
    assert units[1] != units[0]


def test_every_published_row_carries_its_release(tmp_path: Path, enter: Callable[[Path], Home]) -> None:
    home = enter(tmp_path / "home")
    walk(NIGHTS[0])
    release = home.records.current_release()
    assert release is not None
    for table, rows in release["rows"].items():
        sql = f"select count(*) as n, min(release_id) as id, min(as_of) as as_of from {table}"
        assert query(home, sql).to_pylist() == [{"n": rows, "id": release["release_id"], "as_of": NIGHTS[0]}]
    forecasts = pq.read_table(home.storage.path(f"releases/{release['release_id']}/demand_forecasts.parquet"))
    assert forecasts.num_rows == 12 * 2
