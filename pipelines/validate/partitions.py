"""Faults of whole partitions: never delivered, too few rows for their weekday, too old, too many bad rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from pipelines.contract import ENTITIES, ORDERS
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import Entry, Manifest
from pipelines.sections import Validate
from pipelines.validate.faults import Fault

WEEKDAYS = 4  # partitions of the same weekday that a new one is held against
RECENT = timedelta(days=7)  # what lies further back was lived with
SHARE_FROM = 20  # rows; of fewer a share says nothing


@dataclass(frozen=True)
class Delivered:
    """How many rows a partition has."""

    dt: date
    rows: int
    is_history: bool


def delivered(entity: str, ledger: Ledger, manifest: Manifest) -> list[Delivered]:
    """The last content of each partition of an entity, loaded before or new tonight, by dt."""
    found = {row["dt"]: Delivered(row["dt"], row["rows"], row["is_history"]) for row in ledger.of([entity])}
    for entry in manifest.of(entity):
        is_history = entry.is_history or (entry.dt in found and found[entry.dt].is_history)
        found[entry.dt] = Delivered(entry.dt, entry.rows, is_history)
    return [found[dt] for dt in sorted(found)]


def too_few(entry: Entry, others: Iterable[Delivered], minimum: float) -> Fault | None:
    """A new partition with fewer rows than a share of the median of the last of its weekday; fewer than four: none."""
    same = [
        other.rows
        for other in sorted(others, key=lambda other: other.dt)
        if other.dt < entry.dt and other.dt.weekday() == entry.dt.weekday() and other.rows and not other.is_history
    ][-WEEKDAYS:]
    if len(same) < WEEKDAYS or not entry.rows or entry.rows >= minimum * median(same):
        return None
    weekday = f"{entry.dt:%A}"
    text = f"{entry.rows} rows, expected at least {minimum:g} of the median of the last {WEEKDAYS} {weekday}s"
    return Fault(
        entry.entity,
        entry.dt,
        "min_volume_ratio",
        f"{text}, {median(same):g}",
        content_digest=entry.content_digest,
        is_acceptable=True,
    )


def volume_faults(manifest: Manifest, ledger: Ledger, settings: Validate) -> list[Fault]:
    """The new partitions of the last week with too few rows."""
    found: list[Fault | None] = []
    for entity in (entity for entity in ENTITIES.values() if entity.is_volume_checked):
        others = delivered(entity.name, ledger, manifest)
        recent = [entry for entry in manifest.of(entity.name) if entry.dt >= manifest.as_of - RECENT]
        found += [too_few(entry, others, settings.min_volume_ratio) for entry in recent if not entry.is_history]
    return [fault for fault in found if fault]


def missing_faults(manifest: Manifest, ledger: Ledger) -> list[Fault]:
    """Required entities of which no partition was ever delivered."""
    here = {entry.entity for entry in manifest.partitions}
    return [
        Fault(name, None, "delivered", _never(name, manifest), is_acceptable=False)
        for name, entity in ENTITIES.items()
        if entity.required and name not in here and not ledger.has(name)
    ]


def _never(entity: str, manifest: Manifest) -> str:
    waiting = [name for name in manifest.incomplete if name.split()[0] == entity]
    note = f"; {len(waiting)} without _SUCCESS don't count, such as {waiting[-1]}" if waiting else ""
    return f"no partition before {manifest.as_of} was ever delivered, expected {entity}/dt=YYYY-MM-DD{note}"


def age_faults(manifest: Manifest, ledger: Ledger, max_age_days: int | None) -> list[Fault]:
    """The newest partition of orders with rows is too old."""
    dates = [found.dt for found in delivered(ORDERS.name, ledger, manifest) if found.rows]
    if max_age_days is None or not dates or (manifest.as_of - max(dates)).days <= max_age_days:
        return []
    age = (manifest.as_of - max(dates)).days
    text = f"the newest partition with rows is {max(dates)}, {age} days old, expected at most {max_age_days}"
    return [Fault(ORDERS.name, None, "max_age_days", text)]


def share_fault(entry: Entry, counts: list[dict[str, Any]], maximum: float) -> list[Fault]:
    """A partition of which too many rows are bad: one fault a rule."""
    bad = sum(count["rows"] for count in counts)
    if entry.rows < SHARE_FROM or bad <= maximum * entry.rows:
        return []
    whole = f"{bad} of its {entry.rows} rows are bad, at most {maximum:.1%} may be"
    return [_of_rule(entry, count, whole) for count in counts]


def _of_rule(entry: Entry, count: dict[str, Any], whole: str) -> Fault:
    rule, rows = count["rule"], count["rows"]
    return Fault(
        entry.entity,
        entry.dt,
        rule,
        f"expected {count['expected']} ({whole})",
        column=rule[rule.index("(") + 1 : -1],
        rows=rows,
        share=rows / entry.rows,
        samples=tuple(count["samples"]),
        content_digest=entry.content_digest,
        is_acceptable=True,
    )
