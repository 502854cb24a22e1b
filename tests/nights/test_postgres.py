"""Whole nights on a Postgres server: the files of the releases are those of DuckDB, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.catalog import PUBLISHED
from pipelines.doctor import examine
from pipelines.features.build import BUILD
from pipelines.features.dbt import run_dbt
from pipelines.home import PROJECT, Home
from pipelines.publishing.publish import export, publish, query, rollback
from pipelines.records import pointer, releases
from pipelines.steps import run_step
from tests.nights.conftest import enter_home, files_of, walk
from tests.nights.store import NIGHTS
from tests.nights.test_order import decisions_of
from tests.publishing.generators import AS_OF, VERSIONS, crown, home_in, publish_night, ready_night
from tests.warehouse.postgres_server import PASSWORD, Server, postgres_server

__all__ = ["postgres_server"]
DIE = """
import os, signal, sys
from datetime import date
import pipelines.{module} as module
module._record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from pipelines.steps import run_step
run_step("{name}", date.fromisoformat("{night}"))
"""


@pytest.fixture(scope="module")
def postgres(store: Path, tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Home]:
    """The nights on Postgres; load and publish of the last were killed before they had it on record."""
    url = postgres_server.new_database()
    with pytest.MonkeyPatch.context() as monkeypatch:
        enter_home(tmp_path_factory.mktemp("postgres"), store, monkeypatch)
        monkeypatch.setenv("NIGHTCART_WAREHOUSE", url)
        for as_of in NIGHTS[:-1]:
            walk(as_of)
        for step, module in (("load", "ingest.load"), ("publish", "publishing.publish")):
            before = ["collect", "validate"] if step == "load" else []
            walk(NIGHTS[-1], steps=before or list(_between()))
            killed = die(step, module)
            assert killed.returncode == -9, killed.stderr
            run_step(step, NIGHTS[-1])
        run_step("render_report", NIGHTS[-1])
        yield Home.open()
    postgres_server.drop(url)


def _between() -> Iterator[str]:
    from pipelines.steps import STEPS

    names = list(STEPS)
    yield from names[names.index("build_features") : names.index("publish")]


def die(step: str, module: str) -> subprocess.CompletedProcess[str]:
    """Run a step in another process that is killed once the warehouse has its work, but not the records."""
    script = DIE.format(module=module, name=step, night=NIGHTS[-1])
    return subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False)


def test_the_same_releases_byte_for_byte(forward: Home, postgres: Home) -> None:
    for as_of in NIGHTS:
        results = [home.records.result(as_of, "build_features") for home in (forward, postgres)]
        assert results[0] == results[1], "snapshots have the same digests"
    assert files_of(forward) == files_of(postgres)
    assert decisions_of(forward) == decisions_of(postgres)


def test_the_same_tables_for_the_analyst(forward: Home, postgres: Home, tmp_path: Path) -> None:
    assert export(forward, tmp_path / "d") == export(postgres, tmp_path / "p")
    when = ("published_at", "decided_at")
    for dataset in PUBLISHED:
        names = [name for name in dataset.column_names if name not in when]
        sql = f"select {', '.join(names)} from {dataset.name}"
        found = [query(home, sql) for home in (forward, postgres)]
        assert found[0].schema == found[1].schema, dataset.name
        rows = [sorted(table.to_pylist(), key=str) for table in found]
        assert rows[0] == rows[1], dataset.name


def test_a_rollback_and_the_doctor(postgres: Home) -> None:
    rows = postgres.records.rows(sa.select(releases).order_by(releases.c.as_of))
    for release_id, as_of in ((row["release_id"], row["as_of"]) for row in rows[-2:]):
        rollback(postgres, release_id)
        assert query(postgres, "select distinct as_of from demand_forecasts").to_pylist() == [{"as_of": as_of}]
    assert not (postgres.root / "records.sqlite").exists()
    found = next(finding for finding in examine() if finding.what == "warehouse")
    assert found.found.startswith("Postgres 1")
    assert "the role analyst reads `published` and nothing else" in found.found
    assert PASSWORD not in str(examine())


def test_the_password_lies_nowhere(postgres: Home) -> None:
    secret = PASSWORD.encode()
    assert [file for file in postgres.root.rglob("*") if file.is_file() and secret in file.read_bytes()] == []


def test_a_server_that_is_away_is_a_finding(postgres: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTCART_WAREHOUSE", f"postgresql://u:{PASSWORD}@127.0.0.1:1/shop")
    found = {finding.what: finding for finding in examine()}
    assert found["warehouse"].is_wrong
    assert "cannot reach postgresql://u:***@127.0.0.1:1/shop" in found["warehouse"].found
    assert "cannot reach the records on postgresql+psycopg://u:***@127.0.0.1:1/shop" in found["release"].found
    assert PASSWORD not in str(found)


def test_unit_tests_of_dbt_pass_on_postgres(postgres: Home) -> None:
    assert len(run_dbt(postgres, ["test", "--select", "test_type:unit"], {})) > 10
    assert BUILD[0] == "build"


def test_four_publishers_at_once(tmp_path: Path, postgres_server: Server) -> None:
    url = postgres_server.new_database()
    homes = []
    for number in range(4):  # as on four machines that share storage and server
        local = home_in(tmp_path / f"machine-{number}")
        places = local.places.model_copy(update={"warehouse": url, "storage": str(tmp_path / "storage")})
        homes.append(replace(local, places=places))
    for output in VERSIONS:
        crown(homes[0], output)
    publish_night(homes[0], AS_OF - timedelta(days=1))
    days = [AS_OF + timedelta(days=number) for number in range(4)]
    ids = [ready_night(home, day) for home, day in zip(homes, days, strict=True)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, homes, days))
    assert query(homes[1], "select distinct release_id as id from demand_forecasts")["id"].to_pylist() == [ids[-1]]
    assert query(homes[2], "select release_id from releases where status = 'published'").num_rows == 1
    assert query(homes[3], "select release_id from releases").num_rows == 5
    assert [row["release_id"] for row in homes[0].records.rows(sa.select(pointer))] == [ids[-1]]
    postgres_server.drop(url)
