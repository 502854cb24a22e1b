"""The manifest of what a night collected: the last file collect writes, the first one validate and load read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from pipelines.errors import IncomingFault
from pipelines.storage import Storage, digest_of

ALWAYS = date(1970, 1, 1)  # known_at of customers and products in their history partition


@dataclass(frozen=True)
class Entry:
    """One new partition, or a changed one."""

    entity: str
    dt: date
    fingerprint: str
    content_digest: str | None  # the SHA-256 of the collected file; None: it could not be collected
    rows: int
    is_history: bool
    is_late: bool
    known_at: date | None  # None: each row has its own
    key: str | None  # where the collected file lies
    fault: dict[str, Any] | None = None  # rule, column, text
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.entity} {self.dt}"


@dataclass(frozen=True)
class Manifest:
    """What a night collected. `why`: why it did not collect at all; then nothing that is loaded may change."""

    as_of: date
    partitions: tuple[Entry, ...] = ()
    why: str | None = None
    made_with: str = ""  # the code and the key that read the files
    incomplete: tuple[str, ...] = ()  # partitions without _SUCCESS
    warnings: tuple[str, ...] = field(default=())
    newest: date | None = None  # the newest other night that had loaded by then: what is new, and late, hangs on it

    @property
    def digest(self) -> str:
        """What validate and load compare, to be sure that they speak of the same rows."""
        return digest_of([[e.entity, e.dt, e.content_digest, e.known_at, e.is_late] for e in self.partitions])

    def of(self, entity: str) -> list[Entry]:
        """The entries of an entity whose rows can be read."""
        return [entry for entry in self.partitions if entry.entity == entity and entry.key]


def known_at_of(dt: date, *, as_of: date, is_late: bool, is_history: bool, is_always_known: bool) -> date | None:
    """When the rows of a partition are known: 00:00 of the day returned; None: the day after each row happened."""
    if is_late:
        return as_of
    if not is_history:
        return dt + timedelta(days=1)
    return ALWAYS if is_always_known else None


def folder_of(as_of: date) -> str:
    """Where the collected files of a night lie."""
    return f"incoming/{as_of}"


def write_manifest(storage: Storage, manifest: Manifest) -> None:
    """Write it, last of all that collect does."""
    storage.put_json(f"{folder_of(manifest.as_of)}/manifest.json", asdict(manifest))


def read_manifest(storage: Storage, as_of: date) -> Manifest | None:
    """The manifest of a night, if it has collected."""
    key = f"{folder_of(as_of)}/manifest.json"
    if not storage.exists(key):
        return None
    content = storage.read_json(key)
    entries = tuple(
        replace(
            Entry(**entry),
            dt=date.fromisoformat(entry["dt"]),
            known_at=date.fromisoformat(entry["known_at"]) if entry["known_at"] else None,
            warnings=tuple(entry["warnings"]),
        )
        for entry in content["partitions"]
    )
    newest = date.fromisoformat(content["newest"]) if content.get("newest") else None
    said = (tuple(content["incomplete"]), tuple(content["warnings"]))
    return Manifest(as_of, entries, content["why"], content["made_with"], *said, newest)


def need_manifest(storage: Storage, as_of: date) -> Manifest:
    """The manifest of a night.

    Raises:
        IncomingFault: the night has not collected.
    """
    manifest = read_manifest(storage, as_of)
    if manifest is None:
        raise IncomingFault(f"the night of {as_of} has not collected", f"run `nightcart step collect {as_of}` first")
    return manifest
