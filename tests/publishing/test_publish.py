"""Readers see one release or the next, whatever dies, fills up or comes at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pipelines.catalog import DATASETS, PUBLISHED, RECORD_TABLES
from pipelines.errors import Busy, NightcartError, NothingToDo, StorageFault, UsageFault
from pipelines.home import PROJECT, Home
from pipelines.publishing import publish as module
from pipelines.publishing.publish import export, publish, query, rollback
from pipelines.records import nights, pointer, quarantine_counts, releases
from pipelines.settings import Settings
from tests.publishing.generators import AS_OF, HORIZON, TOP_K, begin, publish_night, quarantine, ready_night

NEXT, BEFORE = AS_OF + timedelta(days=1), AS_OF - timedelta(days=1)
SCRIPT = """
import os, resource, signal, sys
from datetime import date
from pathlib import Path
sys.path.insert(0, {project!r})
from pipelines.errors import NightcartError
from pipelines.publishing import publish as module
from tests.publishing.generators import home_in
{before}
try:
    module.publish(home_in(Path({root!r})), date({as_of.year}, {as_of.month}, {as_of.day}))
except NightcartError as error:
    print(type(error).__name__, error, "|", error.hint)
"""


def current(home: Home) -> str:
    """The release that readers see."""
    found = query(home, "select distinct release_id from demand_forecasts")["release_id"].to_pylist()
    assert len(found) == 1
    return str(found[0])


def elsewhere(home: Home, as_of: date, before: str) -> subprocess.CompletedProcess[str]:
    """Publish in another process, after some lines of Python."""
    script = SCRIPT.format(project=str(PROJECT), before=before, root=str(home.root), as_of=as_of)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)


def test_every_table_of_the_catalogue_is_published_as_it_is_typed(home: Home, tmp_path: Path) -> None:
    published = publish_night(home)
    assert published["is_current"]
    result = export(home, tmp_path / "out")
    assert result["release_id"] == published["release_id"]
    for dataset in PUBLISHED:
        table = pq.read_table(tmp_path / "out" / f"{dataset.name}.parquet")
        is_record = dataset in RECORD_TABLES
        names = dataset.column_names + ([] if is_record else ["release_id", "as_of"])
        assert table.column_names == names
        assert [table.schema.field(name).type for name in dataset.column_names] == dataset.schema.types
        assert table.num_rows == result["tables"][dataset.name]
        if not is_record:
            assert set(table["release_id"].to_pylist()) <= {published["release_id"]}
            assert set(table["as_of"].to_pylist()) <= {AS_OF}
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(f"{d.name}.parquet" for d in PUBLISHED)


def test_what_is_skipped_is_there_typed_and_empty(home: Home) -> None:
    skip = {"risk": "no champion", "reorder_plan": "no stock"}  # an output, and a single table of another
    publish_night(home, skip=skip)
    for name in ("risk_flags", "reorder_plan"):
        table, dataset = query(home, f"select * from {name}"), DATASETS[name]
        assert table.num_rows == 0
        assert table.select(dataset.column_names).schema.types == dataset.schema.types
    assert query(home, "select * from demand_forecasts").num_rows > 0
    assert json.loads(query(home, "select skipped from releases")["skipped"][0].as_py()) == skip


def test_quarantine_is_summed_by_entity_rule_and_night_up_to_the_release(home: Home) -> None:
    days = [date(2011, 10, 30), date(2011, 10, 31)]
    rows = [{"rule": "negative", "rows": 2, "dt": day, "night": AS_OF} for day in days]
    quarantine(home, [*rows, {"rule": "negative", "rows": 5, "dt": AS_OF, "night": NEXT}])
    publish_night(home)
    assert query(home, "select * from quarantine_counts").to_pylist() == [
        {"entity": "orders", "rule": "negative", "night": AS_OF, "rows": 4}
    ]
    assert len(home.records.rows(sa.select(quarantine_counts))) == 3


def test_a_second_time_gives_the_same_release_byte_for_byte(home: Home) -> None:
    first = publish_night(home)
    manifest = home.storage.path(f"releases/{first['release_id']}/release.json").read_bytes()
    rows = query(home, "select * from releases").to_pylist()
    assert publish(home, AS_OF) == first
    assert home.storage.path(f"releases/{first['release_id']}/release.json").read_bytes() == manifest
    assert query(home, "select * from releases").to_pylist() == rows


def test_what_was_not_audited_is_not_published(home: Home) -> None:
    release_id = ready_night(home)
    file = home.storage.path(f"releases/{release_id}/demand_forecasts.parquet")
    home.storage.put_table(f"releases/{release_id}/demand_forecasts.parquet", pq.read_table(file).slice(1))
    with pytest.raises(NightcartError, match="is not what passed the audit"):
        publish(home, AS_OF)
    with pytest.raises(NothingToDo):
        query(home, "select 1")


def test_a_newer_attempt_leaves_the_older_one_without_effect(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = publish_night(home)["release_id"]
    ready_night(home, NEXT)
    checked = module.checked_files

    def overtaken(*arguments: Any) -> Any:
        begin(home, NEXT, attempt=2)
        return checked(*arguments)

    monkeypatch.setattr(module, "checked_files", overtaken)
    with pytest.raises(Busy, match="attempt 1 at the night of 2011-11-02 was overtaken by attempt 2"):
        publish(home, NEXT)
    assert current(home) == before
    assert [row["release_id"] for row in home.records.rows(sa.select(releases))] == [before]
    monkeypatch.undo()
    assert publish(home, NEXT)["is_current"]


def test_a_backfill_publishes_without_moving_the_current_release(home: Home) -> None:
    newer = publish_night(home)["release_id"]
    older = publish_night(home, BEFORE)
    assert not older["is_current"]
    assert current(home) == newer
    found = query(home, "select release_id, status from releases order by as_of").to_pylist()
    assert [row["status"] for row in found] == ["superseded", "published"]


def test_a_rollback_shows_the_older_release_until_a_newer_night(home: Home) -> None:
    first, second = (publish_night(home, day)["release_id"] for day in (AS_OF, NEXT))
    assert rollback(home, first) == {"release_id": first, "was": second, "is_rollback": True}
    assert current(home) == first
    assert (
        query(home, f"select status from releases where release_id = '{second}'")["status"][0].as_py() == "rolled_back"
    )
    publish_night(home, BEFORE)
    assert current(home) == first
    third = publish_night(home, NEXT + timedelta(days=1))["release_id"]
    assert current(home) == third
    found = home.records.first(sa.select(pointer))
    assert found is not None
    assert not found["is_rollback"]


def test_a_rollback_needs_a_release_whose_files_are_whole(home: Home) -> None:
    first, second = (publish_night(home, day)["release_id"] for day in (AS_OF, NEXT))
    with pytest.raises(UsageFault, match="no release 2011-01-01-00000000") as caught:
        rollback(home, "2011-01-01-00000000")
    assert f"the latest are {second}, {first}" in caught.value.hint
    file = home.storage.path(f"releases/{first}/recommendations.parquet")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"?")
    with pytest.raises(StorageFault, match=r"recommendations\.parquet has SHA-256"):
        rollback(home, first)
    file.unlink()
    with pytest.raises(StorageFault, match=r"recommendations\.parquet is not in"):
        rollback(home, first)
    home.storage.path(f"releases/{first}/release.json").write_text("{")
    with pytest.raises(StorageFault, match="is not JSON"):
        rollback(home, first)
    assert current(home) == second


def test_a_rollback_to_the_current_release_writes_a_lost_file_anew(home: Home) -> None:
    release_id = publish_night(home)["release_id"]
    next(home.root.glob("*.duckdb")).write_bytes(b"not a database")
    with pytest.raises(StorageFault, match="cannot read"):
        query(home, "select 1")
    assert not rollback(home, release_id)["is_rollback"]
    assert current(home) == release_id


@pytest.mark.parametrize(("moment", "seen"), [("_record", NEXT), ("_refuse_if_superseded", AS_OF)])
def test_a_kill_is_repaired_by_a_retry(home: Home, moment: str, seen: date) -> None:
    publish_night(home)
    release_id = ready_night(home, NEXT)
    before = f"module.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    assert elsewhere(home, NEXT, before).returncode == -9
    assert current(home).startswith(str(seen)), "readers see one release or the other"
    assert publish(home, NEXT)["release_id"] == release_id == current(home)
    assert query(home, "select status from releases order by as_of")["status"].to_pylist() == [
        "superseded",
        "published",
    ]
    assert not list(home.root.glob("*.next*"))


def test_a_full_disk_leaves_yesterdays_release_readable(home: Home) -> None:
    before = publish_night(home)["release_id"]
    release_id = ready_night(home, NEXT)
    found = elsewhere(home, NEXT, "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))")
    assert found.stdout.startswith("NightcartError could not build"), found.stdout + found.stderr
    assert "the release before it is still the one readers see; if the disk is full make room" in found.stdout
    assert current(home) == before
    assert publish(home, NEXT)["release_id"] == release_id == current(home)


def test_records_that_cannot_be_written_are_brought_into_line_by_a_retry(home: Home) -> None:
    before = publish_night(home)["release_id"]
    release_id = ready_night(home, NEXT)
    engine = home.records.engine

    def refuse(connection: sa.Connection) -> None:
        connection.exec_driver_sql("pragma query_only = on")

    sa.event.listen(engine, "begin", refuse)
    with pytest.raises(NightcartError, match=f"readers see release {release_id}, but the records could not be written"):
        publish(home, NEXT)
    sa.event.remove(engine, "begin", refuse)
    engine.dispose()
    recorded = home.records.current_release()
    assert recorded is not None
    assert recorded["release_id"] == before
    assert publish(home, NEXT)["release_id"] == release_id == current(home)


def test_two_at_once_do_no_damage(home: Home) -> None:
    days = [AS_OF + timedelta(days=number) for number in range(4)]
    ids = {day: ready_night(home, day) for day in days}
    homes = [replace(home) for _ in days]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, homes, days))
    assert current(home) == ids[days[-1]]
    assert query(home, "select count(*) as n from releases where status = 'published'")["n"][0].as_py() == 1
    assert query(home, "select count(*) as n from releases")["n"][0].as_py() == 4


def test_of_one_night_what_was_published_last_is_current(home: Home) -> None:
    first = publish_night(home)["release_id"]
    sections = {"recommendations": {"top_k": TOP_K}, "demand": {"horizon": HORIZON}, "compute": {"threads": 1}}
    settings = Settings(**sections, gate={"minimum_effect": 0.1})  # type: ignore[arg-type]
    second = publish_night(replace(home, settings=settings))["release_id"]
    assert first != second
    assert current(home) == second


def test_a_folder_that_cannot_be_written_is_a_usage_fault(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="nothing has been published"):
        export(home, tmp_path / "out")
    publish_night(home)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageFault, match="cannot write into"):
        export(home, tmp_path / "file" / "out")


def test_a_night_without_a_record_publishes_as_attempt_0(home: Home) -> None:
    ready_night(home)
    with home.records.begin() as connection:
        connection.execute(sa.delete(nights))
    publish(home, AS_OF)
    assert query(home, "select attempt from releases")["attempt"][0].as_py() == 0
