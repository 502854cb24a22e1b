"""The landing zone: which partitions lie there complete, and whether one has changed."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.contract import ENTITIES, Entity
from pipelines.ingest.zone import Delivered, Zone, open_zone
from pipelines.s3 import Place
from pipelines.storage import digest_of

SUCCESS = "_SUCCESS"
SUFFIXES = (".parquet", ".csv", ".csv.gz")
DT = "dt="


@dataclass(frozen=True)
class Partition:
    """One complete partition: an entity's files of one UTC day."""

    entity: str
    dt: date
    zone: Zone = field(compare=False, repr=False)
    files: tuple[Delivered, ...]

    def fingerprint(self) -> str:
        """A digest of the names, sizes and times (or ETags) of its files as they were listed, without reading them."""
        return digest_of([[file.name, file.size, file.mark] for file in self.files])

    def is_as_listed(self) -> bool:
        """Whether its files are still those that were listed."""
        return _data_files(self.zone.files(self.entity, f"{DT}{self.dt}")) == self.files

    def fetch(self, file: Delivered) -> AbstractContextManager[Path]:
        """One of its files as a local one, to be read within the block."""
        return self.zone.fetch(self.entity, f"{DT}{self.dt}", file.name)


@dataclass(frozen=True)
class Landed:
    """What lies in the landing zone."""

    partitions: list[Partition] = field(default_factory=list)
    incomplete: list[Partition] = field(default_factory=list)  # without _SUCCESS: they don't count yet
    warnings: list[str] = field(default_factory=list)


def list_landing(landing: Place, is_wanted: Callable[[date], bool] = lambda _: True) -> Landed:
    """The partitions of all entities whose dt is wanted, by entity and dt.

    Raises:
        IncomingFault: the landing zone is not there, or cannot be read.
    """
    zone, landed = open_zone(landing), Landed()
    for name in zone.entities():
        if name in ENTITIES:
            _list_entity(zone, name, landed, is_wanted)
        else:
            nearest = difflib.get_close_matches(name, ENTITIES, n=1, cutoff=0.6)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            landed.warnings.append(f"{name}: no entity of the contract, ignored{hint}")
    return landed


def complete_partitions(landing: Place, entity: Entity) -> list[Partition]:
    """The complete partitions of one entity, by dt.

    Raises:
        IncomingFault: the landing zone is not there.
    """
    zone, landed = open_zone(landing), Landed()
    if entity.name in zone.entities():
        _list_entity(zone, entity.name, landed, lambda _: True)
    return landed.partitions


def _list_entity(zone: Zone, entity: str, landed: Landed, is_wanted: Callable[[date], bool]) -> None:
    for name, files in sorted(zone.folders(entity).items()):
        dt = _date_of(name)
        if dt is None:
            landed.warnings.append(f"{entity}/{name}: not dt=YYYY-MM-DD, ignored")
        elif is_wanted(dt):
            is_complete = any(file.name == SUCCESS for file in files)
            found = Partition(entity, dt, zone, _data_files(files))
            (landed.partitions if is_complete else landed.incomplete).append(found)


def _data_files(files: list[Delivered]) -> tuple[Delivered, ...]:
    return tuple(file for file in files if file.name.endswith(SUFFIXES) and file.name[0] not in "._")


def _date_of(name: str) -> date | None:
    text = name.removeprefix(DT)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if name == f"{DT}{found.isoformat()}" else None
