"""The checker: a reply is published only where each figure, date, order and product in it is a fact of the ticket's
own order, and nothing is claimed or promised that these facts don't hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from models.support.claims import REFUND, broken_claims
from models.support.facts import WORD, Facts, Titles, singular
from models.support.figures import Figure, find_figures, plain
from models.support.roles import role_of, sentence_around

LONGEST = 2_000
"""Characters of a reply."""
ECHO_WORDS = 8
"""Words in a row that a reply may not take over from the ticket (of Chinese, characters)."""
SHORT_ORDER = 5
"""Characters of an order number of digits alone, under which it counts as one only after a word such as order."""
RECENT_DAYS = 330
"""Days within which a date without a year is that of the last year."""
BLANK = "\u25a1"  # stands where something was verified
CONTACT = re.compile(r"https?:|www\.|\S@\S|\b[\w-]+\.(?:com|net|org|io|de|cn|co|shop|info|ru|xyz)\b", re.IGNORECASE)
SLOT = re.compile(r"\{\{?|\}|<[^>]*>|\[[^\]]*\]|\bX{3,}\b|_{3,}|\?\?")
INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget|override)\b.{0,40}(?:instruction|prompt|rule|above|previous|policy)|system prompt|"
    r"developer mode|\bas an? (?:ai|language model|assistant)\b|language model|\bprompt\b|jailbreak|\bpretend\b|"
    r"(?:as|like) (?:you )?(?:instructed|told|requested) (?:in|by) (?:the|your) (?:ticket|message|prompt)|"
    r"ignorier\w*.{0,40}(?:anweisung|regel|vorherig)|systemprompt|sprachmodell|忽略.{0,16}(?:指令|指示|规则|"
    r"提示)|系统提示|语言模型",
    re.IGNORECASE | re.DOTALL,
)
ORDER_WORD = re.compile(r"(?:order|purchase|bestell\w*|auftrag|订单|单号|number|nr\.?|no\.?|号|#)\W*$", re.IGNORECASE)
CODE = re.compile(
    r"(?:order|purchase|bestellung|bestellnummer|auftrag|订单号?)\s*[:#№]?\s*([A-Z]{2,}(?:-[A-Z]+)*)(?![\w]|"
    r"[ ]*[a-z])"
)
QUANTITY = re.compile(
    r"^\s*(?:x|×|of|pieces? of|stück|mal|个|件|只|套)?\s*(?:the|your|der|des|den|von)?\s*$", re.IGNORECASE
)
NAMES = re.compile(
    r"(?<![.!?\n:,]\s)(?<![.!?\n])(?<!^)\b(?:[A-Z][a-zà-ÿ'’]+|[A-Z]{2,})(?:[ -](?:[A-Z][a-zà-ÿ'’]+|"
    r"[A-Z]{2,}))*\b(?![-\d])"
)
CLOSINGS = re.compile(
    r"^(?:Kind|Best|Many|Warm|Yours|With|Customer|Service|Support|Team|Thanks?|Regards|Wishes|Sincerely|Dear|"
    r"Care|The|Your|"
    r"Damen|Herren|Grüßen?|Mit|Freundlichen|Viele|Beste|Sehr|Geehrte|Live|Chat|Ihr|Kundenservice|Herzliche|And|"
    r"We|You|GBP|EUR|USD|CNY|PS|OK|FAQ|VAT|[ -])+$",
    re.IGNORECASE,
)
GERMAN = re.compile(r"\b(?:und|der|die|das|nicht|wir|sie|ihre?|ist|für)\b", re.IGNORECASE)
YOUR = re.compile(r"\b(?:your|the|this|that|our)\s+(?:[a-zA-Z]+\s+){0,2}?([a-zA-Z]{4,})", re.IGNORECASE)
QUOTED = re.compile(r"[\"“„«「『《]([^\"“”„«»」』》]{3,80})[\"”“»」』》]")


@dataclass(frozen=True)
class Checker:
    """Checks replies against facts. catalogue: every title that the store may name."""

    catalogue: Titles

    def faults(self, reply: str, facts: Facts, asked: str = "") -> list[str]:
        """What keeps the reply from being published, each as "kind: what"; none: it may be.

        facts: of the ticket's own order, with the products meant; asked: the ticket's text.
        """
        return list(dict.fromkeys(self._faults(reply, facts, asked)))

    def _faults(self, reply: str, facts: Facts, asked: str) -> Iterator[str]:
        yield from _form(reply)
        text = plain(reply)
        if echoed := _echo(text, asked, facts):
            yield f"echo: {echoed}"
        own = facts.titles.find(text)
        yield from self._products(text, facts, own)
        masked = _masked(text, [(start, end) for start, end, _ in own])
        yield from _figures(masked, facts, own)
        yield from _orders(masked, facts)
        for claim in broken_claims(masked, facts):
            yield f"promise: {claim}"

    def _products(self, text: str, facts: Facts, own: list[tuple[int, int, str]]) -> Iterator[str]:
        """Titles that are not the order's, and names that are no title at all."""
        titles = {line.title for line in facts.lines}
        for start, end, title in self.catalogue.find(text):
            is_within = any(first <= start and end <= last for first, last, _ in own)
            if title not in titles and not is_within:
                yield f"product: {title}"
        if facts.meant:
            yield from (f"product: {title}" for _, _, title in own if title not in facts.meant)
        masked = _masked(text, [(start, end) for start, end, _ in own])
        words = facts.titles.words
        for match in YOUR.finditer(masked):
            head = singular(match[1].lower())
            if head in self.catalogue.heads and head not in words:
                yield f"product: {match[1]}"
        for match in QUOTED.finditer(masked):
            if BLANK not in match[1] and not match[1].islower():
                yield f"name: {match[1]}"
        if not GERMAN.search(masked):
            told = _masked(masked, [(figure.start, figure.end) for figure in find_figures(masked)])
            yield from (f"name: {match[0]}" for match in NAMES.finditer(told) if not CLOSINGS.match(match[0]))


def _form(reply: str) -> Iterator[str]:
    """What no reply may hold, whatever the facts are."""
    if not reply.strip() or len(reply) > LONGEST:
        yield f"form: {len(reply)} characters"
    if any(unicodedata.category(c) in ("Cf", "Cc", "Co", "Cn") and c not in "\n\r\t" for c in reply):
        yield "form: hidden characters"
    if match := CONTACT.search(reply):
        yield f"contact: {match[0]}"
    if match := SLOT.search(reply):
        yield f"slot: {match[0]}"
    if match := INSTRUCTION.search(reply):
        yield f"instruction: {match[0]}"


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + BLANK * (end - start) + text[end:]
    return text


def _echo(text: str, asked: str, facts: Facts) -> str:
    """A row of words that the reply takes over from the ticket; titles of the order may be."""
    said, heard = (_masked(one, [span[:2] for span in facts.titles.find(one)]) for one in (text, plain(asked)))
    words, known = WORD.findall(said.lower()), WORD.findall(heard.lower())
    rows = {tuple(known[at : at + ECHO_WORDS]) for at in range(len(known) - ECHO_WORDS + 1)}
    for at in range(len(words) - ECHO_WORDS + 1):
        if tuple(words[at : at + ECHO_WORDS]) in rows:
            return " ".join(words[at : at + ECHO_WORDS])
    return ""


def _figures(masked: str, facts: Facts, own: list[tuple[int, int, str]]) -> Iterator[str]:
    """Figures that are no fact."""
    for figure in find_figures(masked):
        if not _is_fact(figure, masked, facts, own):
            yield f"{figure.kind}: {figure.text}"


def _is_fact(figure: Figure, masked: str, facts: Facts, own: list[tuple[int, int, str]]) -> bool:
    match figure.kind:
        case "amount":
            return _is_known_amount(figure, sentence_around(masked, figure.start), facts)
        case "date":
            return len(figure.dates) == 1 and _is_known_day(
                figure.dates[0], _days_of(figure, masked, facts), facts.as_of
            )
        case "weekday":
            days = _days_of(figure, masked, facts)
            recent = [day for day in days if facts.as_of - timedelta(days=7) <= day < facts.as_of]
            return any(day.weekday() == figure.dates[0][2] for day in recent)
        case "number":
            return _is_order(figure, masked, facts) or _is_quantity(figure, masked, facts, own)
    return False


def _is_known_amount(figure: Figure, sentence: str, facts: Facts) -> bool:
    """Paid back is what the returned pieces cost, and nothing else."""
    is_own = not figure.currencies or facts.currency is None or facts.currency in figure.currencies
    amounts = {facts.returned_amount} if REFUND.search(sentence) else facts.amounts
    return is_own and len(figure.values) == 1 and figure.values[0] in amounts


def _days_of(figure: Figure, masked: str, facts: Facts) -> tuple[date, ...]:
    """The days that a date may be, by what is said of it."""
    role = role_of(masked, figure.start, figure.end)
    if role == "ordered":
        return tuple(day for day in (facts.ordered_on,) if day)
    if role == "returned":
        return tuple(line.returned_on for line in facts.lines if line.returned_on)
    return () if role == "other" else facts.dates


def _is_known_day(reading: tuple[int, int, int], days: tuple[date, ...], as_of: date) -> bool:
    year, month, day = reading
    known = [one for one in days if (one.month, one.day) == (month, day)]
    return any(one.year == year if year else (as_of - one).days < RECENT_DAYS for one in known)


def _is_order(figure: Figure, masked: str, facts: Facts) -> bool:
    own, said = facts.order_id, figure.text.lstrip("#№")
    if own is None or plain(own) != said:
        start = figure.start + len(figure.text) - len(said)
        return own is not None and _spans_order(masked, start, plain(own))
    is_plain = said.isdigit() and len(said) < SHORT_ORDER
    return not is_plain or bool(ORDER_WORD.search(masked[: figure.start])) or figure.text != said


def _spans_order(masked: str, start: int, own: str) -> bool:
    """Whether the figure is a piece of the order's number, which has marks or letters beyond it."""
    return any(
        at <= start < at + len(own)
        for at in (match.start() for match in re.finditer(rf"(?<![A-Za-z0-9]){re.escape(own)}(?![A-Za-z0-9])", masked))
    )


def _is_quantity(figure: Figure, masked: str, facts: Facts, own: list[tuple[int, int, str]]) -> bool:
    """How many of a product were ordered or came back, said right before the product."""
    for start, _, title in own:
        line = facts.line(title)
        if line and figure.end <= start and QUANTITY.match(masked[figure.end : start]):
            return figure.text in {str(line.quantity), str(line.returned)} - {"0"}
    return False


def _orders(masked: str, facts: Facts) -> Iterator[str]:
    """Order numbers of letters alone."""
    for match in CODE.finditer(masked):
        if match[1] != facts.order_id:
            yield f"order: {match[1]}"
