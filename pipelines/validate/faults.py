"""What stops a night, said so that whoever reads it can act: what was found, what was expected, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipelines.errors import IncomingFault
from pipelines.ingest.manifest import folder_of
from pipelines.storage import Storage

SHOWN = 10


@dataclass(frozen=True)
class Fault:
    """One reason for a stop."""

    entity: str
    dt: date | None  # None: no partition is to blame
    rule: str
    text: str
    column: str | None = None
    rows: int | None = None
    share: float | None = None
    samples: tuple[str, ...] = ()
    content_digest: str | None = None
    is_acceptable: bool = False  # `nightcart accept` lets it through

    def line(self) -> str:
        """The fault in one line."""
        where = f"{self.entity} {self.dt}" if self.dt else self.entity
        if self.rows is None or self.share is None:
            return f"{where}: {self.rule}: {self.text}"
        found = f"{self.rows} rows ({self.share:.1%}), such as {'; '.join(self.samples)}"
        return f"{where}: {self.rule}: {found}; {self.text}"


def stop(as_of: date, faults: list[Fault]) -> IncomingFault:
    """The error that lists what is wrong, with the commands to go on with."""
    lines = [f"- {fault.line()}" for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"- and {len(faults) - SHOWN} more")
    text = f"the night of {as_of} stops, nothing was loaded; what came in has {len(faults)} faults:\n"
    return IncomingFault(text.replace(" 1 faults", " 1 fault") + "\n".join(lines), _hint(as_of, faults))


def _hint(as_of: date, faults: list[Fault]) -> str:
    again = f"run `nightcart night {as_of}` again"
    hard = sorted({(fault.entity, fault.dt) for fault in faults if not fault.is_acceptable and fault.dt})
    soft = sorted({(fault.entity, fault.dt) for fault in faults if fault.is_acceptable and fault.dt} - set(hard))
    said = []
    if hard:
        names = ", ".join(f"{entity}/dt={dt}" for entity, dt in hard[:SHOWN])
        said.append(f"deliver {names} again, with _SUCCESS")
    if soft:
        commands = ", ".join(f'`nightcart accept {entity} {dt} --reason "..."`' for entity, dt in soft[:SHOWN])
        said.append(f"deliver again what is wrong, or let it through with {commands}")
    if any(fault.dt is None for fault in faults):
        said.append("deliver what is missing, with _SUCCESS in each partition")
    return f"{'; '.join(said)}; then {again}"


def write_faults(storage: Storage, as_of: date, faults: list[Fault]) -> None:
    """Keep the faults of a stop, for `nightcart accept`."""
    storage.put_json(f"{folder_of(as_of)}/faults.json", [asdict(fault) for fault in faults])


def read_faults(storage: Storage, as_of: date) -> list[dict[str, Any]]:
    """The faults of a night's last validation."""
    key = f"{folder_of(as_of)}/faults.json"
    found: list[dict[str, Any]] = storage.read_json(key) if storage.exists(key) else []
    return found
