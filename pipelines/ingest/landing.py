"""The landing zone: which partitions lie there complete, and whether one has changed."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.contract import ENTITIES, Entity
from pipelines.errors import IncomingFault
from pipelines.storage import digest_of

SUCCESS = "_SUCCESS"
SUFFIXES = (".parquet", ".csv", ".csv.gz")
DT = "dt="


@dataclass(frozen=True)
class Partition:
    """One complete partition: an entity's files of one UTC day."""

    entity: str
    dt: date
    folder: Path
    files: tuple[Path, ...]

    def fingerprint(self) -> str:
        """A digest of the names, sizes and times of its files, without reading them."""
        stats = [(file.name, file.stat()) for file in self.files]
        return digest_of([[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats])


@dataclass(frozen=True)
class Landed:
    """What lies in the landing zone."""

    partitions: list[Partition] = field(default_factory=list)
    incomplete: list[Partition] = field(default_factory=list)  # without _SUCCESS: they don't count yet
    warnings: list[str] = field(default_factory=list)


def list_landing(landing: Path, is_wanted: Callable[[date], bool] = lambda _: True) -> Landed:
    """The partitions of all entities whose dt is wanted, by entity and dt.

    Raises:
        IncomingFault: the folder of the landing zone is not there, or cannot be read.
    """
    _need_folder(landing)
    landed = Landed()
    for folder in sorted(path for path in landing.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if folder.name in ENTITIES:
            _list_entity(folder, landed, is_wanted)
        else:
            nearest = difflib.get_close_matches(folder.name, ENTITIES, n=1, cutoff=0.6)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            landed.warnings.append(f"{folder.name}: no entity of the contract, ignored{hint}")
    return landed


def complete_partitions(landing: Path, entity: Entity) -> list[Partition]:
    """The complete partitions of one entity, by dt.

    Raises:
        IncomingFault: the folder of the landing zone is not there.
    """
    _need_folder(landing)
    landed = Landed()
    if (landing / entity.name).is_dir():
        _list_entity(landing / entity.name, landed, lambda _: True)
    return landed.partitions


def _need_folder(landing: Path) -> None:
    if not landing.is_dir():
        raise IncomingFault(
            f"the landing zone {landing} is not there",
            "mount or restore it, or name another with NIGHTCART_LANDING, then run the night again",
        )


def _list_entity(folder: Path, landed: Landed, is_wanted: Callable[[date], bool]) -> None:
    for part in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        dt = _date_of(part.name)
        if dt is None:
            landed.warnings.append(f"{folder.name}/{part.name}: not dt=YYYY-MM-DD, ignored")
        elif is_wanted(dt):
            names = sorted(file for file in part.iterdir() if file.is_file())
            files = tuple(file for file in names if file.name.endswith(SUFFIXES) and file.name[0] not in "._")
            is_complete = any(file.name == SUCCESS for file in names)
            found = Partition(folder.name, dt, part, files)
            (landed.partitions if is_complete else landed.incomplete).append(found)


def _date_of(name: str) -> date | None:
    text = name.removeprefix(DT)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if name == f"{DT}{found.isoformat()}" else None
