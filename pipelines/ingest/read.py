"""A partition's files, read into the contract's columns and types; what is personal is pseudonymised or redacted.

Messages of the parsers are never passed on: they can quote a line, and a line can hold a person.
"""

from __future__ import annotations

import difflib
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipelines.contract import Entity
from pipelines.ingest.casts import ARROW, EXPECTED, SQL, cast_sql, is_castable
from pipelines.ingest.engine import Engine
from pipelines.ingest.landing import Partition
from pipelines.ingest.persons import may_hold_persons, without_misplaced, without_persons

FAULT = "_fault"  # hidden column: what of a row could not be read
UNREADABLE = "readable"


class PartitionFault(Exception):
    """Why a partition cannot be taken: the rule it breaks, the column where there is one, and what was found."""

    def __init__(self, rule: str, text: str, column: str | None = None) -> None:
        super().__init__(text)
        self.rule, self.text, self.column = rule, text, column


@dataclass(frozen=True)
class Read:
    """The rows of a partition, sorted by key and then by all columns, and what was odd about its files."""

    rows: pa.Table
    warnings: tuple[str, ...]


def schema_of(entity: Entity) -> pa.Schema:
    """The Arrow schema of collected rows: the contract's columns and the hidden one."""
    return pa.schema([*((column.name, ARROW[column.type]) for column in entity.columns), (FAULT, pa.string())])


def read_partition(engine: Engine, partition: Partition, entity: Entity, key: bytes) -> Read:
    """Read a partition's files, put them together and sort the rows.

    Raises:
        PartitionFault: a file cannot be read, a column is missing or has another type.
    """
    warnings: list[str] = []
    parts = []
    for listed in partition.files:
        try:
            with partition.fetch(listed) as file:
                parts.append(_read_file(engine, file, entity, key, warnings))
        except FileNotFoundError:
            raise PartitionFault(UNREADABLE, f"{listed.name} went away while it was read") from None
    table = pa.concat_tables([schema_of(entity).empty_table(), *parts])
    names = [*entity.key, *(name for name in entity.column_names if name not in entity.key), FAULT]
    order = pc.sort_indices(table, [(name, "ascending") for name in names])
    rows = table.take(order)
    return Read(rows, tuple(dict.fromkeys(warnings)))


def _read_file(engine: Engine, file: Path, entity: Entity, key: bytes, warnings: list[str]) -> pa.Table:
    _need_bytes(file)
    is_csv = not file.name.endswith(".parquet")
    table, is_wary = _read_csv(file, entity, warnings) if is_csv else _read_parquet(file, entity, warnings)
    try:
        table.validate(full=True)
        table = without_persons(table, entity, key, is_wary=is_wary)
        engine.register("delivered", table)
        rows = engine.table(_convert_sql(table.schema, entity, is_csv, is_wary)).cast(schema_of(entity))
        return without_misplaced(rows, entity, pc.is_valid(rows[FAULT])) if is_wary else rows
    except (pa.ArrowException, duckdb.Error):
        raise PartitionFault(UNREADABLE, f"{file.name} holds values that are damaged or not UTF-8") from None
    finally:
        engine.connection.unregister("delivered")


def _need_bytes(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            is_empty = not stream.read(1)
    except OSError as error:
        raise PartitionFault(UNREADABLE, f"{file.name} cannot be opened: {error.strerror}") from None
    if is_empty:
        raise PartitionFault(UNREADABLE, f"{file.name} has no bytes")


def _convert_sql(found: pa.Schema, entity: Entity, is_csv: bool, is_masked: bool) -> str:
    values, faults = [], []
    for column in entity.columns:
        if column.name not in found.names:
            values.append(f'null::{SQL[column.type]} as "{column.name}"')
            continue
        value, unread = cast_sql(column, found.field(column.name).type, is_csv)
        values.append(f'{value} as "{column.name}"')
        sample = f"regexp_replace(regexp_replace(left({unread}, 40), '\\pN', '9', 'g'), '\\pL', 'a', 'g')"
        shown = sample if is_masked else f"left({unread}, 40)"
        text = f"'parses({column.name}): {column.name} is ''' || {shown} || ''', expected {EXPECTED[column.type]}'"
        faults.append(text)
        if column.personal and not column.nullable:  # no suite looks at a personal column
            null = f"'not_null({column.name}): {column.name} is null, expected a value'"
            faults.append(f'case when "{column.name}" is null then {null} end')
    return f"select {', '.join(values)}, coalesce({', '.join([*faults, 'null'])})::varchar as {FAULT} from delivered"


def _read_parquet(file: Path, entity: Entity, warnings: list[str]) -> tuple[pa.Table, bool]:
    try:
        with pq.ParquetFile(file) as source:
            schema = source.schema_arrow
            _check_header(file, schema.names, entity, warnings)
            for column in entity.delivered.values():
                if column.name in schema.names and not is_castable(schema.field(column.name).type, column.type):
                    raise PartitionFault(
                        "type",
                        f"{column.name} is {schema.field(column.name).type} in {file.name}, "
                        f"expected {EXPECTED[column.type]}",
                        column.name,
                    )
            wanted = [name for name in entity.delivered if name in schema.names]
            return source.read(wanted), may_hold_persons(entity, schema.names)
    except (pa.ArrowException, OSError):
        raise PartitionFault(UNREADABLE, f"{file.name} is not a whole Parquet file: truncated or damaged") from None


def _header_of(file: Path) -> list[str]:
    try:
        with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as stream:
            line = stream.readline(1 << 20)
    except (OSError, EOFError, zlib.error):
        raise PartitionFault(UNREADABLE, f"{file.name} is not a whole gzip file: truncated or damaged") from None
    if not line.strip():
        raise PartitionFault(UNREADABLE, f"{file.name} has no header line")
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
        return list(pacsv.read_csv(pa.BufferReader(text.encode() + b"\n")).column_names)
    except (UnicodeDecodeError, pa.ArrowException):
        raise PartitionFault(UNREADABLE, f"the header of {file.name} is not UTF-8 text with commas") from None


def _read_csv(file: Path, entity: Entity, warnings: list[str]) -> tuple[pa.Table, bool]:
    names = _header_of(file)
    _check_header(file, names, entity, warnings)
    wanted = [name for name in entity.delivered if name in names]
    uneven: list[Any] = []

    def note(row: Any) -> str:
        uneven.append(row)
        return "error"

    try:
        table = pacsv.read_csv(
            str(file),
            read_options=pacsv.ReadOptions(block_size=1 << 24),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        return table, may_hold_persons(entity, names)
    except (pa.ArrowException, OSError, zlib.error, UnicodeDecodeError) as error:
        raise PartitionFault(UNREADABLE, f"{file.name} {_why(error, uneven)}") from None


def _why(error: Exception, uneven: list[Any]) -> str:
    """What a parser's error means, without its own words, which can quote a line."""
    if uneven:
        row = uneven[0]
        return f"has a line of {row.actual_columns} fields where the header has {row.expected_columns}"
    if "UTF8" in str(error) or "UTF-8" in str(error):
        return "is not UTF-8"
    return "ends early or is damaged"


def _check_header(file: Path, names: list[str], entity: Entity, warnings: list[str]) -> None:
    """Every column that may not be null is there, once; others than the contract's are ignored with a warning."""
    known = [name for name in names if name in entity.delivered]
    extra = [name for name in names if name not in entity.delivered and re.fullmatch(r"[A-Za-z_][\w ]{0,62}", name)]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise PartitionFault("columns", f"{file.name} has the column {twice[0]} more than once", twice[0])
    missing = [column.name for column in entity.delivered.values() if not column.nullable and column.name not in known]
    if not missing:
        if extra:
            warnings.append(f"columns that the contract lacks are ignored: {', '.join(extra)}")
        return
    if len(names) == 1 and (found := [mark for mark in ";|\t" if mark in names[0]]):
        what = f"{file.name} has one column, with {found[0]!r} inside: is the delimiter a comma?"
    elif not known:
        what = f"{file.name} has none of the columns of {entity.name}: is its first line the header?"
    else:
        nearest = difflib.get_close_matches(missing[0], extra, n=1, cutoff=0.0)
        renamed = f"; was it renamed to {nearest[0]}?" if nearest else ""
        what = f"{', '.join(missing)} missing in {file.name}{renamed}"
    raise PartitionFault("columns", what, missing[0])
