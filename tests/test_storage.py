"""One store, two kinds: the same promises of a local folder and of a folder of a bucket."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import s3 as s3_module
from pipelines import storage_s3
from pipelines.errors import NightcartError, StorageFault, UsageFault
from pipelines.s3 import Bucket, S3Url, parse_place
from pipelines.storage import FolderStorage, Storage, open_storage, sha256_of
from pipelines.storage_s3 import S3Storage

TABLE = pa.table({"n": [1, 2, 3]})


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    place = tmp_path / "store" if request.param == "folder" else request.getfixturevalue("s3")
    return open_storage(str(place), tmp_path / "cache")


def file_with(storage: Storage, content: bytes) -> Path:
    file = storage.scratch()
    file.write_bytes(content)
    return file


def test_what_was_put_is_found(storage: Storage) -> None:
    file = file_with(storage, b"hello")
    digest = storage.put("releases/r1/a.txt", file)
    assert not file.exists()
    assert storage.exists("releases/r1/a.txt")
    found = storage.path("releases/r1/a.txt")
    assert found.read_bytes() == b"hello"
    assert sha256_of(found) == digest
    assert storage.key_of(found) == "releases/r1/a.txt"


def test_putting_again_replaces(storage: Storage) -> None:
    storage.put_json("incoming/2011-11-01/manifest.json", {"a": 1})
    assert storage.read_json("incoming/2011-11-01/manifest.json") == {"a": 1}
    storage.put_json("incoming/2011-11-01/manifest.json", {"a": 2})
    assert storage.read_json("incoming/2011-11-01/manifest.json") == {"a": 2}


def test_keys_are_those_below_a_folder_in_order(storage: Storage) -> None:
    for key in ("a/b/2", "a/b/10", "a/b-c/1", "ab/1", "a/b/c/3"):
        storage.put(key, file_with(storage, b"x"))
    assert list(storage.keys("a")) == ["a/b-c/1", "a/b/10", "a/b/2", "a/b/c/3"]
    assert list(storage.keys("a/b")) == ["a/b/10", "a/b/2", "a/b/c/3"]
    assert list(storage.keys("nothing")) == []
    assert [stored.size for stored in storage.listed("ab")] == [1]


def test_removing(storage: Storage) -> None:
    for key in ("a/1", "a/b/2", "ab/3"):
        storage.put(key, file_with(storage, b"x"))
    storage.remove("a")
    storage.remove("ab/3")
    storage.remove("never/there")
    assert not any(storage.exists(key) for key in ("a/1", "a/b/2", "ab/3"))
    with pytest.raises(StorageFault, match="a/1 is not in"):
        storage.path("a/1")
    storage.put("a/1", file_with(storage, b"y"))
    storage.drop(["a/1", "a/nothing"])
    assert not storage.exists("a/1")


def test_a_part_is_written_once(storage: Storage) -> None:
    key = storage.put_part(TABLE)
    assert key.startswith("parts/")
    (before,) = storage.listed("parts")
    assert storage.put_part(TABLE) == key
    assert list(storage.listed("parts")) == [before]
    assert sha256_of(storage.path(key)) == Path(key).stem


def test_the_same_part_by_many_at_once(storage: Storage) -> None:
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(storage.put_part(TABLE))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert sha256_of(storage.path(keys[0])) == Path(keys[0]).stem


def test_many_keys(s3: S3Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one page, and more than one request of removals."""
    monkeypatch.setattr(s3_module, "BATCH", 7)
    bucket = Bucket(s3)
    pages = bucket._pages
    monkeypatch.setattr(bucket, "_pages", lambda **options: pages(**options, PaginationConfig={"PageSize": 5}))
    storage = S3Storage(s3, tmp_path)
    storage.bucket = bucket
    for number in range(23):
        storage.put(f"m/{number:02d}", file_with(storage, b"x"))
    assert list(storage.keys("m")) == [f"m/{number:02d}" for number in range(23)]
    storage.remove("m")
    assert list(storage.keys("m")) == []


def test_a_large_file_goes_in_parts(s3: S3Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "PART_BYTES", 5 << 20)
    storage, content = S3Storage(s3, tmp_path / "one"), os.urandom(11 << 20)
    digest = storage.put("big", file_with(storage, content))
    head = storage.bucket.head("big")
    assert head is not None
    assert head["ETag"].strip('"').endswith("-3")  # three parts
    other = S3Storage(s3, tmp_path / "other")
    assert sha256_of(other.path("big")) == digest
    other.put_once("big", file_with(other, content))


def test_what_lies_under_a_content_address_stays(s3: S3Url, tmp_path: Path) -> None:
    bucket = Bucket(s3)
    (tmp_path / "first").write_text("first")
    (tmp_path / "second").write_text("second")
    assert bucket.send_once("key", tmp_path / "first", {})
    assert not bucket.send_once("key", tmp_path / "second", {})
    with (tmp_path / "found").open("wb") as stream:
        bucket.fetch("key", stream)
    assert (tmp_path / "found").read_text() == "first"


def test_a_local_copy_is_used_only_while_it_is_the_object(s3: S3Url, tmp_path: Path) -> None:
    here, there = S3Storage(s3, tmp_path / "here"), S3Storage(s3, tmp_path / "there")
    here.put_json("champion.json", {"a": 1})
    assert there.read_json("champion.json") == {"a": 1}
    here.put_json("champion.json", {"a": 2})
    assert there.read_json("champion.json") == {"a": 2}  # replaced by another machine
    (tmp_path / "there" / "champion.json").write_text("damaged")
    assert there.read_json("champion.json") == {"a": 2}
    assert [file.name for file in (tmp_path / "there").rglob("*") if file.is_file()] == ["champion.json"]


def test_an_object_that_is_not_what_was_written(s3: S3Url, tmp_path: Path) -> None:
    storage = S3Storage(s3, tmp_path / "here")
    file = file_with(storage, b"other content")
    storage.bucket.send("key", file, {"sha256": "0" * 64})
    with pytest.raises(StorageFault, match="not what was written"):
        storage.path("key")
    assert not (tmp_path / "here" / "key").exists()


def test_the_cache_is_bounded(s3: S3Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_s3, "CACHE_BYTES", 25)
    here, there = S3Storage(s3, tmp_path / "here"), S3Storage(s3, tmp_path / "there")
    for number in range(4):
        here.put(f"{number}", file_with(here, b"0123456789"))
    for number in range(3):
        os.utime(there.path(f"{number}"), (number, number))
    there.path("3")
    kept = sorted(file.name for file in (tmp_path / "there").iterdir() if file.is_file())
    assert kept == ["2", "3"]
    assert there.path("0").read_bytes() == b"0123456789"


def test_places() -> None:
    assert parse_place("s3://bucket/a/b/") == S3Url("bucket", "a/b")
    assert str(parse_place("s3://bucket/a/b/")) == "s3://bucket/a/b"
    assert str(parse_place("s3://bucket")) == "s3://bucket"
    assert parse_place("/srv/store") == Path("/srv/store")
    assert isinstance(open_storage("/srv/store", Path("/srv/cache")), FolderStorage)
    for wrong in ("s3://", "gs://bucket/a"):
        with pytest.raises(UsageFault, match=wrong):
            parse_place(wrong)


@pytest.mark.parametrize(
    ("change", "said", "hint"),
    [
        ({"bucket": "no-such-bucket"}, "no bucket no-such-bucket", "create it"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "127.0.0.1:9", "AWS_ENDPOINT_URL"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_errors_say_what_to_do(
    s3: S3Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str, hint: str
) -> None:
    monkeypatch.setattr(s3_module, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    url = S3Url(change.pop("bucket", s3.bucket), s3.prefix)
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    storage = S3Storage(url, tmp_path / "here")
    for act in (
        lambda: storage.put("a", file_with(storage, b"x")),
        lambda: storage.put_once("a", file_with(storage, b"x")),
        lambda: list(storage.keys("a")),
        lambda: storage.path("a"),
        lambda: storage.remove("a"),
    ):
        with pytest.raises(NightcartError, match=said) as stopped:
            act()
        assert hint in stopped.value.hint
