"""Arrow tables to Postgres and back by COPY, as CSV that both sides write and read exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

BATCH = 65_536  # rows of Parquet in memory at once
SPOOL = 64 * 2**20  # bytes of a result that stay in memory
SQL_TYPES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.date32(): "date",
    pa.bool_(): "boolean",
    pa.decimal128(18, 4): "decimal(18, 4)",
    pa.timestamp("us"): "timestamp",
}
ARROW = {  # by the type's number in Postgres' catalogue
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int32(),
    23: pa.int32(),
    700: pa.float64(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
TEXT = (19, 25, 1042, 1043)  # name, text, char, varchar
NUMERIC, UNLIMITED = 1700, 38


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def column_list(schema: pa.Schema) -> str:
    """Columns with their types, for `create table`."""
    return ", ".join(f"{quoted(field.name)} {SQL_TYPES[field.type]}" for field in schema)


def schema_of(connection: psycopg.Connection[Any], sql: str) -> pa.Schema:
    """The Arrow schema of a query's rows; a numeric without a scale, as of a sum, is a double."""
    cursor = connection.execute(f"select * from (\n{sql}\n) as described limit 0".encode())
    return described(cursor)


def described(cursor: psycopg.Cursor[Any]) -> pa.Schema:
    """The Arrow schema of a cursor's rows."""
    return pa.schema([(column.name, _arrow(column)) for column in cursor.description or ()])


def _arrow(column: psycopg.Column) -> pa.DataType:
    if column.type_code == NUMERIC:
        precision, scale = column.precision, column.scale
        is_exact = precision is not None and scale is not None and precision <= UNLIMITED
        return pa.decimal128(precision, scale) if is_exact else pa.float64()
    return ARROW.get(column.type_code, pa.string())


def sorted_sql(sql: str, schema: pa.Schema, order_by: Sequence[str]) -> str:
    """The query with its rows in order; text by its bytes, whatever the database's collation is."""
    if not order_by:
        return sql
    terms = [
        quoted(name) + (' collate "C"' if pa.types.is_string(schema.field(name).type) else "") for name in order_by
    ]
    return f"select * from (\n{sql}\n) as unsorted order by {', '.join(terms)}"


def read(connection: psycopg.Connection[Any], sql: str, order_by: Sequence[str] = ()) -> pa.Table:
    """The rows of a query as Arrow."""
    schema = schema_of(connection, sql)
    with _copied_out(connection, sorted_sql(sql, schema, order_by)) as rows:
        return csv.read_csv(rows, **_reading(schema)).select(schema.names).combine_chunks()


def export(connection: psycopg.Connection[Any], sql: str, file: Path) -> int:
    """Write the rows of a query as Parquet, block by block; returns their number."""
    schema, written = schema_of(connection, sql), 0
    with _copied_out(connection, sql) as rows, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in csv.open_csv(rows, **_reading(schema)):
            writer.write_batch(batch)
            written += batch.num_rows
    return written


@contextmanager
def _copied_out(connection: psycopg.Connection[Any], sql: str) -> Iterator[Any]:
    """A file with the rows of a query as CSV."""
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        with connection.cursor().copy(f"copy (\n{sql}\n) to stdout (format csv, header)".encode()) as copy:
            for block in copy:
                spool.write(block)
        spool.seek(0)
        yield spool


def _reading(schema: pa.Schema) -> dict[str, Any]:
    return {
        "read_options": csv.ReadOptions(use_threads=False),
        "parse_options": csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        "convert_options": csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    }


def batches_of(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """The rows of Parquet files, a batch at a time."""
    for file in files:
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(BATCH)


def copy_in(connection: psycopg.Connection[Any], table: str, names: Sequence[str], batches: Iterator[Any]) -> None:
    """Append batches to a table; null and empty text stay apart."""
    columns = ", ".join(quoted(name) for name in names)
    options = csv.WriteOptions(include_header=False)
    with connection.cursor().copy(f"copy {table} ({columns}) from stdin (format csv)".encode()) as copy:
        for batch in batches:
            stream = BytesIO()
            csv.write_csv(batch.select(list(names)), stream, options)
            copy.write(stream.getvalue())
