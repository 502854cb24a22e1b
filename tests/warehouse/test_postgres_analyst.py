"""The analyst's role: it reads `published`; what else it asks of the server is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.catalog import RECORD_TABLES
from pipelines.warehouse import open_warehouse
from pipelines.warehouse.postgres import PostgresWarehouse
from tests.warehouse.postgres_server import PASSWORD, Server, postgres_server
from tests.warehouse.test_published_file import publish

__all__ = ["postgres_server"]
DENIED = "42501"  # insufficient_privilege
NOT_GRANTED, SKIPPED = "01007", "01000"  # warnings: the statement does nothing
PUBLISHED = ("dim_products", "dim_customers", "fct_daily_sales", *(dataset.name for dataset in RECORD_TABLES))
FORBIDDEN = {
    "reads raw rows": "select * from raw.orders",
    "reads dbt's models": "select * from intermediate.int_tickets",
    "reads features": "select * from features.features_products",
    "reads the pointer": "select * from records.shown",
    "reads the records": "select * from records.releases",
    "reads all releases": "select * from released.dim_products",
    "reads an older release": 'select * from released."dim_products first"',
    "reads a release that is not shown yet": 'select * from released."dim_products draft"',
    "calls what lies elsewhere": "select secret.answer()",
    "reads what the server holds of values": "select stavalues1 from pg_statistic",
    "reads passwords": "select rolpassword from pg_authid",
    "reads large objects of others": "select lo_get({object})",
    "inserts through a view": "insert into published.dim_products (product_id) values ('x')",
    "inserts": "insert into published.quarantine_counts default values",
    "updates through a view": "update published.dim_products set title = ''",
    "deletes": "delete from published.releases",
    "deletes within a select": "with gone as (delete from published.releases returning 1) select * from gone",
    "merges": "merge into published.releases as r using published.releases as s on false when matched then delete",
    "truncates": "truncate published.releases",
    "locks rows": "select * from published.releases for update",
    "locks a table": "begin; lock table published.releases in exclusive mode",
    "locks a view": "begin; lock table published.dim_products in access exclusive mode",
    "drops a view": "drop view published.dim_products",
    "drops a schema": "drop schema published cascade",
    "alters a table": "alter table published.releases add column mine text",
    "takes a view over": "alter view published.dim_products owner to alice",
    "makes a table": "create table published.mine (n int)",
    "makes a public table": "create table public.mine (n int)",
    "makes a temporary table": "create temporary table mine (n int)",
    "makes a temporary view": "create temporary view mine as select 1",
    "makes a schema": "create schema mine",
    "makes a view": "create view published.mine as select 1",
    "makes a function": "create function published.mine() returns int language sql as 'select 1'",
    "makes an index": "create index on published.releases (as_of)",
    "makes a trigger": "create trigger t after insert on published.releases for each row execute function f()",
    "makes a rule": "create rule r as on insert to published.dim_products do instead nothing",
    "makes a role": "create role mine",
    "makes a publication": "create publication mine",
    "makes a trusted extension": "create extension pg_trgm schema published",
    "makes a link to other servers": "create extension dblink schema published",
    "makes a database": "create database mine",
    "comments": "comment on view published.dim_products is 'mine'",
    "runs a program": "copy (select 1) to program 'true'",
    "writes a file of the server": "copy (select 1) to '/tmp/stolen'",
    "reads a file of the server": "copy published.releases from '/etc/passwd'",
    "reads a file by function": "select pg_read_file('/etc/passwd')",
    "lists files of the server": "select pg_ls_dir('.')",
    "imports a file": "select lo_import('/etc/passwd')",
    "exports a file": "select lo_export({object}, '/tmp/stolen')",
    "becomes nightcart": "set role nightcart",
    "becomes root": "set session authorization root",
    "raises its own role": "alter role alice createrole",
    "raises the analyst": "alter role analyst superuser",
    "gives itself rights": "grant nightcart to alice",
    "changes a setting of all": "alter system set log_statement = 'all'",
    "changes the database": "alter database {database} set search_path = mine",
    "ends a session of nightcart": "select pg_terminate_backend({session})",
    "cancels what nightcart does": "select pg_cancel_backend({session})",
    "writes a checkpoint": "checkpoint",
    "reloads the settings": "select pg_reload_conf()",
}
WITHOUT_EFFECT = {
    "vacuums": ("vacuum published.releases", SKIPPED),
    "analyses": ("analyze published.releases", SKIPPED),
    "grants what it may read": ("grant select on published.releases to public", NOT_GRANTED),
}


class Shop:
    """A database with a release, and what an analyst could aim at."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.url = server, server.new_database()
        self.database = self.url.rsplit("/", 1)[1]
        warehouse = open_warehouse(self.url, folder, 1)
        assert isinstance(warehouse, PostgresWarehouse)
        with warehouse.session() as session:
            for table in ("raw.orders", "intermediate.int_tickets", "features.features_products"):
                session.execute(f"create schema {table.split('.')[0]}; create table {table} (n bigint)")
            session.execute("create schema secret")
            session.execute("create function secret.answer() returns int language sql as 'select 42'")
            session.execute("create schema records; create table records.releases (n bigint)")
            self.object = session.read("select lo_from_bytea(0, 'secret')::bigint as id")["id"][0].as_py()
        publish(warehouse, folder, "first")
        with warehouse.connected() as connection:
            partition = 'released."dim_products draft"'
            connection.execute(f"create table {partition} partition of released.dim_products for values in ('draft')")
        publish(warehouse, folder, "second")


@pytest.fixture(scope="module")
def shop(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose analyst is alice."""
    found = Shop(postgres_server, tmp_path_factory.mktemp("shop"))
    with psycopg.connect(postgres_server.url("postgres", "root"), autocommit=True) as root:
        root.execute(f"create role alice login password '{PASSWORD}' in role analyst".encode())
        yield found
        postgres_server.drop(found.url)
        root.execute("drop role alice")


@pytest.fixture
def alice(shop: Shop) -> Iterator[psycopg.Connection[Any]]:
    """A connection of an analyst."""
    with psycopg.connect(shop.server.url(shop.database, "alice"), autocommit=True) as connection:
        yield connection


def state_of(shop: Shop) -> list[Any]:
    """What an analyst must not change: relations with their owners and rights, roles, rows."""
    with psycopg.connect(shop.server.url(shop.database, "root"), autocommit=True) as root:
        return [
            root.execute(sql.encode()).fetchall()
            for sql in (
                "select oid, relname, relowner, relacl::text, relnatts from pg_class order by 1",
                "select oid, rolname, rolsuper, rolcreaterole from pg_roles order by 1",
                "select roleid, member from pg_auth_members order by 1, 2",
                "select oid, nspname, nspacl::text from pg_namespace where nspname !~ '^pg_(toast_)?temp' order by 1",
                "select * from published.dim_products",
                "select * from published.releases",
            )
        ]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_is_forbidden_is_refused(shop: Shop, alice: psycopg.Connection[Any], what: str) -> None:
    with psycopg.connect(shop.url) as nightcart:
        names = {"database": shop.database, "object": shop.object, "session": nightcart.info.backend_pid}
        with pytest.raises(psycopg.Error) as caught:
            alice.execute(FORBIDDEN[what].format(**names).encode())
    assert caught.value.sqlstate == DENIED, caught.value


@pytest.mark.parametrize("what", WITHOUT_EFFECT)
def test_what_the_server_only_warns_of_does_nothing(shop: Shop, alice: psycopg.Connection[Any], what: str) -> None:
    before, (sql, state), warned = state_of(shop), WITHOUT_EFFECT[what], []
    alice.add_notice_handler(lambda said: warned.append(said.sqlstate))
    alice.execute(sql.encode())
    assert warned == [state]
    assert state_of(shop) == before


def test_all_of_it_together_changes_nothing(shop: Shop, alice: psycopg.Connection[Any]) -> None:
    before = state_of(shop)
    names = {"database": shop.database, "object": shop.object, "session": 0}
    for sql in [*FORBIDDEN.values(), *(sql for sql, _ in WITHOUT_EFFECT.values())]:
        try:
            alice.execute(sql.format(**names).encode())
        except psycopg.Error:
            alice.rollback()
    assert state_of(shop) == before


@pytest.mark.parametrize("table", PUBLISHED)
def test_what_is_published_can_be_read(alice: psycopg.Connection[Any], table: str) -> None:
    alice.execute(f"select * from published.{table}".encode())


def test_one_release_is_all_there_is_to_see(shop: Shop, alice: psycopg.Connection[Any]) -> None:
    found = alice.execute("select table_name::text from information_schema.tables where table_schema !~ '^(pg_|info)'")
    assert {name for (name,) in found.fetchall()} == set(PUBLISHED)
    assert alice.execute("select release_id from published.dim_products").fetchall() == [("second",)]
    older = "select count(*) from published.dim_products where release_id <> 'second' or release_id = 'draft'"
    assert alice.execute(older.encode()).fetchone() == (0,)
    hidden = "select count(*) from pg_stats where schemaname in ('raw', 'released', 'records', 'features')"
    assert alice.execute(hidden.encode()).fetchone() == (0,)
    others = "select count(*) from pg_stat_activity where usename = 'nightcart' and query !~ 'insufficient privilege'"
    assert alice.execute(others.encode()).fetchone() == (0,)
