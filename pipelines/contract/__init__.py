"""The source contract: what a store delivers each day. The only list of entities and columns there is."""

from __future__ import annotations

from pipelines.contract.optional import (
    CHARGEBACKS,
    EVENTS,
    PAYMENTS,
    RETURNS,
    STOCK_LEVELS,
    TICKET_MESSAGES,
    TICKET_RESOLUTIONS,
    TICKETS,
)
from pipelines.contract.required import CUSTOMERS, ORDER_LINES, ORDERS, PRODUCTS
from pipelines.contract.types import META, Column, Derived, Entity, Meta, Personal, Rule, Type

REQUIRED = (CUSTOMERS, PRODUCTS, ORDERS, ORDER_LINES)
OPTIONAL = (
    RETURNS,
    PAYMENTS,
    CHARGEBACKS,
    EVENTS,
    STOCK_LEVELS,
    TICKETS,
    TICKET_MESSAGES,
    TICKET_RESOLUTIONS,
)
ENTITIES: dict[str, Entity] = {entity.name: entity for entity in REQUIRED + OPTIONAL}
OUTPUTS: tuple[str, ...] = ("recommendations", "demand", "risk", "support")

__all__ = [
    "CHARGEBACKS",
    "CUSTOMERS",
    "ENTITIES",
    "EVENTS",
    "META",
    "OPTIONAL",
    "ORDERS",
    "ORDER_LINES",
    "OUTPUTS",
    "PAYMENTS",
    "PRODUCTS",
    "REQUIRED",
    "RETURNS",
    "STOCK_LEVELS",
    "TICKETS",
    "TICKET_MESSAGES",
    "TICKET_RESOLUTIONS",
    "Column",
    "Derived",
    "Entity",
    "Meta",
    "Personal",
    "Rule",
    "Type",
]
