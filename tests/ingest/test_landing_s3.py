"""A landing zone in a bucket: listed, fingerprinted and collected like a local one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.contract import ORDERS
from pipelines.doctor import examine
from pipelines.errors import IncomingFault
from pipelines.home import Home
from pipelines.ingest.collect import collect
from pipelines.ingest.landing import complete_partitions, list_landing
from pipelines.ingest.manifest import need_manifest
from pipelines.ingest.zone import S3Zone, open_zone
from pipelines.night import next_night
from pipelines.s3 import Bucket, S3Url
from tests.buckets import upload
from tests.landing import Landing, order

DAY = date(2011, 10, 3)
ONE = timedelta(days=1)


@pytest.fixture
def delivered(home: Home, landing: Landing, s3: S3Url, monkeypatch: pytest.MonkeyPatch) -> S3Url:
    """A small store in a bucket, with the traps of a local one."""
    landing.write_store(DAY, days=3)
    landing.write("orders", DAY + 3 * ONE, [order("9", DAY)], success=False)
    for name in ("order/dt=2011-10-03/_SUCCESS", "orders/dt=20111003/_SUCCESS", "orders/deep/er/file", ".trash/x/y"):
        (landing.root / name).parent.mkdir(parents=True, exist_ok=True)
        (landing.root / name).touch()
    (landing.root / "ATTRIBUTION.txt").write_text("whose data it is\n")
    upload(landing.root, s3)
    monkeypatch.setenv("NIGHTCART_LANDING", str(s3))
    return s3


def test_the_same_partitions_as_a_local_one(landing: Landing, delivered: S3Url) -> None:
    local, remote = list_landing(landing.root), list_landing(delivered)

    def seen(partitions: list) -> list:  # type: ignore[type-arg]
        return [(one.entity, one.dt, [(file.name, file.size) for file in one.files]) for one in partitions]

    assert seen(remote.partitions) == seen(local.partitions)
    assert seen(remote.incomplete) == seen(local.incomplete)
    assert [(one.entity, one.dt) for one in remote.incomplete] == [("orders", DAY + 3 * ONE)]
    assert [text for text in local.warnings if "deep" not in text] == remote.warnings
    assert len(complete_partitions(delivered, ORDERS)) == 3
    assert open_zone(delivered).text("ATTRIBUTION.txt") == "whose data it is\n"
    assert open_zone(delivered).text("NOTHING.txt") is None


def test_a_changed_object_changes_the_fingerprint(landing: Landing, delivered: S3Url) -> None:
    before = complete_partitions(delivered, ORDERS)[0]
    assert before.is_as_listed()
    assert complete_partitions(delivered, ORDERS)[0].fingerprint() == before.fingerprint()
    landing.write("orders", DAY, [order(str(number), DAY) for number in range(4)])
    upload(landing.root, delivered)
    assert not before.is_as_listed()
    assert complete_partitions(delivered, ORDERS)[0].fingerprint() != before.fingerprint()


def test_what_is_collected_is_the_same(landing: Landing, delivered: S3Url, home: Home) -> None:
    remote = Home.open()
    assert next_night(remote) == DAY + 3 * ONE
    collect(remote, DAY + 3 * ONE)
    local = replace(home, places=home.places.model_copy(update={"home": home.root / "other", "landing": landing.root}))
    collect(local, DAY + 3 * ONE)
    entries = [need_manifest(one.storage, DAY + 3 * ONE).partitions for one in (remote, local)]
    contents = [[(e.entity, e.dt, e.content_digest, e.rows, e.known_at, e.key) for e in one] for one in entries]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 8
    again = collect(remote, DAY + 3 * ONE)
    assert (again["partitions"], again["faults"]) == (8, 0)


def test_a_file_that_goes_away_is_a_fault_of_its_partition(
    delivered: S3Url, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = S3Zone.fetch

    def fetch_late(zone: S3Zone, entity: str, folder: str, name: str) -> object:
        Bucket(delivered).delete([f"orders/dt={DAY}/part-0.parquet"])
        return fetch(zone, entity, folder, name)

    monkeypatch.setattr(S3Zone, "fetch", fetch_late)
    collect(Home.open(), DAY + ONE)
    faults = [entry.fault for entry in need_manifest(home.storage, DAY + ONE).partitions if entry.fault]
    assert [fault["text"] for fault in faults] == ["part-0.parquet went away while it was read"]


def test_a_fetched_file_has_no_name_on_the_disk(delivered: S3Url) -> None:
    partition = complete_partitions(delivered, ORDERS)[0]
    with partition.fetch(partition.files[0]) as file:
        assert file.name == "part-0.parquet"
        assert file.read_bytes()[:4] == b"PAR1"
        assert not Path(file.readlink()).is_relative_to(Path.cwd())
    assert not file.exists()


def test_nothing_there(s3: S3Url, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IncomingFault, match="nothing lies in the landing zone"):
        list_landing(s3)
    monkeypatch.setenv("NIGHTCART_LANDING", "s3://no-such-bucket-at-all/x")
    found = next(finding for finding in examine() if finding.what == "landing zone")
    assert found.is_wrong
    assert "no bucket" in found.found
