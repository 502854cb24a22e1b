"""Where a Postgres server is: the parts of its URL, and the URL without its password for people to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from pipelines.errors import UsageFault

RECORDS = "records"  # the schema of the records
SCHEMES = ("postgresql", "postgres")
EXPECTED = "NIGHTCART_WAREHOUSE=postgresql://user:password@host:port/database"
OPTIONS = ("host", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout")  # what psycopg and dbt both know


def is_postgres(place: str) -> bool:
    """Whether a place names a Postgres server."""
    return place.split("://")[0] in SCHEMES and "://" in place


def masked(place: str) -> str:
    """A place without its password, and without the options, which may hold one too."""
    if "://" not in place:
        return place
    try:
        return sa.make_url(place).set(query={}).render_as_string(hide_password=True)
    except (sa.exc.ArgumentError, ValueError):
        return f"{place.split('://')[0]}://***"


@dataclass(frozen=True)
class Address:
    """A Postgres database and who reaches it."""

    place: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what names no server, user or database.

        Raises:
            UsageFault: a part is missing, or an option that not all of Nightcart's clients know.
        """
        missing = [name for name in ("host", "user", "dbname") if not self.parts.get(name)]
        if missing:
            raise UsageFault(f"{masked(self.place)} names no {', '.join(missing)}", EXPECTED)
        if unknown := sorted(set(self._url.query) - set(OPTIONS)):
            hint = f"the options are {', '.join(OPTIONS)}"
            raise UsageFault(f"{masked(self.place)} has the option {', '.join(unknown)}, which we do not know", hint)

    @cached_property
    def parts(self) -> dict[str, Any]:
        """What psycopg connects with."""
        url = self._url
        named = {"host": url.host, "port": url.port or 5432, "user": url.username, "password": url.password}
        given = {name: value for name, value in (named | {"dbname": url.database}).items() if value is not None}
        return {name: str(value) for name, value in {**given, **url.query}.items()}

    @property
    def sqlalchemy(self) -> sa.URL:
        """What SQLAlchemy connects with."""
        return self._url.set(drivername="postgresql+psycopg")

    @property
    def dbt(self) -> dict[str, str]:
        """The variables of dbt's profile; dbt strikes out of its log what is called a secret."""
        names = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "DATABASE"}
        names |= {name: name.upper() for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")}
        found = {f"NIGHTCART_DBT_{name}": self.parts[part] for part, name in names.items() if part in self.parts}
        return found | {"DBT_ENV_SECRET_NIGHTCART": self.parts.get("password", "")}

    def __str__(self) -> str:
        """For people: without the password."""
        return masked(self.place)

    @cached_property
    def _url(self) -> sa.URL:
        try:
            return sa.make_url(self.place)
        except (sa.exc.ArgumentError, ValueError) as error:
            raise UsageFault(f"{masked(self.place)} is no URL of a Postgres database", EXPECTED) from error
