"""The entities that every store delivers."""

from __future__ import annotations

from pipelines.contract.types import Column, Entity, Personal, Type

CUSTOMERS = Entity(
    "customers",
    "People with an account at the store.",
    ("customer_id",),
    (
        Column("customer_id", Type.ID, "The store's own id of the customer."),
        Column("signed_up_at", Type.TS, "When the account was opened.", nullable=True),
        Column("country", Type.TEXT, "Country of the account.", nullable=True),
        Column(
            "email",
            Type.TEXT,
            "E-mail address.",
            nullable=True,
            personal=Personal.PSEUDONYM,
        ),
        Column("full_name", Type.TEXT, "Name.", nullable=True, personal=Personal.PSEUDONYM),
        Column(
            "phone",
            Type.TEXT,
            "Telephone number.",
            nullable=True,
            personal=Personal.PSEUDONYM,
        ),
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
