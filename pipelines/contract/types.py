"""What the contract is made of: types, columns and entities."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Type(StrEnum):
    """The types of the contract."""

    ID = "id"
    TEXT = "text"
    TS = "ts"
    DATE = "date"
    N = "n"
    MONEY = "money"
    FLAG = "flag"


class Personal(StrEnum):
    """What becomes of a personal column at collect, before anything else sees it."""

    PSEUDONYM = "pseudonym"  # a keyed pseudonym that no model reads: names, e-mail, telephone
    LINK = "pseudonym, for features"  # a keyed pseudonym that features may link rows by: cards, devices, IP addresses
    TEXT = "redacted"  # free text, whose e-mail, phone, card, IBAN, address and name patterns are taken out


class Rule(StrEnum):
    """How a derived column is made."""

    IP_PREFIX = "ip_prefix"  # the pseudonym of the network: /24 of an IPv4 address, /48 of an IPv6 one


@dataclass(frozen=True)
class Derived:
    """What a column that no store delivers is made from, at collect."""

    source: str
    rule: Rule


@dataclass(frozen=True)
class Column:
    """One column: its type, whether it may be null or absent, how it is personal, what values are allowed."""

    name: str
    type: Type
    doc: str
    nullable: bool = False
    personal: Personal | None = None
    allowed: tuple[str, ...] = ()
    above: float | None = None  # exclusive lower bound
    at_least: float | None = None  # inclusive lower bound
    derived: Derived | None = None  # None: the store delivers it

    @property
    def is_modelled(self) -> bool:
        """Whether dbt's models may read it."""
        return self.personal is not Personal.PSEUDONYM


@dataclass(frozen=True)
class Entity:
    """One entity: its columns, its key and the column that says when a row happened."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    happened: str | None  # None: the happened column is the order's
    required: bool = False
    needed_for: tuple[str, ...] = ()  # without it these outputs are skipped
    improves: tuple[str, ...] = ()  # these do without it, and better with it
    is_volume_checked: bool = False
    is_always_known_in_history: bool = False

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def column_names(self) -> list[str]:
        """The names of the columns, in the contract's order."""
        return [column.name for column in self.columns]

    @cached_property
    def delivered(self) -> dict[str, Column]:
        """The columns that a store delivers, by name: all but the derived ones."""
        return {column.name: column for column in self.columns if column.derived is None}


@dataclass(frozen=True)
class Meta:
    """The columns that Nightcart adds to each row at load."""

    dt: str = "dt"
    known_at: str = "known_at"
    loaded_as_of: str = "loaded_as_of"
    names: tuple[str, ...] = field(default=("dt", "known_at", "loaded_as_of"))


META = Meta()
