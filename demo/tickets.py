"""Support tickets about real orders: threads of one to five messages, and the resolutions that agents noted.

Most are in English, some in German and Chinese (`languages.py`).

Some tickets are vague, some ask two things, and agents note a wrong intent now and then. `intent_probability` is the
truth: the greatest share of any intent, given all that the ticket was written from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from demo.draws import Flags, Ints, choice, hashes, uniform
from demo.frames import GUEST, Lines, Orders, Products
from demo.languages import CHINESE, Language, language_of
from demo.wording import INTENTS, with_slips

NAMES = tuple(INTENTS)
WEIGHTS = np.array([intent.weight for intent in INTENTS.values()])
URGENCIES = ("low", "normal", "high", "critical")
CHANNELS = ("email", "form", "chat", "phone")
TICKETS_AN_ORDER = 0.14
VAGUE_SHARE, MIXED_SHARE, MISTAKEN_SHARE, FIRST_COUNTS = 0.06, 0.12, 0.03, 0.7
BAD_BATCHES = 0.0004  # of the products of a month: many of them arrive broken
SCHEMAS = {
    "tickets": ("ticket_id", "customer_id", "order_id", "opened_at", "channel", "subject"),
    "ticket_messages": ("ticket_id", "message_number", "author", "sent_at", "body"),
    "ticket_resolutions": ("ticket_id", "resolved_at", "intent", "urgency"),
    "truth": ("ticket_id", "opened_at", "intent", "kind", "intent_probability", "noted_intent", "is_bad_batch"),
}


@dataclass
class Desk:
    """Rows as they are written, table by table."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})

    def tables(self) -> dict[str, pa.Table]:
        """Arrow tables of the rows."""
        tables = {}
        for name, columns in SCHEMAS.items():
            values = list(zip(*self.rows[name], strict=True)) or [()] * len(columns)
            arrays = [pa.array(v, _type(column)) for v, column in zip(values, columns, strict=True)]
            tables[name] = pa.table(dict(zip(columns, arrays, strict=True)))
        return tables


@dataclass(frozen=True)
class Case:
    """What a ticket is written from."""

    ticket_id: str
    order_id: str
    customer_id: str | None
    ordered_at: datetime
    product: str
    intent: str
    second: str | None  # asked for too
    is_vague: bool
    is_bad_batch: bool
    language: Language


def simulate_tickets(orders: Orders, lines: Lines, products: Products, seed: int) -> dict[str, pa.Table]:
    """The tickets that these orders will lead to, with their messages, resolutions and truth."""
    number = orders.number
    product, is_bad = _product_meant(orders, lines, seed)
    opens = uniform(seed, "ticket", number) < np.where(is_bad, 0.45, TICKETS_AN_ORDER)
    rows = np.flatnonzero(opens & (product >= 0))
    intents = choice(seed, "intent", WEIGHTS, number[rows])
    intents[is_bad[rows] & (uniform(seed, "bad", number[rows]) < 0.8)] = NAMES.index("damaged_item")
    kinds = uniform(seed, "kind", number[rows])
    others = choice(seed, "second intent", WEIGHTS, number[rows])
    desk = Desk()
    luck = hashes(seed, "words", number[rows]).tolist()
    languages = language_of(orders.customer[rows], orders.customer[rows] == GUEST, number[rows], seed)
    times = orders.ordered_at[rows].astype("datetime64[us]").tolist()
    for place, row in enumerate(rows.tolist()):
        is_vague, is_mixed = kinds[place] < VAGUE_SHARE, kinds[place] > 1 - MIXED_SHARE
        second = NAMES[others[place]] if is_mixed and others[place] != intents[place] else None
        order_id = orders.order_id[row].as_py()
        customer_id, title, intent = (
            orders.customer_id[row].as_py(),
            products.title[product[row]],
            NAMES[intents[place]],
        )
        facts = (f"T{order_id}", order_id, customer_id, times[place], title, intent, second)
        case = Case(*facts, is_vague=bool(is_vague), is_bad_batch=bool(is_bad[row]), language=languages[place])
        _write(case, Random(luck[place]), desk)
    return desk.tables()


def _product_meant(orders: Orders, lines: Lines, seed: int) -> tuple[Ints, Flags]:
    """The product of each order that a ticket would be about, and whether it is of a bad batch."""
    month = orders.ordered_at.astype("datetime64[M]").astype(np.int64)[lines.order]
    is_bad = uniform(seed, "batch", lines.product, month) < BAD_BATCHES
    luck = uniform(
        seed,
        "about",
        orders.number[lines.order],
        np.arange(len(lines.order)) - np.searchsorted(lines.order, lines.order),
    )
    by_luck = np.lexsort((luck + is_bad, lines.order))  # the last of each order is meant
    product, bad = np.full(len(orders), -1), np.zeros(len(orders), np.bool_)
    product[lines.order[by_luck]] = lines.product[by_luck]
    bad[lines.order[by_luck]] = is_bad[by_luck]
    return product, bad


def _write(case: Case, random: Random, desk: Desk) -> None:
    """Write one ticket: its thread, its resolution, its truth."""
    intent, language = INTENTS[case.intent], case.language
    opened_at = case.ordered_at + timedelta(days=random.triangular(*intent.days), minutes=random.randint(1, 600))
    opened_at = opened_at.replace(microsecond=0)
    slots = {"order": case.order_id, "product": case.product.lower() if random.random() < 0.7 else case.product,
             "days": str((opened_at - case.ordered_at).days + 1), "count": str(random.choice((2, 3, 6, 12, 24))),
             "address": language.address(random)}  # fmt: skip
    urgency = random.choices(URGENCIES, intent.urgency)[0]
    subjects = language.vague_subjects if case.is_vague else language.sayings[case.intent][0]
    subject = language.fill(random.choice(subjects), slots, random)
    is_known = random.random() < 0.93
    desk.rows["tickets"].append(
        (case.ticket_id, case.customer_id, case.order_id if is_known else None, opened_at,
         random.choices(CHANNELS, (50, 30, 15, 5))[0], subject if random.random() < 0.94 else None)
    )  # fmt: skip
    last_at, is_solved = _write_thread(case, opened_at, urgency, slots, random, desk)
    noted, probability = _noted(case, random)
    if is_solved:
        resolved_at = last_at + timedelta(minutes=random.randint(5, 900))
        desk.rows["ticket_resolutions"].append((case.ticket_id, resolved_at, noted, urgency))
    kind = "vague" if case.is_vague else "mixed" if case.second else "plain"
    desk.rows["truth"].append((case.ticket_id, opened_at, case.intent, kind, probability, noted, case.is_bad_batch))


def _noted(case: Case, random: Random) -> tuple[str, float]:
    """The intent that the agent notes, and the share of the likeliest one among such tickets."""
    noted, probability = case.intent, 1.0
    if case.second:
        noted, probability = (case.intent if random.random() < FIRST_COUNTS else case.second), FIRST_COUNTS
    if case.is_vague:
        probability = float(WEIGHTS.max() / WEIGHTS.sum())
    if random.random() < MISTAKEN_SHARE:
        noted = random.choice([name for name in NAMES if name != noted])
    return noted, probability * (1 - MISTAKEN_SHARE)


def _write_thread(
    case: Case, opened_at: datetime, urgency: str, slots: dict[str, str], random: Random, desk: Desk
) -> tuple[datetime, bool]:
    """Write the messages; when the last was sent, and whether the ticket is solved then."""
    language = case.language
    _, _, answers = language.sayings[case.intent]
    name = language.name(random)
    answer = random.choice(answers)
    signed = language.answer.format(first=name.split(" ")[0], answer=language.fill(answer, slots, random))
    turns = [("customer", _opening(case, name, urgency, slots, random))]
    if random.random() < 0.12:
        turns.append(("customer", random.choice(language.reminders)))
    turns.append(("agent", signed))
    if random.random() < 0.3:
        turns += [
            ("customer", random.choice(language.not_yet)),
            ("agent", language.fill(random.choice(answers), slots, random)),
        ]
    elif random.random() < 0.5:
        turns.append(("customer", random.choice(language.thanks)))
    is_answered = random.random() < 0.97
    sent_at, speed = opened_at, {"low": 1.6, "normal": 1.0, "high": 0.6, "critical": 0.25}[urgency]
    for message_number, (author, body) in enumerate(turns if is_answered else turns[:1], start=1):
        desk.rows["ticket_messages"].append((case.ticket_id, message_number, author, sent_at, body))
        last_at = sent_at
        sent_at += timedelta(minutes=5 + int(random.lognormvariate(6.3, 1.1) * speed))
    return last_at, is_answered and random.random() < 0.96


def _opening(case: Case, name: str, urgency: str, slots: dict[str, str], random: Random) -> str:
    """The first message: greeting, what is wanted, perhaps a second wish, haste, contact data, a name."""
    language, sayings = case.language, case.language.sayings
    said = [language.fill(random.choice(language.vague if case.is_vague else sayings[case.intent][1]), slots, random)]
    if case.second:
        second = random.choice(language.also), random.choice(sayings[case.second][1])
        said.append(second[0] + language.fill(second[1], slots, random))
        if random.random() < 0.3:
            said.reverse()
    haste = {"low": 0.02, "normal": 0.06, "high": 0.4, "critical": 0.85}[urgency]
    if random.random() < haste:
        said.append(random.choice(language.urgent))
    if random.random() < 0.17:
        said.append(language.contact(name, random))
    text = language.space.join([random.choice(language.greetings), *said, random.choice(language.closings)]).strip()
    text = with_slips(text, random) if random.random() < 0.25 and language is not CHINESE else text
    return f"{text} {name}" if random.random() < 0.6 else text


def _type(column: str) -> pa.DataType:
    if column.endswith("_at"):
        return pa.timestamp("us")
    others = {"message_number": pa.int64(), "intent_probability": pa.float64(), "is_bad_batch": pa.bool_()}
    return others.get(column, pa.string())
