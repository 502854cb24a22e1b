"""The object store: snapshots, releases, models and incoming files, under keys. A local folder, or one of a bucket."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import StorageFault
from pipelines.s3 import parse_place

ROW_GROUP = 131_072  # rows; fixed, so that the same rows give the same bytes


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest_of(value: Any) -> str:
    """The SHA-256 of a JSON value, hexadecimal; the order of keys does not matter."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, so that the same value gives the same bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, indent=1).encode()


def write_parquet(table: pa.Table, file: Path) -> None:
    """Write a table as zstd Parquet: the same rows in the same order give the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    table = table.replace_schema_metadata(None).combine_chunks()  # how a warehouse cuts its rows leaves no trace
    pq.write_table(table, file, compression="zstd", row_group_size=ROW_GROUP)


@dataclass(frozen=True)
class Stored:
    """What lies under a key."""

    key: str
    size: int  # bytes
    modified: datetime  # UTC, naive


class Storage(ABC):
    """Files under keys like `releases/<id>/table.parquet`. A file appears whole or not at all."""

    root: Path  # where `path` finds files: the store itself, or local copies of it

    @abstractmethod
    def path(self, key: str) -> Path:
        """A local file with the content of the key.

        Raises:
            StorageFault: nothing lies there.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Whether a file lies under the key."""

    @abstractmethod
    def listed(self, prefix: str) -> Iterator[Stored]:
        """What lies below a folder's name, by key."""

    @abstractmethod
    def put(self, key: str, file: Path) -> str:
        """Move a file under the key, durably; returns its SHA-256."""

    @abstractmethod
    def put_once(self, key: str, file: Path) -> None:
        """Move a file under a key that names its content; what lies there stays."""

    @abstractmethod
    def drop(self, keys: Sequence[str]) -> None:
        """Remove what lies under the keys; a key under which nothing lies is no error."""

    def remove(self, prefix: str) -> None:
        """Remove a key, and everything under a folder of this name."""
        self.drop([prefix, *self.keys(prefix)])

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with a folder's name, in order."""
        return (stored.key for stored in self.listed(prefix))

    def key_of(self, file: Path) -> str:
        """The key that `path` gave the file for."""
        return file.relative_to(self.root).as_posix()

    def scratch(self, suffix: str = "") -> Path:
        """A fresh path on the disk of `root`, for a file that `put` takes over."""
        folder = self.root / ".scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{uuid.uuid4().hex}{suffix}"

    def put_table(self, key: str, table: pa.Table) -> str:
        """Write a table as Parquet under the key; returns the file's SHA-256."""
        file = self.scratch(".parquet")
        try:
            write_parquet(table, file)
            return self.put(key, file)
        finally:
            file.unlink(missing_ok=True)

    def put_part(self, table: pa.Table) -> str:
        """Write a table under its own digest, once; returns the key."""
        file = self.scratch(".parquet")
        try:
            write_parquet(table, file)
            key = f"parts/{(digest := sha256_of(file))[:2]}/{digest}.parquet"
            self.put_once(key, file)
            return key
        finally:
            file.unlink(missing_ok=True)

    def put_json(self, key: str, value: Any) -> str:
        """Write a JSON value under the key; returns the file's SHA-256."""
        file = self.scratch(".json")
        file.write_bytes(canonical_json(value))
        return self.put(key, file)

    def read_json(self, key: str) -> Any:
        """The JSON value under the key."""
        return json.loads(self.path(key).read_bytes())


def missing(key: str, where: object) -> StorageFault:
    """The error of a key under which nothing lies."""
    return StorageFault(f"{key} is not in {where}", "restore it, or run the night that wrote it again")


class FolderStorage(Storage):
    """A local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """The file under the key."""
        file = self.root / key
        if not file.is_file():
            raise missing(key, self.root)
        return file

    def exists(self, key: str) -> bool:
        """Whether a file lies under the key."""
        return (self.root / key).is_file()

    def listed(self, prefix: str) -> Iterator[Stored]:
        """What lies below a folder's name, by key."""
        files = (file for file in (self.root / prefix).rglob("*") if file.is_file() and file.name[0] != ".")
        for key in sorted(self.key_of(file) for file in files):
            stat = (self.root / key).stat()
            modified = datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None)
            yield Stored(key, stat.st_size, modified)

    def put(self, key: str, file: Path) -> str:
        """Move a file under the key, durably; returns its SHA-256."""
        digest, target = sha256_of(file), self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
        file.replace(target)
        return digest

    def put_once(self, key: str, file: Path) -> None:
        """Move a file under a key that names its content; what lies there stays."""
        if not self.exists(key):
            self.put(key, file)

    def drop(self, keys: Sequence[str]) -> None:
        """Remove what lies under the keys, and the folders that this leaves empty."""
        for key in keys:
            file = self.root / key
            if not file.is_dir():
                file.unlink(missing_ok=True)
            with suppress(OSError):  # a folder that is not empty stays
                for folder in file.parents[: len(Path(key).parents) - 1]:
                    folder.rmdir()


def open_storage(place: str, cache: Path) -> Storage:
    """The store at a place; local copies of what lies in a bucket are kept in the folder `cache`."""
    found = parse_place(place)
    if isinstance(found, Path):
        return FolderStorage(found)
    from pipelines.storage_s3 import S3Storage

    return S3Storage(found, cache)
