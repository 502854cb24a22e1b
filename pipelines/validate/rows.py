"""The rows of an entity that came in tonight, in DuckDB: bad and duplicate ones told from those to load."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from pipelines.contract import META, Entity
from pipelines.ingest.casts import SQL
from pipelines.ingest.engine import Engine
from pipelines.ingest.manifest import Entry
from pipelines.ingest.read import FAULT
from pipelines.storage import Storage
from pipelines.validate.expectations import ROW

UPDATED_AT = "updated_at"
EXPECTED = ", expected "  # between what a reason found and what it expected
RULE, REASON = "_rule", "_reason"  # columns of quarantined rows, beside the entity's own
DROPPED = "dropped"  # an older of two rows with the same key: counted, not bad
COLLAPSED = "collapsed"  # the same row once more


@dataclass(frozen=True)
class Rows:
    """The views of an entity's new rows: `rows`, and once judged `bad` and `repeats`."""

    engine: Engine
    entity: Entity

    def open(self, storage: Storage, entries: list[Entry]) -> None:
        """Make the collected files of all new partitions readable as one view with numbered rows."""
        offsets, total = [], 0
        for entry in entries:
            offsets.append(total)
            total += entry.rows
        paths = [str(storage.path(str(entry.key))) for entry in entries]
        known = pa.array([entry.known_at for entry in entries], pa.date32()).cast(pa.timestamp("us"))
        about = {"path": paths, META.dt: [entry.dt for entry in entries], "skip": offsets, META.known_at: known}
        self.engine.register("partitions_of_rows", pa.table(about | {"is_history": [e.is_history for e in entries]}))
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        columns = ", ".join(f'r."{name}"' for name in [*self.entity.column_names, FAULT])
        self.engine.run(
            f"create or replace view rows as select p.skip + r.file_row_number as {ROW}, p.{META.dt}, "
            f"p.{META.known_at}, p.is_history, {columns} from read_parquet([{listed}], filename = true, "
            "file_row_number = true) as r join partitions_of_rows as p on p.path = r.filename"
        )

    def judge(self, failed: pa.Table) -> None:
        """Put together what is bad: unread cells, what failed the suite, then duplicates among the rest."""
        self.engine.register("failed", failed)
        self.engine.run(
            f"create or replace table bad as select {ROW}, {META.dt}, split_part({FAULT}, ': ', 1) as rule, "
            f"substr({FAULT}, strpos({FAULT}, ': ') + 2) as reason from rows where {FAULT} is not null"
        )
        self.engine.run(
            f"insert into bad select f.{ROW}, r.{META.dt}, f.rule, f.reason from (select {ROW}, "
            "arg_min(rule, rank) as rule, arg_min(reason, rank) as reason from failed group by 1) as f "
            f"join rows as r on r.{ROW} = f.{ROW}"
        )
        self._find_repeats()
        rule = f"unique({', '.join(self.entity.key)})"
        key = ", ".join(f'r."{name}"' for name in self.entity.key)
        reason = f"'the key ' || concat_ws(' ', {key}) || ' has rows that differ{EXPECTED}one row a key'"
        self.engine.run(
            f"insert into bad select {ROW}, r.{META.dt}, '{rule}', {reason} from rows as r "
            f"semi join (select {ROW} from repeats where kind = 'unique') using ({ROW})"
        )

    def _find_repeats(self) -> None:
        """Rows beyond the first of their key in a partition, and what becomes of them."""
        key = ", ".join([META.dt, *(f'"{name}"' for name in self.entity.key)])
        columns = ", ".join(f'"{name}"' for name in self.entity.column_names)
        good = f"select * from rows where {ROW} not in (select {ROW} from bad)"
        newest = UPDATED_AT if UPDATED_AT in self.entity.by_name else "null::timestamp"
        self.engine.run(
            f"create or replace table repeats as with good as ({good}), "
            f"keys as (select {key} from good group by all having count(*) > 1), "
            f"same as (select g.*, row_number() over (partition by {META.dt}, {columns} order by {ROW}) as copy, "
            f"{newest} as newest from good as g semi join keys using ({key})), "
            f"ranked as (select *, max(newest) over (partition by {key}) as latest from same), "
            "kept as (select *, newest is not distinct from latest as is_latest from ranked where copy = 1), "
            f"told as (select *, sum(is_latest::int) over (partition by {key}) as rivals, "
            f"count(*) over (partition by {key}) as versions from kept) "
            f"select {ROW}, {META.dt}, case when versions = 1 then 'kept' when rivals > 1 then 'unique' "
            f"when is_latest then 'kept' else '{DROPPED}' end as kind from told "
            f"union all select {ROW}, {META.dt}, '{COLLAPSED}' from same where copy > 1"
        )

    def counts(self) -> list[dict[str, Any]]:
        """Bad rows by partition and rule, with what was expected and three samples of what was found."""
        found = self.engine.table(
            f"with samples as (select {META.dt}, rule, split_part(reason, '{EXPECTED}', 1) as sample, "
            f"split_part(reason, '{EXPECTED}', 2) as expected, count(*) as rows, min({ROW}) as first "
            f"from bad group by all) select {META.dt}, rule, expected, sum(rows)::bigint as rows, "
            f"list(sample order by first)[1:3] as samples from samples group by all order by {META.dt}, rows desc, rule"
        )
        return list(found.to_pylist())

    def repeats(self) -> dict[str, int]:
        """How many rows were collapsed or dropped."""
        found = self.engine.table("select kind, count(*) as n from repeats group by kind").to_pylist()
        return {row["kind"]: row["n"] for row in found}

    def accepted_sql(self, left_out: Collection[date] = ()) -> str:
        """The rows to load, in the order of partition and key; none of the partitions that are left out."""
        columns = ", ".join(f'"{name}"' for name in self.entity.column_names)
        key = ", ".join(f'"{name}"' for name in self.entity.key)
        out = f"select {ROW} from bad union all select {ROW} from repeats where kind in ('{DROPPED}', '{COLLAPSED}')"
        known_at = META.known_at  # of a history row the day after it happened; of a line its order knows, at load
        if self.entity.happened:
            known_at = (
                f"coalesce({known_at}, date_trunc('day', {self.entity.happened}) + interval '1 day') as {known_at}"
            )
        listed = ", ".join(f"date '{dt}'" for dt in sorted(left_out))
        without = f" and {META.dt} not in ({listed})" if listed else ""
        return (
            f"select {columns}, {META.dt}, is_history, {known_at} from rows "
            f"where {ROW} not in ({out}){without} order by {META.dt}, {key}"
        )

    def quarantine_sql(self) -> str:
        """The bad rows, with the rule and the reason."""
        columns = ", ".join(f'r."{c.name}"::{SQL[c.type]} as "{c.name}"' for c in self.entity.columns)
        return (
            f"select {columns}, r.{META.dt}, b.rule as {RULE}, b.reason as {REASON} "
            f"from rows as r join bad as b on b.{ROW} = r.{ROW} "
            f"order by r.{META.dt}, r.{ROW}"
        )
