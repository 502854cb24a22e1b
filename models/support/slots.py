"""Slots: a reply without the facts of the order that it was written about, to be filled with those of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from models.support.facts import CENT, Facts, Titles
from models.support.figures import MONTHS, Figure, find_figures, plain
from models.support.greetings import ungreeted

ORDER = re.compile(
    r"((?:\border(?: number| no\.?| id)?|\bpurchase|\bbestell(?:ung|nummer)|\bauftrag|订单号?|单号)\s*[:#№]?\s*)"
    r"([A-Z]{0,4}-?\d[A-Z0-9_-]{2,}|[A-Z]{1,4}\d+)",
    re.IGNORECASE,
)  # fmt: skip
STATUS = re.compile(
    r"(\b(?:has been|is|was|wurde|ist)\s+|已)"
    r"(placed|paid|shipped|delivered|cancelled|canceled|aufgegeben|bezahlt|versandt|zugestellt|storniert|下单|"
    r"付款|发货|签收|取消)(?![a-z])",
    re.IGNORECASE,
)
STATUSES = ("placed", "paid", "shipped", "delivered", "cancelled")
STATUS_WORDS = {
    "english": {name: name for name in STATUSES},
    "german": dict(zip(STATUSES, ("aufgegeben", "bezahlt", "versandt", "zugestellt", "storniert"), strict=True)),
    "chinese": dict(zip(STATUSES, ("下单", "付款", "发货", "签收", "取消"), strict=True)),
}
ABOUT_IT = re.compile(
    r"^\s*(?:is|are|was|should|must|may|can|has|have|contains?|measures?|comes?|fits?|weighs?|ist|sind|"
                      r"hat|haben|sollte|kann|darf|passt|是|有|可以|应)\b", re.IGNORECASE)  # fmt: skip


class NoFact(Exception):
    """A slot that this ticket has no fact for."""


@dataclass(frozen=True)
class Slot:
    """Where a fact stood. kind: order, ordered_on, returned_on, total, line, price, returned, product, status, unknown.

    style: how it was written. title: of the source's product that was meant.
    """

    kind: str
    style: str = ""
    title: str = ""


Part = str | Slot


def slotted(reply: str, source: Facts, catalogue: Titles) -> list[Part]:
    """The reply as pieces of text and slots; a figure that no fact of its own order explains is an unknown slot.

    source: facts of the order that it was written about, as of now; catalogue: every title that the store may name.
    """
    text, at = ungreeted(reply), 0
    spans = sorted(_spans(text, source, catalogue), key=lambda span: span[0])
    parts: list[Part] = []
    for start, end, slot in spans:
        if start < at:
            continue
        parts += [text[at:start], slot]
        at = end
    return [part for part in [*parts, text[at:]] if part]


def filled(parts: Sequence[Part], facts: Facts) -> str:
    """The reply about this ticket's order; raises NoFact where a slot has none."""
    said = []
    for at, part in enumerate(parts):
        follows = parts[at + 1] if at + 1 < len(parts) else ""
        if isinstance(part, str):
            said.append(part)
        elif part.kind == "product" and isinstance(follows, str) and ABOUT_IT.search(follows):
            said.append(_same_product(part, facts))
        else:
            said.append(_value(part, facts))
    return "".join(said)


def _spans(text: str, source: Facts, catalogue: Titles) -> Iterator[tuple[int, int, Slot]]:
    """Titles first, as they may hold figures; then the order's own number; then all figures."""
    taken: list[tuple[int, int]] = []
    titles = catalogue.find(text)
    for start, end, title in titles:
        taken.append((start, end))
        yield start, end, Slot("product", "lower" if text[start:end].islower() else "", title)
    found = [match.span(2) for match in ORDER.finditer(text)]
    if source.order_id and source.order_id in text:
        found += [
            match.span()
            for match in re.finditer(rf"(?<![A-Za-z0-9_]){re.escape(source.order_id)}(?![A-Za-z0-9_])", text)
        ]
    for start, end in found:
        if _is_free(start, end, taken):
            taken.append((start, end))
            yield start, end, Slot("order")
    for match in STATUS.finditer(text):
        if _is_free(*match.span(2), taken) and "order" in _subject(text, match.start(), taken):
            yield *match.span(2), Slot("status", _language(match[2]))
    for figure in find_figures(plain(text)):
        if _is_free(figure.start, figure.end, taken):
            yield figure.start, figure.end, _slot(figure, text, source, [title for _, _, title in titles])


def _subject(text: str, end: int, taken: list[tuple[int, int]]) -> str:
    """ "order" where the words right before speak of the order and nothing else."""
    before = text[max(0, end - 30) : end].lower()
    is_order = re.search(r"(?:order|bestellung|订单|auftrag)\W*[\w-]*\W*$", before)
    return "order" if is_order else ""


def _is_free(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return all(end <= other[0] or start >= other[1] for other in taken)


def _slot(figure: Figure, text: str, source: Facts, named: list[str]) -> Slot:
    """The fact of the source's order that a figure was."""
    if figure.kind == "date":
        for kind, day in (("ordered_on", source.ordered_on), ("returned_on", source.returned_on)):
            if day and any(_is_day(reading, day, source.as_of) for reading in figure.dates):
                return Slot(kind, figure.style + ("" if figure.dates[0][0] else "_short"))
    if figure.kind == "amount":
        for kind, amount in _amounts(source, named):
            if amount.quantize(CENT) in figure.values:
                return Slot(kind, text[figure.start : figure.end], named[0] if named else "")
    if figure.kind == "number":
        for line in source.lines:
            if line.title in named and figure.text == str(line.quantity):
                return Slot("quantity", "", line.title)
    return Slot("unknown", figure.kind)


def _amounts(facts: Facts, named: list[str]) -> Iterator[tuple[str, Decimal]]:
    """What an amount may be, the most likely first."""
    if facts.lines:
        yield "total", facts.total
    if facts.returned_on:
        yield "returned", facts.returned_amount
    for line in facts.lines:
        if line.title in named or len(facts.lines) == 1:
            yield "line", line.revenue
            yield "price", line.price


def _is_day(reading: tuple[int, int, int], day: date, as_of: date) -> bool:
    year, month, of_month = reading
    return (month, of_month) == (day.month, day.day) and (year == day.year or (not year and (as_of - day).days < 330))


def _language(word: str) -> str:
    for language, words in STATUS_WORDS.items():
        if word.lower().replace("canceled", "cancelled") in words.values():
            return language
    return "english"


def _same_product(slot: Slot, facts: Facts) -> str:
    """What is said of a product holds for that product alone."""
    if slot.title not in facts.meant:
        raise NoFact(f"the source speaks of {slot.title}")
    return _value(slot, facts)


def _value(slot: Slot, facts: Facts) -> str:
    """The fact as it is written; raises NoFact."""
    if facts.order_id is None:
        raise NoFact("no order of the customer's own is known")
    meant = facts.line(facts.meant[0]) if len(facts.meant) == 1 else None
    found: str | None = None
    match slot.kind:
        case "order":
            found = facts.order_id
        case "ordered_on" | "returned_on":
            day = facts.ordered_on if slot.kind == "ordered_on" else facts.returned_on
            found = written(day, slot.style) if day else None
        case "total" | "returned":
            amount = facts.total if slot.kind == "total" else facts.returned_amount
            found = money(amount, slot.style) if facts.lines and amount else None
        case "line" | "price" if meant:
            found = money(meant.revenue if slot.kind == "line" else meant.price, slot.style)
        case "quantity" if meant:
            found = str(meant.quantity)
        case "product" if meant:
            found = meant.title.lower() if slot.style == "lower" else meant.title
        case "status":
            found = STATUS_WORDS[slot.style].get(facts.status or "")
    if found is None:
        raise NoFact(f"nothing is known for {slot.kind}")
    return found


def written(day: date, style: str) -> str:
    """A day in the style of another; with slashes it would be read one way here and another there, so ISO."""
    names, year = MONTHS[day.month - 1], "" if style.endswith("_short") else str(day.year)
    english = names[0].capitalize()
    german = {"january": "Januar", "february": "Februar", "march": "März", "may": "Mai", "june": "Juni", "july": "Juli",
              "october": "Oktober", "december": "Dezember"}.get(names[0], english)  # fmt: skip
    match style.removesuffix("_short"):
        case "chinese":
            return f"{year}{'年' if year else ''}{day.month}月{day.day}日"
        case "dotted":
            return f"{day:%d.%m.}{year}"
        case "german":
            return f"{day.day}. {german} {year}".rstrip()
        case "day_first":
            return f"{day.day} {english} {year}".rstrip()
        case "month_first":
            return f"{english} {day.day}" + (f", {year}" if year else "")
    return day.isoformat()


def money(amount: Decimal, like: str) -> str:
    """An amount with currency and decimal mark as in `like`, in cents."""
    number = re.search(r"\d[\d.,' ]*\d|\d", like)
    assert number is not None  # an amount has a number
    is_comma = bool(re.search(r",\d{1,2}$", number[0]))
    said = f"{amount.quantize(CENT):.2f}"
    return like[: number.start()] + (said.replace(".", ",") if is_comma else said) + like[number.end() :]
