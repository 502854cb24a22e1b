"""The analyst's role: it reads `published`, and nothing else in the database."""

from __future__ import annotations

from typing import Any

import psycopg

from pipelines.warehouse.copying import quoted

ANALYST = "analyst"
PUBLISHED = "published"
STATE = f"""
select
    exists (select from pg_roles where rolname = '{ANALYST}') as is_there,
    me.rolsuper or me.rolcreaterole as may_create,
    me.rolsuper or pg_has_role(database.datdba, 'member') as owns_database,
    database.datname as database,
    me.rolname as me
from pg_roles as me
cross join pg_database as database
where me.rolname = current_user and database.datname = current_database()
"""
RIGHTS = f"""
select
    pg_has_role(current_user, '{ANALYST}', 'member') as is_member,
    has_database_privilege('{ANALYST}', current_database(), 'temporary') as may_temporary,
    has_database_privilege('{ANALYST}', current_database(), 'create') as may_create,
    coalesce(has_schema_privilege('{ANALYST}', to_regnamespace('{PUBLISHED}')::oid, 'usage'), true) as may_read,
    array(
        select nspname::text from pg_namespace
        where nspname !~ '^pg_' and nspname not in ('information_schema', '{PUBLISHED}')
        and has_schema_privilege('{ANALYST}', oid, 'usage')
        order by 1
    ) as others
"""


def grant(connection: psycopg.Connection[Any]) -> None:
    """Make the role where we may, and let it read what is published; what we may not do `wanted` tells."""
    state = _row(connection, STATE)
    if not state["is_there"]:
        if not state["may_create"]:
            return
        connection.execute(f"create role {ANALYST} nologin")
    for statement in [*_reading(), *(_closing(connection) if state["owns_database"] else [])]:
        connection.execute(statement.encode())
    if state["may_create"] and not _row(connection, RIGHTS)["is_member"]:
        connection.execute(f"grant {ANALYST} to {quoted(state['me'])}".encode())


def wanted(connection: psycopg.Connection[Any]) -> list[str]:
    """The SQL that an administrator would have to run for the role to be what it should."""
    state = _row(connection, STATE)
    if not state["is_there"]:
        return [f"create role {ANALYST} nologin;", f"grant {ANALYST} to {quoted(state['me'])};"]
    rights = _row(connection, RIGHTS)
    missing = [] if rights["is_member"] else [f"grant {ANALYST} to {quoted(state['me'])};"]
    missing += [] if rights["may_read"] else [f"{statement};" for statement in _reading()]
    return missing + [f"{statement};" for statement in _closing(connection)]


def is_member(connection: psycopg.Connection[Any]) -> bool:
    """Whether we may read as the analyst does."""
    return bool(_row(connection, STATE)["is_there"] and _row(connection, RIGHTS)["is_member"])


def _reading() -> list[str]:
    return [
        f"grant usage on schema {PUBLISHED} to {ANALYST}",
        f"grant select on all tables in schema {PUBLISHED} to {ANALYST}",
        f"alter default privileges in schema {PUBLISHED} grant select on tables to {ANALYST}",
    ]


def _closing(connection: psycopg.Connection[Any]) -> list[str]:
    """What everybody may do in a new database, and the analyst should not; the database is Nightcart's own."""
    rights, state = _row(connection, RIGHTS), _row(connection, STATE)
    database, statements = quoted(state["database"]), []
    if rights["may_temporary"] or rights["may_create"]:
        statements += [
            f"grant temporary, create on database {database} to {quoted(state['me'])}",
            f"revoke temporary, create on database {database} from public, {ANALYST}",
        ]
    return statements + [f"revoke all on schema {quoted(name)} from public, {ANALYST}" for name in rights["others"]]


def _row(connection: psycopg.Connection[Any], sql: str) -> dict[str, Any]:
    cursor = connection.execute(sql.encode())
    values = cursor.fetchone()
    assert values is not None
    assert cursor.description is not None
    return {column.name: value for column, value in zip(cursor.description, values, strict=True)}
