"""One whole night with landing zone and store in a bucket: the same release as on local folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.publishing.publish import export
from pipelines.s3 import S3Url
from tests.buckets import make_bucket, upload
from tests.nights.conftest import walk
from tests.nights.store import NIGHTS
from tests.nights.test_order import files_of


def exported(home: Home, folder: Path) -> dict[str, bytes]:
    """Each output table and mart as it is exported; the tables of all nights hold times of day."""
    tables = export(home, folder)["tables"]
    release = home.records.current_release() or {}
    return {name: (folder / f"{name}.parquet").read_bytes() for name in tables if name in release["rows"]}


def test_a_night_on_s3(
    tmp_path: Path, store: Path, enter: Callable[[Path], Home], s3: S3Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = enter(tmp_path / "local")
    walk(NIGHTS[0])
    upload(store / "landing", s3)
    enter(tmp_path / "remote")
    monkeypatch.setenv("NIGHTCART_LANDING", str(s3))
    monkeypatch.setenv("NIGHTCART_STORAGE", str(make_bucket(f"{s3.bucket}-store", "")))
    remote = Home.open()
    walk(NIGHTS[0])
    assert files_of(remote) == files_of(local)
    assert len(files_of(remote)) == 4
    kinds = ("snapshots", "parts", "models", "incoming", "quarantine")
    assert {kind: list(remote.storage.keys(kind)) for kind in kinds} == {
        kind: list(local.storage.keys(kind)) for kind in kinds
    }
    assert exported(remote, tmp_path / "a") == exported(local, tmp_path / "b")
    assert not (remote.root / "storage").exists()
