"""What is watched for drift: which rows of a night, which columns, by which segments, and which outputs use them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.catalog import OUTPUT_TABLES

FRESH = (
    "known_at > timestamp '{since}' and known_at <= timestamp '{until}' "
    "and cast({happened} as date) = cast(known_at as date) - 1"
)
"""What happened on the day before the night that knows it: a late row is in no night's histogram."""
SEPARATORS = r"""[\s.,;:!?()"'']+"""


@dataclass(frozen=True)
class Watched:
    """Rows of one table that a night brings, or that hold as of the night."""

    table: str
    sql: str  # night and the columns; {since} is the last night before them, {until} the last of them
    outputs: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()  # words, flags and small numbers: each value is a bin
    segments: tuple[str, ...] = ()
    is_state: bool = False  # the same things again each night: compared with the night before, not with eight weeks


def _from(relation: str, columns: str, happened: str) -> str:
    return f"select cast(known_at as date) as night, {columns} from {relation} where {FRESH}".replace(
        "{happened}", happened
    )


PAYMENT_NUMBERS = (
    "amount",
    "account_age_days",
    "order_units",
    "most_expensive_unit_price",
    "amount_over_usual",
    "customer_payments_7d",
    "customer_payments_before",
    "device_payments_7d",
    "device_customers_30d",
    "device_age_days",
    "card_payments_7d",
    "card_customers_30d",
    "ip_payments_7d",
    "ip_prefix_payments_7d",
    "products_new_to_customer_share",
    "product_chargeback_rate_90d",
)
PAYMENT_TEXTS = (
    "billing_country",
    "hour_of_day",
    "is_guest",
    "ip_country_differs",
    "ship_country_differs",
    "is_device_new_to_customer",
    "is_card_new_to_customer",
)
LINES = (
    "select night, quantity, revenue / nullif(quantity, 0) as unit_price, "
    "day - dim_products.first_sold_on as product_age_days, "
    "split_part(dim_products.category, ' > ', 1) as category from ("
    + _from("intermediate.int_order_lines_changes", "product_id, day, quantity, revenue", "day")
    + " and sign = 1) as lines left join marts.dim_products on lines.product_id = dim_products.product_id"
)
WORDS = (
    "select night, word from ("
    + _from(
        "staging.stg_store__ticket_messages",
        f"regexp_split_to_table(lower(body), '{SEPARATORS}') as word",
        "sent_at",
    )
    + " and author = 'customer') as messages where word <> ''"
)

INPUTS = (
    Watched(
        "orders",
        _from(
            "staging.stg_store__orders",
            "channel, ship_country, case when customer_id is null then 'guest' else 'customer' end as buyer",
            "ordered_at",
        ),
        ("recommendations", "demand"),
        texts=("channel", "ship_country", "buyer"),
        segments=("channel",),
    ),
    Watched(
        "order_lines",
        LINES,
        ("recommendations", "demand"),
        numbers=("quantity", "unit_price", "product_age_days"),
        texts=("category",),
        segments=("category",),
    ),
    Watched(
        "events",
        _from("staging.stg_store__events", "kind, placement", "occurred_at"),
        ("recommendations",),
        texts=("kind", "placement"),
    ),
    Watched(
        "stock_levels",
        _from("staging.stg_store__stock_levels", "on_hand, on_order", "as_of_date"),
        ("demand",),
        numbers=("on_hand", "on_order"),
        is_state=True,
    ),
    Watched(
        "features_payments",
        _from("intermediate.int_payment_features", ", ".join(PAYMENT_NUMBERS + PAYMENT_TEXTS), "paid_at"),
        ("risk",),
        numbers=PAYMENT_NUMBERS,
        texts=PAYMENT_TEXTS,
        segments=("billing_country", "is_guest"),
    ),
    Watched(
        "tickets",
        _from("staging.stg_store__tickets", "channel", "opened_at"),
        ("support",),
        texts=("channel",),
    ),
    Watched("ticket_messages", WORDS, ("support",), texts=("word",)),
)
"""Read in the warehouse, while `build_features` holds its slot."""


def _scored(table: str, is_state: bool, where: str = "", **columns: tuple[str, ...]) -> Watched:
    (output,) = [str(dataset.output) for dataset in OUTPUT_TABLES if dataset.name == table]
    names = ", ".join(columns.get("numbers", ()) + columns.get("texts", ()))
    sql = f"select cast('{{until}}' as date) as night, {names} from {table} {where}"
    return Watched(table, sql, (output,), is_state=is_state, **columns)


PREDICTIONS = (
    _scored("recommendations", True, texts=("reason",), numbers=("score",)),
    _scored("demand_forecasts", True, "where horizon = 1", numbers=("units_mean",)),
    _scored("reorder_plan", True, numbers=("order_quantity",), texts=("reason",)),
    _scored("risk_flags", False, numbers=("fraud_probability",), texts=("decision",)),
    _scored("ticket_triage", True, numbers=("intent_probability",), texts=("intent", "urgency", "needs_human")),
)
"""Read from the night's scored files."""
WATCHED = {watched.table: watched for watched in INPUTS + PREDICTIONS}


def table_of(feature: str) -> Watched:
    """What a feature like `features_payments.amount:billing_country=GB` is a column of."""
    return WATCHED[feature.split(".", 1)[0]]
