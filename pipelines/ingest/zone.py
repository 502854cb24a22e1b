"""The two kinds of place that a landing zone can be: a local folder, or one of a bucket."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.errors import IncomingFault
from pipelines.s3 import Bucket, Place, S3Url

ADVICE = "mount or restore it, or name another with NIGHTCART_LANDING, then run the night again"


@dataclass(frozen=True)
class Delivered:
    """A file of a partition, as its place lists it."""

    name: str
    size: int  # bytes
    mark: int | str  # when it was written, or its ETag: another one is another content


Folders = dict[str, list[Delivered]]
"""The files of each folder of an entity, both by name."""


class Zone(Protocol):
    """A landing zone: `<entity>/<folder>/<file>`."""

    def entities(self) -> list[str]:
        """The names of its folders.

        Raises:
            IncomingFault: it is not there.
        """

    def folders(self, entity: str) -> Folders:
        """The folders of an entity with their files; none where the entity has no folder."""

    def files(self, entity: str, folder: str) -> list[Delivered]:
        """The files of one folder as they are now."""

    def fetch(self, entity: str, folder: str, name: str) -> AbstractContextManager[Path]:
        """A local file of this name, to be read within the block.

        Raises:
            FileNotFoundError: it has gone away.
        """

    def text(self, name: str) -> str | None:
        """A text that lies beside the entities."""


class FolderZone:
    """A local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entities(self) -> list[str]:
        """The names of its folders."""
        if not self.root.is_dir():
            raise IncomingFault(f"the landing zone {self.root} is not there", ADVICE)
        return _folders_in(self.root)

    def folders(self, entity: str) -> Folders:
        """The folders of an entity with their files."""
        if not (self.root / entity).is_dir():
            return {}
        return {name: self.files(entity, name) for name in _folders_in(self.root / entity)}

    def files(self, entity: str, folder: str) -> list[Delivered]:
        """The files of one folder as they are now."""
        found = sorted(file for file in (self.root / entity / folder).iterdir() if file.is_file())
        return [Delivered(file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in found]

    @contextmanager
    def fetch(self, entity: str, folder: str, name: str) -> Iterator[Path]:
        """The file itself."""
        yield self.root / entity / folder / name

    def text(self, name: str) -> str | None:
        """A text that lies beside the entities."""
        file = self.root / name
        return file.read_text("utf-8") if file.is_file() else None


class S3Zone:
    """A folder of a bucket."""

    def __init__(self, url: S3Url) -> None:
        self.bucket = Bucket(url)

    def entities(self) -> list[str]:
        """The names of its folders."""
        found = [name for name in self.bucket.folders() if not name.startswith(".")]
        if not found:
            raise IncomingFault(f"nothing lies in the landing zone {self.bucket.url}", ADVICE)
        return sorted(found)

    def folders(self, entity: str) -> Folders:
        """The folders of an entity with their files."""
        found: Folders = {}
        for one in self.bucket.objects(entity):
            parts = one.name.removeprefix(f"{entity}/").split("/")
            if len(parts) == 2 and parts[1] and not parts[0].startswith("."):
                found.setdefault(parts[0], []).append(Delivered(parts[1], one.size, one.etag))
        return found

    def files(self, entity: str, folder: str) -> list[Delivered]:
        """The files of one folder as they are now."""
        found = [
            (one.name.removeprefix(f"{entity}/{folder}/"), one) for one in self.bucket.objects(f"{entity}/{folder}")
        ]
        return [Delivered(name, one.size, one.etag) for name, one in found if name and "/" not in name]

    @contextmanager
    def fetch(self, entity: str, folder: str, name: str) -> Iterator[Path]:
        """A copy that no folder names but for this process: a person in it is on no disk once the process is gone."""
        with tempfile.TemporaryDirectory() as links, tempfile.TemporaryFile() as copy:
            self.bucket.fetch(f"{entity}/{folder}/{name}", copy)
            copy.flush()
            link = Path(links) / name
            link.symlink_to(f"/proc/{os.getpid()}/fd/{copy.fileno()}")
            yield link

    def text(self, name: str) -> str | None:
        """A text that lies beside the entities."""
        with tempfile.TemporaryFile() as copy:
            try:
                self.bucket.fetch(name, copy)
            except FileNotFoundError:
                return None
            copy.seek(0)
            return copy.read().decode("utf-8")


def open_zone(place: Place) -> Zone:
    """The landing zone at a place."""
    return S3Zone(place) if isinstance(place, S3Url) else FolderZone(place)


def _folders_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
