"""One rule of the audit that needs more than one row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule: the table it is about, the output it belongs to (none: the marts) and the rows that break it."""

    name: str
    table: str
    output: str | None
    sql: str
