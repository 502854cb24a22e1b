"""What an audit found wrong: table, rule, how many rows, three of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.errors import AuditFault

SAMPLES = 3
LISTED = 10  # failures that the error lists


@dataclass(frozen=True)
class Failure:
    """One broken rule."""

    table: str
    rule: str
    count: int
    samples: tuple[str, ...]

    def plus(self, other: Failure) -> Failure:
        """The same rule broken in two chunks of a table."""
        return Failure(self.table, self.rule, self.count + other.count, (self.samples + other.samples)[:SAMPLES])

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count} rows"
        return f"{self.table}: {self.rule}: {rows}, such as {'; '.join(self.samples)}"


def fault_of(as_of: date, release_id: str, failures: Sequence[Failure]) -> AuditFault:
    """The error that stops the night, with every table and rule in it."""
    more = [f"and {len(failures) - LISTED} more"] if len(failures) > LISTED else []
    lines = "\n".join(f"  {line}" for line in [*(str(failure) for failure in failures[:LISTED]), *more])
    tables = sorted({failure.table for failure in failures})
    hint = (
        "nothing was published, the release before it stays; "
        f"look at releases/{release_id}/ in the store, then run the night of {as_of} again"
    )
    if any("last release" in failure.rule for failure in failures):
        hint += f"; if so few rows are right: `nightcart accept {tables[0]} {as_of} --reason ...`"
    return AuditFault(f"release {release_id} failed its audit in {', '.join(tables)}:\n{lines}", hint)
