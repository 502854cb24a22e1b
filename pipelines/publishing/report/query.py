"""Questions to the release's files, and how a skipped table is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

Files = Mapping[str, list[Path]]


def views(files: Files, *names: str) -> duckdb.DuckDBPyConnection:
    """A connection that sees these tables under their names."""
    connection = duckdb.connect(":memory:")
    for name in names:
        connection.read_parquet([str(file) for file in files[name]]).create_view(name)
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """The rows of a query by column name."""
    found = connection.sql(sql)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def why_empty(skipped: Mapping[str, str], output: str, table: str) -> dict[str, Any]:
    """The section of a table that is not there tonight."""
    return {"skipped": skipped.get(table) or skipped.get(output) or "it is not in this release"}
