"""Faulty partitions of optional entities: they don't stop the night, they wait outside until they are fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pipelines.ingest.manifest import folder_of
from pipelines.storage import Storage
from pipelines.validate.faults import Fault


def accepted_key(as_of: date) -> str:
    """Where validate writes what load may take."""
    return f"{folder_of(as_of)}/accepted.json"


def reasons(faults: Sequence[Fault]) -> dict[str, str]:
    """Each partition that is left out, such as `payments 2011-10-04`, with the first reason."""
    found: dict[str, str] = {}
    for fault in faults:
        found.setdefault(f"{fault.entity} {fault.dt}", fault.line())
    return found


def by_entity(left_out: Mapping[str, str]) -> dict[str, str]:
    """Each entity with partitions that are left out, with the reason of the newest, and how many more there are."""
    found: dict[str, list[str]] = {}
    for name in sorted(left_out, reverse=True):
        found.setdefault(name.split()[0], []).append(left_out[name])
    return {
        entity: lines[0] + (f" (and {len(lines) - 1} more partitions)" if len(lines) > 1 else "")
        for entity, lines in sorted(found.items())
    }


def read_left_out(storage: Storage, as_of: date) -> dict[str, str]:
    """What the night of as_of left out when it was last validated."""
    key = accepted_key(as_of)
    found: dict[str, str] = storage.read_json(key).get("left_out", {}) if storage.exists(key) else {}
    return found
