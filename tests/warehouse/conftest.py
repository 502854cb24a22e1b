"""The Postgres server of the tests."""

from __future__ import annotations

from tests.warehouse.postgres_server import database, postgres_server

__all__ = ["database", "postgres_server"]
