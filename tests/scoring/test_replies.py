"""Suggested replies: of the customer's own order, or none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from pipelines.scoring.replies import suggest

AS_OF = date(2011, 12, 1)
Row = dict[str, Any]


def fact(ticket_id: str, order_id: str, title: str, status: str = "shipped", **more: Any) -> Row:
    return {
        "ticket_id": ticket_id,
        "order_id": order_id,
        "status": status,
        "currency": "GBP",
        "ordered_at": pd.Timestamp("2011-11-03"),
        "product_id": title,
        "line_number": 1,
        "title": title,
        "quantity": 2,
        "unit_price": Decimal("4.25"),
        "revenue": Decimal("8.50"),
        "returned_units": None,
        "returned_at": None,
    } | more


def suggested(replies: list[Row], facts: list[Row], tickets: list[Row]) -> tuple[list[str | None], dict[str, int]]:
    titles = [row["title"] for row in facts]
    columns = list(fact("", "", ""))
    frames = {
        "replies": pd.DataFrame(replies),
        "ticket_facts": pd.DataFrame(facts, columns=columns),
        "products": pd.DataFrame({"title": titles}),
    }
    triage = pd.DataFrame(tickets)[["ticket_id", "intent"]]
    found, counts = suggest(triage, {"tickets": pd.DataFrame(tickets)}, frames, AS_OF)
    named = found["reply_source_ticket_id"].notna()
    assert (named == found["suggested_reply"].notna()).all()
    return [text if isinstance(text, str) else None for text in found["suggested_reply"]], counts


def old(ticket_id: str, order_id: str, text: str, reply: str, intent: str = "late") -> Row:
    return {"ticket_id": ticket_id, "order_id": order_id, "intent": intent, "text": text, "reply": reply}


OLD = old(
    "OLD", "536365", "where is my white mug of order 536365?",
    "Dear Sue, your order 536365 from 5 November 2011 is on its way. The white mug costs £3.50.",
)  # fmt: skip
OLD_FACT = fact(
    "OLD", "536365", "White Mug",
    ordered_at=pd.Timestamp("2011-11-05"), unit_price=Decimal("3.50"), revenue=Decimal("7.00"),
)  # fmt: skip
NEW = {"ticket_id": "NEW", "intent": "late", "text": "where is my red lamp? order 540001"}


def test_a_reply_takes_the_facts_of_this_tickets_order() -> None:
    found, counts = suggested([OLD], [OLD_FACT, fact("NEW", "540001", "Red Lamp")], [NEW])
    assert found == [
        "Dear customer, your order 540001 from 3 November 2011 is on its way. The red lamp costs £4.25."
    ] or found == [None]
    assert "white mug" not in str(found)
    assert "536365" not in str(found)
    assert counts["replies_suggested"] == sum(text is not None for text in found)


def test_without_an_order_of_ones_own_nothing_of_an_order_is_said() -> None:
    found, counts = suggested([OLD], [OLD_FACT], [NEW])
    assert found == [None]
    assert counts == {"replies_withheld_no_fact": 1, "replies_suggested": 0}


def test_a_reply_that_the_status_contradicts_is_withheld() -> None:
    reply = old("OLD", "536365", "where is my order 536365?", "Your order 536365 is on its way to you.")
    facts = [OLD_FACT, fact("NEW", "540001", "Red Lamp", "placed")]
    assert suggested([reply], facts, [NEW]) == ([None], {"replies_withheld_promise": 1, "replies_suggested": 0})
    facts = [OLD_FACT, fact("NEW", "540001", "Red Lamp")]
    assert suggested([reply], facts, [NEW])[0] == ["Your order 540001 is on its way to you."]


def test_the_next_best_is_tried() -> None:
    promise = old("A", "536365", NEW["text"], "A refund has been issued for order 536365.")
    good = old(
        "B", "536366", "where is my lamp", "Thank you for writing about order 536366. Which product is it about?"
    )
    found, _ = suggested([promise, good], [fact("NEW", "540001", "Red Lamp")], [NEW])
    assert found == ["Thank you for writing about order 540001. Which product is it about?"]


def test_a_reply_is_of_the_tickets_intent_and_language() -> None:
    german = {
        "ticket_id": "G",
        "intent": "late",
        "text": "Hallo, wo ist die Bestellung 540002? Ich warte.",
    }
    chinese = {"ticket_id": "Z", "intent": "late", "text": "你好，我的订单540003在哪里？"}
    replies = [
        old("E", "1", "where is my order", "Which order is it about?"),
        old("D", "2", "wo ist meine Bestellung", "Die Bestellung ist uns bekannt. Was genau ist passiert?"),
        old("B", "3", "我的订单在哪里", "您好，请问是哪个商品？"),
        old("C", "3", "我的订单在哪里", "您好，请问是哪个商品？"),
        old("X", "4", NEW["text"], "Which colour do you like?", intent="other"),
    ]
    found, _ = suggested(replies, [], [german, NEW, chinese])
    assert found == ["Die Bestellung ist uns bekannt. Was genau ist passiert?", "Which order is it about?",
                     "您好，请问是哪个商品？"]  # fmt: skip


def test_what_is_said_of_a_product_holds_for_no_other() -> None:
    reply = old("OLD", "536365", "how do I clean the white mug?", "The white mug should be washed by hand.")
    lamp, mug = fact("NEW", "540001", "Red Lamp"), fact("NEW", "540001", "White Mug")
    asked = NEW | {"text": "how do I clean it?"}
    assert suggested([reply], [OLD_FACT, lamp], [asked])[0] == [None]
    assert suggested([reply], [OLD_FACT, mug], [asked])[0] == ["The white mug should be washed by hand."]


def test_no_tickets_and_no_replies() -> None:
    assert suggested([OLD | {"text": ""}], [], [NEW]) == (
        [None],
        {"replies_withheld_nothing_alike": 1, "replies_suggested": 0},
    )
