"""No value that leads to a person is in any byte that whole nights leave behind: files, buckets, databases, logs."""

from __future__ import annotations

import base64
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pipelines.contract import ENTITIES
from pipelines.errors import IncomingFault
from pipelines.home import Home
from pipelines.publishing.publish import export
from pipelines.records import releases
from pipelines.s3 import Bucket, S3Url
from pipelines.validate.quarantine import accept, quarantine_rows
from tests.buckets import make_bucket, upload
from tests.landing import DAY, Landing
from tests.nights.canaries import A_COLUMN, HISTORY, NIGHT, Canaries, write_canaries
from tests.nights.conftest import walk
from tests.nights.search import Needles, Part, parts_of_bucket, parts_of_folder, parts_of_server
from tests.warehouse.postgres_server import Server, database, postgres_server

__all__ = ["database", "postgres_server"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, so that what stays there is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def hits(canaries: Canaries, parts: Iterable[Part]) -> dict[str, set[str]]:
    """What each canary that is found is found in."""
    needles, found = Needles(canaries.places), defaultdict(set)
    for name, content in parts:
        for value in needles.found_in(content):
            found[value].add(name)
    return found


def leaks(canaries: Canaries, parts: Iterable[Part]) -> list[str]:
    """Where canaries were planted that are found, and what they are found in."""
    found = hits(canaries, parts)
    return sorted({f"{canaries.places[value]}: {name}" for value, names in found.items() for name in names})


def stopped(landing: Landing, home: Home) -> str:
    """What the night says that the faulty partitions stop."""
    with pytest.raises(IncomingFault, match="customers 2024-06-10") as caught:
        walk(NIGHT, steps=["collect", "validate"])
    return f"{caught.value} {caught.value.hint}"


def loaded(home: Home) -> int:
    """How many rows the night loaded of the entity with the fewest, of those with persons."""
    rows = home.records.result(NIGHT, "load")["rows"]
    return min(rows[name] for name, entity in ENTITIES.items() if any(column.personal for column in entity.columns))


def said_by(home: Home, folder: Path) -> Iterator[Part]:
    """What the commands say after a night."""
    yield "quarantine", str(quarantine_rows(home).to_pylist()).encode()
    yield "releases", str(home.records.rows(sa.select(releases))).encode()
    export(home, folder)
    yield from parts_of_folder(folder)


def test_the_search_finds_all_of_what_was_delivered(landing: Landing) -> None:
    canaries = write_canaries(landing, is_mended=False)
    assert min(canaries.kinds.values()) >= A_COLUMN
    found = hits(canaries, parts_of_folder(landing.root))
    assert len(found) == len(canaries.places)
    of_files = [value for value in found if "metadata" in canaries.places[value]]
    assert len(of_files) == len(pq.read_schema(landing.folder("customers", HISTORY) / "part-0.parquet")) + 1


def test_the_search_looks_into_databases(tmp_path: Path, database: str, postgres_server: Server) -> None:
    canaries = Canaries()
    value = [canaries.new("email", kind) for kind in ("duckdb", "sqlite", "postgres", "statistics", "html", "base64")]
    with duckdb.connect(tmp_path / "a") as connection:
        connection.execute("create schema s; create table s.t as select repeat(?, 3) as x", [value[0].upper()])
    with sqlite3.connect(tmp_path / "b") as lite:
        lite.execute("create table t as select ? as x", [value[1]])
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("create table t as select string_agg(%s, '') as x from generate_series(1, 900)", [value[2]])
    pq.write_table(pa.table({"x": [value[3]]}), tmp_path / "c", compression="zstd")
    (tmp_path / "d").write_text(value[4].replace("@", "&#64;"))
    (tmp_path / "e").write_bytes(base64.b64encode(f"from {value[5]} to".encode()))
    found = hits(canaries, [*parts_of_folder(tmp_path), *parts_of_server(postgres_server, database)])
    assert len(found) == 6


def test_no_person_is_left_behind_on_local_files(
    home: Home, landing: Landing, tmp_path: Path, temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A night that stops, is let through, and leaves faulty partitions of optional entities out."""
    canaries = write_canaries(landing, is_mended=False)
    error = stopped(landing, home)
    accept(home, "customers", HISTORY + DAY, "known")
    walk(NIGHT)
    assert loaded(home) >= A_COLUMN
    assert home.records.result(NIGHT, "validate")["left_out"].keys() == {"payments", "ticket_messages", "tickets"}
    printed = capfd.readouterr()
    parts = [("error", error.encode()), ("printed", f"{printed.out}{printed.err}".encode())]
    parts += [*said_by(home, tmp_path / "exported"), *parts_of_folder(home.root), *parts_of_folder(temporary)]
    assert len(parts) > 300
    assert leaks(canaries, parts) == []


def test_no_person_is_left_behind_on_postgres_and_s3(
    home: Home,
    landing: Landing,
    s3: S3Url,
    database: str,
    postgres_server: Server,
    temporary: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A night that stops, and runs once its partitions were delivered as they should be."""
    store = make_bucket(f"{s3.bucket}-store", "nightcart")
    for name, place in (("LANDING", s3), ("STORAGE", store), ("WAREHOUSE", database)):
        monkeypatch.setenv(f"NIGHTCART_{name}", str(place))
    write_canaries(landing, is_mended=False)
    upload(landing.root, s3)
    error = stopped(landing, home := Home.open())
    canaries = write_canaries(mended := Landing(tmp_path / "mended"), is_mended=True)
    Bucket(s3).delete([one.name for one in Bucket(s3).objects("")])
    upload(mended.root, s3)
    walk(NIGHT)
    assert loaded(home) >= A_COLUMN
    assert home.records.result(NIGHT, "validate")["left_out"] == {}
    printed = capfd.readouterr()
    parts = [("error", error.encode()), ("printed", f"{printed.out}{printed.err}".encode())]
    parts += [*said_by(home, tmp_path / "exported"), *parts_of_folder(home.root), *parts_of_folder(temporary)]
    parts += [*parts_of_bucket(store, tmp_path / "object"), *parts_of_server(postgres_server, database)]
    assert leaks(canaries, parts) == []
