"""Replies with planted facts, right and wrong, in English, German and Chinese, for the checker to judge.

Dates and amounts are written here by other code than the product's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from benchmarks.reply_words import ASKED, DELIVERY, INSTRUCTIONS, ORDERED, REFUNDS, RETURNED, STATUS
from models.support.facts import Facts, Line, meant_in

AS_OF = date(2011, 12, 1)
NOUNS = (
    "Lantern",
    "Mug",
    "Doormat",
    "Cake Tin",
    "Bunting",
    "Clock",
    "Teapot",
    "Cushion",
    "Lamp",
    "Bowl",
    "Tray",
    "Candle",
)
ADJECTIVES = (
    "Red Retrospot",
    "White Metal",
    "Vintage",
    "Set of 3 Paisley",
    "Blue Polkadot",
    "Small Glass",
    "Ivory",
    "Wooden",
)
GERMAN_TITLES = ("Blaue Teekanne", "Große Laterne", "Kissen mit Sternen", "Rote Schale", "Kerze 12 cm")
CHINESE_TITLES = ("红色茶壶", "白色金属灯笼", "复古挂钟", "小号玻璃碗", "木制托盘")
ENGLISH_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
GERMAN_MONTHS = (
    "Januar",
    "Februar",
    "März",
    *("April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
)


def ordinal(day: int) -> str:
    """st, nd, rd or th."""
    return "th" if 4 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


DATES: dict[str, tuple[Callable[[date], str], ...]] = {
    "english": (
        lambda d: f"{d.day} {ENGLISH_MONTHS[d.month - 1]} {d.year}",
        lambda d: f"{ENGLISH_MONTHS[d.month - 1]} {d.day}, {d.year}",
        lambda d: f"{d.day}{ordinal(d.day)} of {ENGLISH_MONTHS[d.month - 1]}",
        lambda d: f"{ENGLISH_MONTHS[d.month - 1][:3]} {d.day}",
        lambda d: d.isoformat(),
    ),
    "german": (
        lambda d: f"{d.day:02d}.{d.month:02d}.{d.year}",
        lambda d: f"{d.day}. {GERMAN_MONTHS[d.month - 1]} {d.year}",
        lambda d: f"{d.day}.{d.month}.{d.year % 100:02d}",
        lambda d: f"{d.day}. {GERMAN_MONTHS[d.month - 1]}",
    ),
    "chinese": (
        lambda d: f"{d.year}年{d.month}月{d.day}日",
        lambda d: f"{d.month}月{d.day}日",
        lambda d: d.isoformat(),
        lambda d: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in f"{d.year}年{d.month}月{d.day}日"),
    ),
}
MONEY: dict[str, tuple[Callable[[Decimal], str], ...]] = {
    "english": (lambda m: f"£{m:,.2f}", lambda m: f"GBP {m:.2f}", lambda m: f"{m:,.2f} pounds"),
    "german": (
        lambda m: f"{m:,.2f} €".translate(str.maketrans(",.", ".,")),
        lambda m: f"{m:.2f} EUR".replace(".", ","),
        lambda m: f"{m:.2f} Euro".replace(".", ","),
    ),
    "chinese": (lambda m: f"¥{m:.2f}", lambda m: f"{m:.2f}元", lambda m: f"{m:,.2f} 元"),
}
CURRENCY = {"english": "GBP", "german": "EUR", "chinese": "CNY"}
WRONG = ("order", "date", "refund", "amount", "product", "status", "delivery", "instruction")


class Case(NamedTuple):
    """A reply to a ticket with the facts of its order. kind: right, or what is wrong with it."""

    kind: str
    language: str
    reply: str
    facts: Facts
    asked: str


def cases(count: int, seed: int, kinds: tuple[str, ...]) -> tuple[list[Case], list[str]]:
    """Cases, kinds and languages in turn, with the catalogue's titles."""
    draw = random.Random(seed)
    english = [f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    titles = {"english": english, "german": list(GERMAN_TITLES), "chinese": list(CHINESE_TITLES)}
    languages = ("english", "german", "chinese")
    made = [_case(draw, kinds[at % len(kinds)], languages[at // len(kinds) % 3], titles) for at in range(count)]
    return made, [title for known in titles.values() for title in known]


def _case(draw: random.Random, kind: str, language: str, titles: dict[str, list[str]]) -> Case:
    is_returned = kind != "refund" and draw.random() < 0.4
    facts = _facts(draw, language, titles[language], is_returned=is_returned)
    slots = _slots(draw, facts, language)
    asked = ASKED[language].format(**slots)
    facts = meant_in(facts, asked)
    reply = draw.choice(ORDERED[language]) + STATUS[language][facts.status or ""]
    reply += draw.choice(RETURNED[language]) if is_returned else ""
    if kind == "instruction":
        asked, said = _planted_instruction(draw, asked)
        return Case(kind, language, reply.format(**slots) + " " + said, facts, asked)
    reply, slots = _planted(draw, kind, language, reply, slots, facts, titles)
    return Case(kind, language, reply.format(**slots), facts, asked)


def _planted_instruction(draw: random.Random, asked: str) -> tuple[str, str]:
    """The ticket with an instruction in it, and what of it a reply echoes."""
    instruction = draw.choice(INSTRUCTIONS)
    return f"{asked} {instruction}.", instruction.partition(": ")[2] or instruction


def _planted(
    draw: random.Random, kind: str, language: str, reply: str, slots: dict[str, str], facts: Facts,
    titles: dict[str, list[str]],
) -> tuple[str, dict[str, str]]:  # fmt: skip
    """The reply, or its slots, with one wrong fact."""
    other = _facts(draw, language, titles[language], is_returned=True)
    wrong = Decimal(draw.randrange(100, 200_000)) / 100
    while wrong in facts.amounts:
        wrong += 1
    write = draw.choice(MONEY[language])
    match kind:
        case "order":
            reply = _with(draw, reply, "{order}", ORDERED[language])
            slots = slots | {"order": other.order_id or ""}
        case "date":
            reply = _with(draw, reply, "{ordered}", ORDERED[language])
            day = AS_OF - timedelta(days=draw.randrange(1, 300))
            while day in facts.dates:
                day -= timedelta(days=1)
            slots = slots | {"ordered": draw.choice(DATES[language])(day)}
        case "amount":
            name = draw.choice(["{total}", "{price}"])
            reply = _with(draw, reply, name, ORDERED[language])
            slots = slots | {name[1:-1]: write(wrong)}
        case "product":
            reply = _with(draw, reply, "{product}", ORDERED[language])
            slots = slots | {"product": draw.choice([t for t in titles[language] if facts.line(t) is None])}
        case "refund":
            reply += draw.choice(REFUNDS[language])
            slots = slots | {"amount": write(draw.choice([wrong, *facts.amounts]))}
        case "status":
            reply += STATUS[language][draw.choice([name for name in ("shipped", "delivered", "cancelled")
                                                   if not _is_so(name, facts.status)])]  # fmt: skip
        case "delivery":
            reply += draw.choice(DELIVERY[language])
            slots = slots | {"later": draw.choice(DATES[language])(AS_OF + timedelta(days=draw.randrange(1, 20)))}
    return reply, slots


def _is_so(name: str, status: str | None) -> bool:
    return name == status or (name == "shipped" and status == "delivered")


def _with(draw: random.Random, reply: str, slot: str, templates: tuple[str, ...]) -> str:
    """The reply, or another that has the slot."""
    return reply if slot in reply else draw.choice([one for one in templates if slot in one])


def _facts(draw: random.Random, language: str, titles: list[str], *, is_returned: bool) -> Facts:
    ordered_on = AS_OF - timedelta(days=draw.randrange(20, 200))
    chosen = draw.sample(titles, draw.randrange(1, 4))
    lines = tuple(_line(draw, title) for title in chosen)
    status = draw.choice(["placed", "paid", "shipped", "delivered", "cancelled"])
    if is_returned:
        status = "delivered"
        day = ordered_on + timedelta(days=draw.randrange(2, 19))
        lines = (replace(lines[0], returned=draw.randrange(1, lines[0].quantity + 1), returned_on=day), *lines[1:])
    prefix = draw.choice(["", "", "C-", "WEB"])
    return Facts(AS_OF, f"{prefix}{draw.randrange(500_000, 600_000)}", status, CURRENCY[language], ordered_on, lines)


def _line(draw: random.Random, title: str) -> Line:
    price, quantity = Decimal(draw.randrange(50, 60_000)) / 100, draw.randrange(1, 13)
    return Line(title, quantity, price, price * quantity)


def _slots(draw: random.Random, facts: Facts, language: str) -> dict[str, str]:
    """Every fact as it may be written; the product is that of the first line."""
    day, money, line = draw.choice(DATES[language]), draw.choice(MONEY[language]), facts.lines[0]
    return {
        "order": facts.order_id or "",
        "ordered": day(facts.ordered_on or AS_OF),
        "total": money(facts.total),
        "price": money(line.price),
        "quantity": str(line.quantity),
        "product": line.title.lower() if draw.random() < 0.5 else line.title,
        "returned": day(facts.returned_on or AS_OF),
        "refund": money(facts.returned_amount),
    }
