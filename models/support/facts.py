"""What is known tonight of the order that a ticket is about, and which products a text names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

WORD = re.compile(r"[^\W\d_一-鿿぀-ヿ]+|\d+|[一-鿿぀-ヿ]")
"""What titles are compared by: words, numbers, and each character of Chinese and Japanese."""
CENT = Decimal("0.01")
SHORT = 3
"""Characters up to which a word keeps its s."""
FEWEST_WORDS = 2
"""Words of a title that is found however it is written; one of a single word must be written as in the catalogue."""


@dataclass(frozen=True)
class Line:
    """A line of an order. price: of one; revenue: of the line, after discount; returned_on: the last return's day."""

    title: str
    quantity: int
    price: Decimal
    revenue: Decimal
    returned: int = 0
    returned_on: date | None = None


@dataclass(frozen=True)
class Facts:
    """A customer's own order as known at as_of; without order_id, nothing is known. meant: titles that the ticket
    names, or the only one of the order."""

    as_of: date
    order_id: str | None = None
    status: str | None = None
    currency: str | None = None
    ordered_on: date | None = None
    lines: tuple[Line, ...] = ()
    meant: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """What all lines come to."""
        return sum((line.revenue for line in self.lines), Decimal(0))

    @property
    def returned_on(self) -> date | None:
        """When the last return came back."""
        return max((line.returned_on for line in self.lines if line.returned_on), default=None)

    @property
    def dates(self) -> tuple[date, ...]:
        """Every day that is known of the order."""
        days = [self.ordered_on, *(line.returned_on for line in self.lines)]
        return tuple(dict.fromkeys(day for day in days if day))

    @property
    def amounts(self) -> frozenset[Decimal]:
        """Every amount that is known of the order, in cents: total, lines, single pieces, and what was returned."""
        money = {self.total} if self.lines else set()
        for line in self.lines:
            money |= {line.revenue, line.price}
        if any(line.returned for line in self.lines):
            money.add(self.returned_amount)
        return frozenset(amount.quantize(CENT) for amount in money)

    @property
    def returned_amount(self) -> Decimal:
        """What the returned pieces cost."""
        shares = (line.revenue * line.returned / line.quantity for line in self.lines if line.returned)
        return sum(shares, Decimal(0)).quantize(CENT)

    @cached_property
    def titles(self) -> Titles:
        """The titles of the order, to be found in texts."""
        return Titles.of(line.title for line in self.lines)

    def line(self, title: str) -> Line | None:
        """The line of a product, where there is one."""
        return next((line for line in self.lines if line.title == title), None)


def facts_of(rows: pd.DataFrame, as_of: date) -> dict[str, Facts]:
    """Facts by ticket_id from `features_ticket_facts`: a row a line of the order."""
    ordered = rows.sort_values(["ticket_id", "line_number"], kind="stable").to_dict("records")
    found = {}
    for ticket_id, lines in groupby(ordered, key=itemgetter("ticket_id")):
        first, *others = lines
        found[str(ticket_id)] = Facts(
            as_of,
            str(first["order_id"]),
            _text(first["status"]),
            _text(first["currency"]),
            _day(first["ordered_at"]),
            tuple(_line(row) for row in (first, *others) if isinstance(row["title"], str)),
        )
    return found


def _line(row: dict[Any, Any]) -> Line:
    price, revenue = Decimal(str(row["unit_price"])), Decimal(str(row["revenue"]))
    returned = 0 if pd.isna(row["returned_units"]) else int(row["returned_units"])
    return Line(str(row["title"]), int(row["quantity"]), price, revenue, returned, _day(row["returned_at"]))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: Any) -> date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


EVERYDAY = (
    "order parcel package box card label letter paper page sign invoice photo picture number name address time week "
    "month year price item product piece door shop store house home line service gift note book list people thank "
    "team set case pack size colour color blue red white green black pink small large medium"
)
"""Words that end titles and are used in any reply."""


@dataclass
class Titles:
    """Product titles, found in texts as whole words whatever the case; the longest at a place counts.

    by_words: titles by their words; lengths: of those by the first word, the longest first. heads: the last words of
    the titles, such as teapot, but those that any reply may use.
    """

    by_words: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    heads: frozenset[str] = frozenset()

    @classmethod
    def of(cls, titles: Iterable[str]) -> Titles:
        """Of a catalogue, or of an order; equal titles count once."""
        found: dict[tuple[str, ...], list[str]] = {}
        lengths: dict[str, set[int]] = {}
        for title in sorted(set(titles)):
            if words := tuple(singular(word) for word in WORD.findall(title.lower())):
                found.setdefault(words, []).append(title)
                lengths.setdefault(words[0], set()).add(len(words))
        heads = frozenset(words[-1] for words in found if len(words[-1]) > SHORT)
        return cls(
            found,
            {word: sorted(own, reverse=True) for word, own in lengths.items()},
            heads.difference(EVERYDAY.split()),
        )

    @property
    def words(self) -> set[str]:
        """Every word of the titles."""
        return {word for words in self.by_words for word in words}

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, title) of each mention."""
        places = [(singular(match.group()), match.start(), match.end()) for match in WORD.finditer(text.lower())]
        if len(text.lower()) != len(text):  # a letter whose small form is longer would move all places
            places = [(singular(match.group().lower()), match.start(), match.end()) for match in WORD.finditer(text)]
        return list(self._found(text, places))

    def _found(self, text: str, places: Sequence[tuple[str, int, int]]) -> Iterator[tuple[int, int, str]]:
        at = 0
        while at < len(places):
            step = 1
            for length in self.lengths.get(places[at][0], ()):
                words = tuple(place[0] for place in places[at : at + length])
                known = self.by_words.get(words, ()) if len(words) == length else ()
                start, end = places[at][1], places[at + len(words) - 1][2]
                title = next((one for one in known if length >= FEWEST_WORDS or text[start:end] in one), None)
                if title is not None:
                    yield start, _whole(text, start, end, title), title
                    step = length
                    break
            at += step


def singular(word: str) -> str:
    """A word without the s of English plurals, so that teapots are found as a teapot."""
    return word[:-1] if len(word) > SHORT and word.endswith("s") and not word.endswith("ss") else word


def _whole(text: str, start: int, end: int, title: str) -> int:
    """The end of a mention with the marks that the title ends with, such as a bracket."""
    whole = start + len(title)
    return whole if text[start:whole].lower() == title.lower() else end


def meant_in(facts: Facts, asked: str) -> Facts:
    """The same facts with the products that the ticket's text names; the only one of an order goes without saying."""
    titles = [line.title for line in facts.lines]
    named = tuple(dict.fromkeys(title for _, _, title in facts.titles.find(asked)))
    meant = named or tuple(titles if len(set(titles)) == 1 else ())[:1]
    return Facts(facts.as_of, facts.order_id, facts.status, facts.currency, facts.ordered_on, facts.lines, meant)
