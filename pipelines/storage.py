"""The object store: snapshots, releases, models and incoming files, under keys. A local folder so far."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import StorageFault

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


class Storage:
    """A folder of files under keys like `releases/<id>/table.parquet`. A file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """A local file with the content of the key.

        Raises:
            StorageFault: nothing lies there.
        """
        file = self.root / key
        if not file.is_file():
            raise StorageFault(f"{key} is not in {self.root}", "restore it, or run the night that wrote it again")
        return file

    def exists(self, key: str) -> bool:
        """Whether a file lies under the key."""
        return (self.root / key).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with a folder's name, in order."""
        folder = self.root / prefix
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield file.relative_to(self.root).as_posix()

    def scratch(self, suffix: str = "") -> Path:
        """A fresh path on the store's own disk, for a file that `put` takes over."""
        folder = self.root / ".scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{uuid.uuid4().hex}{suffix}"

    def put(self, key: str, file: Path) -> str:
        """Move a file under the key, durably; returns its SHA-256."""
        digest, target = sha256_of(file), self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
        file.replace(target)
        return digest

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
            if not self.exists(key):
                self.put(key, file)
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

    def remove(self, prefix: str) -> None:
        """Remove everything under a folder's name."""
        shutil.rmtree(self.root / prefix, ignore_errors=True)
