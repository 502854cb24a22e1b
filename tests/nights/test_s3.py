"""One whole night with landing zone and store in a bucket: the same release as on local folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.publishing.publish import export
from pipelines.s3 import S3Url
from tests.buckets import make_bucket, upload
from tests.nights.conftest import files_of, walk
from tests.nights.store import NIGHTS


def test_a_night_on_s3(
    tmp_path: Path,
    store: Path,
    enter: Callable[[Path], Home],
    forward: Home,
    s3: S3Url,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload(store / "landing", s3)
    enter(tmp_path / "remote")
    monkeypatch.setenv("NIGHTCART_LANDING", str(s3))
    monkeypatch.setenv("NIGHTCART_STORAGE", str(make_bucket(f"{s3.bucket}-store", "")))
    remote = Home.open()
    walk(NIGHTS[0])
    assert files_of(remote) == files_of(forward, NIGHTS[0]) != {}
    for kind in ("snapshots", "parts", "models"):
        found = set(remote.storage.keys(kind))
        assert found <= set(forward.storage.keys(kind)) and found
    exported = export(remote, tmp_path / "out")["tables"]
    release = remote.records.current_release() or {}
    assert {name: exported[name] for name in release["rows"]} == release["rows"]
    assert not (remote.root / "storage").exists()
