"""The object store in a bucket, with local copies of what was read or written here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import StorageFault
from pipelines.s3 import Bucket, S3Url
from pipelines.storage import Storage, Stored, missing, sha256_of

SHA256 = "sha256"  # name of the metadata that every object written here carries
CACHE_BYTES = 20 << 30  # of local copies; the ones that were used longest ago go first
IN_USE_SECONDS = 6 * 3600  # a copy used within them of the newest one may still be read by a step, and stays


class S3Storage(Storage):
    """A folder of a bucket. A local copy is used only while its SHA-256 is the object's."""

    def __init__(self, url: S3Url, cache: Path) -> None:
        self.url, self.root = url, cache
        self.bucket = Bucket(url)
        self._fresh_bytes: int | None = None  # copied since the cache was last looked over; None: never yet

    def path(self, key: str) -> Path:
        """A local copy of what lies under the key, verified."""
        for _ in range(2):  # a second time where the object was replaced in between
            found = self.bucket.head(key)
            if found is None:
                raise missing(key, self.url)
            file = self.root / key
            if self._is_same(file, found):
                os.utime(file)
                return file
            if self._copy(key, file, found):
                self._trim(found["ContentLength"])
                return file
        raise StorageFault(
            f"{key} in {self.url} is not what was written: its SHA-256 differs", "restore it from a backup"
        )

    def exists(self, key: str) -> bool:
        """Whether an object lies under the key."""
        return self.bucket.head(key) is not None

    def listed(self, prefix: str) -> Iterator[Stored]:
        """What lies below a folder's name, by key."""
        for found in self.bucket.objects(prefix):
            yield Stored(found.name, found.size, found.modified)

    def put(self, key: str, file: Path) -> str:
        """Send a file, then keep it as the local copy; returns its SHA-256."""
        digest = sha256_of(file)
        self.bucket.send(key, file, {SHA256: digest})
        self._keep(key, file)
        return digest

    def put_once(self, key: str, file: Path) -> None:
        """Send a file unless something lies under the key, which names its content."""
        self.bucket.send_once(key, file, {SHA256: sha256_of(file)})
        self._keep(key, file)

    def drop(self, keys: Sequence[str]) -> None:
        """Remove what lies under the keys, and its local copies."""
        self.bucket.delete(list(keys))
        for file in (self.root / key for key in keys):
            if not file.is_dir():
                file.unlink(missing_ok=True)

    def _is_same(self, file: Path, found: dict[str, Any]) -> bool:
        """Whether a local file is the object; of one written by others only its size is known, so it never is."""
        wanted = found["Metadata"].get(SHA256)
        is_sized = file.is_file() and file.stat().st_size == found["ContentLength"]
        return bool(is_sized and wanted and sha256_of(file) == wanted)

    def _copy(self, key: str, file: Path, found: dict[str, Any]) -> bool:
        """Fetch the object beside its place and move it there once it is verified; returns whether it was."""
        fresh = self.scratch()
        try:
            with fresh.open("wb") as stream:
                self.bucket.fetch(key, stream)
            is_whole = fresh.stat().st_size == found["ContentLength"]
            if not is_whole or (SHA256 in found["Metadata"] and not self._is_same(fresh, found)):
                return False
            self._keep(key, fresh)
            return True
        except FileNotFoundError:
            return False  # it went away in between
        finally:
            fresh.unlink(missing_ok=True)

    def _keep(self, key: str, file: Path) -> None:
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        file.replace(self.root / key)

    def _trim(self, size: int) -> None:
        """Let go of the copies that were used longest ago where there are too many bytes of them."""
        if self._fresh_bytes is not None and self._fresh_bytes + size < CACHE_BYTES // 20:
            self._fresh_bytes += size
            return
        self._fresh_bytes = 0
        copies = sorted((stat.st_mtime, stat.st_size, file) for file, stat in _files(self.root))
        total, newest = sum(size for _, size, _ in copies), copies[-1][0]
        for used, size, file in copies:
            if total <= CACHE_BYTES or newest - used < IN_USE_SECONDS:
                break
            file.unlink(missing_ok=True)
            total -= size


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for file in folder.rglob("*"):
        try:
            if file.is_file():
                yield file, file.stat()
        except FileNotFoundError:  # another process let it go
            continue
