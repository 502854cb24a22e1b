"""The source contract: what a store delivers each day. The only list of entities and columns there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Type(StrEnum):
    """The types of the contract."""

    ID = "id"
    TEXT = "text"
    TS = "ts"
    N = "n"
    MONEY = "money"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    """One column: its type, whether it may be null or absent, whether it is personal, what values are allowed."""

    name: str
    type: Type
    doc: str
    nullable: bool = False
    personal: bool = False
    allowed: tuple[str, ...] = ()
    above: float | None = None  # exclusive lower bound
    at_least: float | None = None  # inclusive lower bound


@dataclass(frozen=True)
class Entity:
    """One entity: its columns, its key and the column that says when a row happened."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    happened: str | None  # None: the happened column is the order's
    required: bool = False
    needed_for: tuple[str, ...] = ()
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


@dataclass(frozen=True)
class Meta:
    """The columns that Nightcart adds to each row at load."""

    dt: str = "dt"
    known_at: str = "known_at"
    loaded_as_of: str = "loaded_as_of"
    names: tuple[str, ...] = field(default=("dt", "known_at", "loaded_as_of"))


META = Meta()

CUSTOMERS = Entity(
    "customers",
    "People with an account at the store.",
    ("customer_id",),
    (
        Column("customer_id", Type.ID, "The store's own id of the customer."),
        Column("signed_up_at", Type.TS, "When the account was opened.", nullable=True),
        Column("country", Type.TEXT, "Country of the account.", nullable=True),
        Column("email", Type.TEXT, "E-mail address; a pseudonym once collected.", nullable=True, personal=True),
        Column("full_name", Type.TEXT, "Name; a pseudonym once collected.", nullable=True, personal=True),
        Column("phone", Type.TEXT, "Telephone number; a pseudonym once collected.", nullable=True, personal=True),
        Column("updated_at", Type.TS, "When the row last changed in the store."),
    ),
    "updated_at",
    required=True,
    needed_for=("recommendations", "demand"),
    is_always_known_in_history=True,
)

PRODUCTS = Entity(
    "products",
    "What the store sells or sold.",
    ("product_id",),
    (
        Column("product_id", Type.ID, "The store's own id of the product."),
        Column("title", Type.TEXT, "What customers read."),
        Column("category", Type.TEXT, "Category path, levels joined by ' > '.", nullable=True),
        Column("brand", Type.TEXT, "Brand or maker.", nullable=True),
        Column("unit_price", Type.MONEY, "List price; filters and costs tonight's outputs only.", at_least=0),
        Column("unit_cost", Type.MONEY, "What one unit costs the store.", nullable=True, at_least=0),
        Column("is_active", Type.FLAG, "Whether it is on sale; filters tonight's outputs only."),
        Column("lead_time_days", Type.N, "Days from reorder to shelf.", nullable=True, at_least=0),
        Column("order_multiple", Type.N, "Units a reorder must be a multiple of.", nullable=True, above=0),
        Column("updated_at", Type.TS, "When the row last changed in the store."),
    ),
    "updated_at",
    required=True,
    needed_for=("recommendations", "demand"),
    is_always_known_in_history=True,
)

ORDERS = Entity(
    "orders",
    "Orders, one row each; the status is overwritten as it moves.",
    ("order_id",),
    (
        Column("order_id", Type.ID, "The store's own id of the order."),
        Column("customer_id", Type.ID, "Who ordered; null for a guest.", nullable=True),
        Column("ordered_at", Type.TS, "When the order was placed."),
        Column(
            "status",
            Type.TEXT,
            "Where the order stands; only cancelled is used, on the night it is known.",
            allowed=("placed", "paid", "shipped", "delivered", "cancelled"),
        ),
        Column("ship_country", Type.TEXT, "Country the order goes to.", nullable=True),
        Column("channel", Type.TEXT, "Where it was placed: web, app, shop.", nullable=True),
        Column("currency", Type.TEXT, "Currency of the amounts; one a store."),
    ),
    "ordered_at",
    required=True,
    needed_for=("recommendations", "demand"),
    is_volume_checked=True,
)

ORDER_LINES = Entity(
    "order_lines",
    "The products of an order.",
    ("order_id", "line_number"),
    (
        Column("order_id", Type.ID, "The order the line belongs to."),
        Column("line_number", Type.N, "Number of the line within its order."),
        Column("product_id", Type.ID, "What was ordered."),
        Column("quantity", Type.N, "Units ordered.", above=0),
        Column("unit_price", Type.MONEY, "Price of one unit before discount.", at_least=0),
        Column("discount", Type.MONEY, "Discount of the whole line, not yet subtracted.", nullable=True, at_least=0),
    ),
    None,
    required=True,
    needed_for=("recommendations", "demand"),
    is_volume_checked=True,
)

ENTITIES: dict[str, Entity] = {entity.name: entity for entity in (CUSTOMERS, PRODUCTS, ORDERS, ORDER_LINES)}
OUTPUTS: tuple[str, ...] = ("recommendations", "demand")
