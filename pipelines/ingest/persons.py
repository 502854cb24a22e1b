"""What leads to a person leaves a delivered table before anything else sees it, in whatever column a line put it."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contract import PRODUCTS, STOCK_LEVELS, Column, Entity, Personal, Rule, Type
from pipelines.ingest.pseudonymise import pseudonymise, pseudonymise_prefix
from pipelines.ingest.redact import redact

DERIVE = {Rule.IP_PREFIX: pseudonymise_prefix}
OF_THINGS = (PRODUCTS.name, STOCK_LEVELS.name)
CODE = "^[A-Za-z_-]{1,30}$"  # what a value of a closed list looks like; others could be a person's
NO_CODE = "[text]"


def may_hold_persons(entity: Entity, names: Collection[str]) -> bool:
    """Whether a shifted line of a file with these columns could put a person into any of them."""
    if any(column.personal for column in entity.columns):
        return True
    return entity.name not in OF_THINGS and any(name not in entity.delivered for name in names)


def without_persons(table: pa.Table, entity: Entity, key: bytes, *, is_wary: bool) -> pa.Table:
    """Pseudonyms and redacted text in the place of what is personal; if wary, other texts are redacted too."""
    for column in entity.columns:
        if column.derived and column.derived.source in table.column_names:
            made = DERIVE[column.derived.rule](table[column.derived.source], key)
            table = table.append_column(column.name, made)
    for at, name in enumerate(table.column_names):
        column = entity.by_name[name]
        if column.derived:
            continue
        if column.personal in (Personal.PSEUDONYM, Personal.LINK):
            table = table.set_column(at, name, pseudonymise(table.column(at), name, key))
        elif column.personal or (is_wary and column.type is Type.TEXT):
            table = table.set_column(at, name, _redacted(table.column(at), column))
    return table


def _redacted(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    found = redact(values)
    return pc.if_else(pc.match_substring_regex(found, CODE), found, NO_CODE) if column.allowed else found


def without_misplaced(rows: pa.Table, entity: Entity, is_faulty: pa.ChunkedArray) -> pa.Table:
    """Rows whose cells could not be read, as those of a shifted line: ids redacted, what else is text left out."""
    if not pc.any(is_faulty).as_py():
        return rows
    for at, name in enumerate(rows.column_names):
        column = entity.by_name.get(name)
        if column and not column.personal and column.type in (Type.ID, Type.TEXT):
            values = rows.column(at)
            instead = redact(values) if column.type is Type.ID else pa.nulls(len(values), values.type)
            rows = rows.set_column(at, rows.field(at), pc.if_else(is_faulty, instead, values))
    return rows
