"""The entities that a store may lack: then the outputs that need them are skipped, and nothing else."""

from __future__ import annotations

from pipelines.contract.types import Column, Derived, Entity, Personal, Rule, Type

RETURNS = Entity(
    "returns",
    "Units that came back.",
    ("return_id",),
    (
        Column("return_id", Type.ID, "The store's own id of the return."),
        Column("order_id", Type.ID, "The order that the units came from, where it is known.", nullable=True),
        Column("customer_id", Type.ID, "Who returned them; null for a guest.", nullable=True),
        Column("product_id", Type.ID, "What was returned."),
        Column("quantity", Type.N, "Units returned.", above=0),
        Column("returned_at", Type.TS, "When they came back."),
    ),
    "returned_at",
    improves=("demand", "risk"),
)

PAYMENTS = Entity(
    "payments",
    "Payments of orders, the refused ones too where the store keeps them.",
    ("payment_id",),
    (
        Column("payment_id", Type.ID, "The store's own id of the payment."),
        Column("order_id", Type.ID, "The order that is paid."),
        Column("customer_id", Type.ID, "Who paid; null for a guest, or where only the order says it.", nullable=True),
        Column("paid_at", Type.TS, "When it was paid."),
        Column("amount", Type.MONEY, "What was paid."),
        Column("method", Type.TEXT, "How it was paid: card, invoice, wallet."),
        Column("card_token", Type.TEXT, "Token of the card.", nullable=True, personal=Personal.LINK),
        Column("device_id", Type.TEXT, "Id of the device that paid.", nullable=True, personal=Personal.LINK),
        Column("ip_address", Type.TEXT, "IP address that paid.", nullable=True, personal=Personal.LINK),
        Column(
            "ip_prefix",
            Type.TEXT,
            "Network of the IP address: /24 of IPv4, /48 of IPv6; null where it is no address.",
            nullable=True,
            personal=Personal.LINK,
            derived=Derived("ip_address", Rule.IP_PREFIX),
        ),
        Column("ip_country", Type.TEXT, "Country of the IP address.", nullable=True),
        Column("billing_country", Type.TEXT, "Country of the billing address.", nullable=True),
    ),
    "paid_at",
    needed_for=("risk",),
)

CHARGEBACKS = Entity(
    "chargebacks",
    "Payments that were charged back: the labels of risk.",
    ("payment_id",),
    (
        Column("payment_id", Type.ID, "The payment that was charged back."),
        Column("reported_at", Type.TS, "When the store was told."),
        Column("reason", Type.TEXT, "The reason given, such as a scheme's code.", nullable=True),
    ),
    "reported_at",
    needed_for=("risk",),
)

EVENTS = Entity(
    "events",
    "What visitors of the shop saw and did.",
    ("event_id",),
    (
        Column("event_id", Type.ID, "The store's own id of the event."),
        Column("customer_id", Type.ID, "Who; null for a visitor who is not logged in.", nullable=True),
        Column("session_id", Type.ID, "The visit it belongs to.", nullable=True),
        Column("product_id", Type.ID, "The product it is about.", nullable=True),
        Column(
            "kind",
            Type.TEXT,
            "What happened.",
            allowed=("view", "search", "add_to_cart", "remove_from_cart", "impression", "click"),
        ),
        Column("occurred_at", Type.TS, "When."),
        Column("placement", Type.TEXT, "Where in the shop a recommendation was shown.", nullable=True),
        Column("release_id", Type.TEXT, "The release that the recommendation came from.", nullable=True),
    ),
    "occurred_at",
    improves=("recommendations",),
)

STOCK_LEVELS = Entity(
    "stock_levels",
    "Units in stock and under way, by product and day.",
    ("product_id", "as_of_date"),
    (
        Column("product_id", Type.ID, "The product."),
        Column("as_of_date", Type.DATE, "The day whose stock this is."),
        Column("on_hand", Type.N, "Units on the shelf."),
        Column("on_order", Type.N, "Units ordered from the supplier and not yet there."),
    ),
    "as_of_date",
    needed_for=("reorder_plan",),
    improves=("demand",),
)

TICKETS = Entity(
    "tickets",
    "What customers asked the store for help with.",
    ("ticket_id",),
    (
        Column("ticket_id", Type.ID, "The store's own id of the ticket."),
        Column("customer_id", Type.ID, "Who asks; null for a guest.", nullable=True),
        Column("order_id", Type.ID, "The order it is about, where it is known.", nullable=True),
        Column("opened_at", Type.TS, "When it was opened."),
        Column("channel", Type.TEXT, "How it came in: e-mail, chat, call.", nullable=True),
        Column("subject", Type.TEXT, "Its subject line.", nullable=True, personal=Personal.TEXT),
    ),
    "opened_at",
    needed_for=("support",),
)

TICKET_MESSAGES = Entity(
    "ticket_messages",
    "The messages of a ticket's thread.",
    ("ticket_id", "message_number"),
    (
        Column("ticket_id", Type.ID, "The ticket the message belongs to."),
        Column("message_number", Type.N, "Number of the message within its ticket."),
        Column("author", Type.TEXT, "Who wrote it.", allowed=("customer", "agent")),
        Column("sent_at", Type.TS, "When it was sent."),
        Column("body", Type.TEXT, "What it says.", personal=Personal.TEXT),
    ),
    "sent_at",
    needed_for=("support",),
)

TICKET_RESOLUTIONS = Entity(
    "ticket_resolutions",
    "How tickets ended: the labels of support.",
    ("ticket_id",),
    (
        Column("ticket_id", Type.ID, "The ticket that was resolved."),
        Column("resolved_at", Type.TS, "When it was resolved."),
        Column("intent", Type.TEXT, "What the customer wanted, in the store's own words."),
        Column(
            "urgency", Type.TEXT, "How urgent it was.", nullable=True, allowed=("low", "normal", "high", "critical")
        ),
    ),
    "resolved_at",
    needed_for=("support",),
)
