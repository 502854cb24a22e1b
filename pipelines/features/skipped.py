"""What cannot be made on a night because the store does not deliver what it needs, or delivered it faulty."""

from __future__ import annotations

from datetime import date

from pipelines.contract import META, OPTIONAL
from pipelines.home import Home
from pipelines.validate.left_out import by_entity, read_left_out
from pipelines.warehouse import Session


def skipped_outputs(home: Home, session: Session, as_of: date) -> dict[str, str]:
    """Outputs, and single tables of one, that go without something they need, with the reason."""
    left_out = by_entity(read_left_out(home.storage, as_of))
    reasons: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for entity in OPTIONAL:
        for output in entity.needed_for:
            if entity.name in left_out:
                reasons.setdefault(output, []).append(f"{entity.name} waits for a fix: {left_out[entity.name]}")
            elif not _is_known(session, entity.name, as_of):
                missing.setdefault(output, []).append(entity.name)
    for output, names in missing.items():
        reasons.setdefault(output, []).append(f"no row of {', '.join(names)} is known as of {as_of}")
    return {output: "; ".join(found) for output, found in reasons.items()}


def _is_known(session: Session, entity: str, as_of: date) -> bool:
    query = f"select 1 as one from raw.{entity} where {META.known_at} <= timestamp '{as_of}' limit 1"
    return bool(session.read(query).num_rows)
