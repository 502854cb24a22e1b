"""Nights in any order give the same tables; and whole nights are what the analyst reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.features.snapshot import Snapshot
from pipelines.home import Home
from pipelines.publishing.publish import query, rollback
from pipelines.records import champions, releases
from tests.nights.conftest import files_of, walk
from tests.nights.store import DAY, NIGHTS, PRODUCTS


def decisions_of(home: Home) -> list[tuple[object, ...]]:
    columns = (champions.c.output, champions.c.model_version, champions.c.effective_from, champions.c.reason)
    return [tuple(row.values()) for row in home.records.rows(sa.select(*columns).order_by(champions.c.output))]


def test_nights_forward_and_reversed(forward: Home, tmp_path: Path, enter: Callable[[Path], Home]) -> None:
    backward = enter(tmp_path / "backward")
    for as_of in reversed(NIGHTS):
        walk(as_of, earliest=NIGHTS[0])

    for home in (forward, backward):
        assert query(home, "select distinct as_of from demand_forecasts").to_pylist() == [{"as_of": NIGHTS[-1]}]
    assert files_of(forward).keys() == files_of(backward).keys()
    assert files_of(forward) == files_of(backward)
    assert decisions_of(forward) == decisions_of(backward)
    published = [row["as_of"] for row in forward.records.rows(sa.select(releases.c.as_of).order_by(releases.c.as_of))]
    assert published == NIGHTS


def test_a_cancelled_order_and_a_corrected_line_are_seen_from_their_night_on(forward: Home) -> None:
    """Each day loses an order, and another line gains five units, on the night after next."""
    lines = []
    for as_of in NIGHTS[:2]:
        snapshot = Snapshot(forward.storage, forward.records.result(as_of, "build_features")["snapshot"])
        sales = snapshot.frame("fct_daily_sales")
        lines.append(sales[sales["day"] == str(NIGHTS[0] - DAY)][["units", "order_lines"]].sum().to_dict())
    assert lines[1]["order_lines"] < lines[0]["order_lines"]
    assert lines[1]["units"] != lines[0]["units"]


def test_every_published_row_carries_its_release(forward: Home) -> None:
    release = forward.records.current_release()
    assert release is not None
    for table, rows in release["rows"].items():
        carried = [{"id": release["release_id"], "as_of": NIGHTS[-1]}] if rows else []
        assert query(forward, f"select distinct release_id as id, as_of from {table}").to_pylist() == carried
        assert query(forward, f"select count(*) as n from {table}").to_pylist() == [{"n": rows}]
    assert release["skipped"] == {}
    assert all(release["rows"].values())
    forecasts = pq.read_table(forward.storage.path(f"releases/{release['release_id']}/demand_forecasts.parquet"))
    assert forecasts.num_rows == PRODUCTS * 2


def test_a_training_is_one_published_decision_with_its_figures(forward: Home) -> None:
    """The first champions: who serves by it is the champion, and the long form has the same figures."""
    decided = query(forward, "select * from decisions order by output").to_pylist()
    assert [row["output"] for row in decided] == sorted(OUTPUTS)
    served = "select output, model_version, effective_from, reason from champions order by output"
    assert query(forward, served).to_pylist() == [
        {name: row[name] for name in ("output", "model_version", "effective_from", "reason")} for row in decided
    ]
    long = "select against, role, segment, metric, gain, ci_low, ci_high from promotions where role <> 'left_out'"
    for row in decided:
        found = query(forward, f"{long} and output = '{row['output']}'").to_pylist()
        told = [{name: one[name] for name in found[0]} for one in json.loads(row["figures"])]
        assert sorted(map(str, told)) == sorted(map(str, found))


def test_a_rollback_holds_until_a_newer_night(forward: Home, tmp_path: Path, enter: Callable[[Path], Home]) -> None:
    shutil.copytree(forward.root, tmp_path / "home")
    home = enter(tmp_path / "home")
    releases_now = home.records.rows(sa.select(releases).order_by(releases.c.as_of))
    older, newest = releases_now[-2], releases_now[-1]
    assert rollback(home, older["release_id"])["was"] == newest["release_id"]
    assert query(home, "select distinct as_of from demand_forecasts").to_pylist() == [{"as_of": older["as_of"]}]
    rollback(home, newest["release_id"])
    assert query(home, "select distinct as_of from demand_forecasts").to_pylist() == [{"as_of": newest["as_of"]}]
