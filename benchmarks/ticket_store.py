"""A store's tickets in SQL, from a seed: threads and resolutions in the demo's own words, in three languages."""

from __future__ import annotations

import argparse
from datetime import date

from benchmarks.raw_store import Rows
from demo.catalogue import LEAVES, LOOKS, SERIES
from demo.languages import CHINESE, ENGLISH, GERMAN
from demo.tickets import NAMES, WEIGHTS

FIRST = date(2022, 1, 1)
LEAD_DAYS = 30  # of orders before the first ticket
LANGUAGES = (*[ENGLISH] * 17, *[GERMAN] * 2, CHINESE)  # of twenty customers
SLOTS = ("arrived", "broken", "give_back", "bill", "cancel", "weekday")
STATUSES = ("placed", "paid", "shipped", "delivered", "delivered")
ANSWERED, AGAIN, KNOWN_ORDER = 97, 30, 93  # percent: answered, not content with it, with the order's number
WORDS = "create temp table words (language int, intent text, kind text, said text[])"
TITLES = "create temp table titles as select i, {title} as title from range({products}) as n(i)"
SHARES = (
    "create temp table shares as select unnest({intents}) as intent, generate_subscripts({intents}, 1) - 1 as place"
)
ORDERS = """
    create temp table drawn_orders as
    select
        i,
        timestamp '{first}' - interval {lead} day + to_microseconds((i * {step})::bigint) as moment,
        (hash(i) % {customers})::bigint as who,
        1 + (hash(i, 1) % 3)::bigint as lines
    from range({orders}) as n(i)
"""
TICKETS = """
    create temp table drawn as
    with placed as (
        select
            i,
            timestamp '{first}' + to_microseconds((i * ({days} * 86400000000 // {tickets}))::bigint) as moment,
            ((i * ({days} * 86400000000 // {tickets}) + ({lead} - 1 - hash(i, 2) % 20) * 86400000000) // {step})::bigint
                as ordered
        from range({tickets}) as n(i)
    )
    select
        placed.i,
        placed.moment,
        drawn_orders.i as ordered,
        drawn_orders.who,
        drawn_orders.moment as ordered_at,
        (drawn_orders.who % 20)::int as language,
        shares.intent,
        titles.title,
        placed.moment + to_microseconds(((0.5 + hash(placed.i, 3) % 1000 / 1000) * {open_us})::bigint) as resolved_at,
        hash(placed.i, 4) % 100 < {answered} as is_answered,
        hash(placed.i, 5) % 100 < {again} as is_again
    from placed
    inner join drawn_orders on placed.ordered = drawn_orders.i
    inner join shares on hash(placed.i, 6) % 100 = shares.place
    inner join titles on titles.i = hash(drawn_orders.i, 1 + hash(placed.i, 7) % drawn_orders.lines) % {products}
"""
# kind of each message: what it is drawn from, days after the ticket, whether it was sent
MESSAGES = (
    (1, "customer", "openings", 0, "true"),
    (2, "agent", "answers", 1, "is_answered"),
    (3, "customer", "not_yet", 2, "is_answered and is_again"),
    (4, "agent", "answers", 3, "is_answered and is_again"),
    (3, "customer", "thanks", 2, "is_answered and not is_again and hash(i, 8) % 2 = 0"),
)


def statements(given: argparse.Namespace) -> list[str]:
    """What draws orders and tickets; 10,000 of them, or what is given, are open on average."""
    size = {name: getattr(given, name) for name in ("tickets", "days", "products")}
    size |= {"orders": given.tickets * given.orders_a_ticket, "customers": max(given.tickets // 4, 1)}
    size |= {"first": FIRST, "lead": LEAD_DAYS, "answered": ANSWERED, "again": AGAIN}
    size["step"] = (given.days + LEAD_DAYS) * 86_400_000_000 // size["orders"]
    size["open_us"] = given.open * given.days * 86_400_000_000 // given.tickets
    looks, series, nouns = (_array(words) for words in (LOOKS, SERIES, [noun for _, _, noun in LEAVES]))
    places = ((looks, "i % 12"), (series, "i // 12 % 12"), (nouns, f"(i * 7 + i // 144) % {len(LEAVES)}"))
    size["title"] = " || ' ' || ".join(f"({words})[1 + {place}]" for words, place in places)
    share = (WEIGHTS / WEIGHTS.sum() * 100).round().astype(int)
    intents = [name for name, many in zip(NAMES, share, strict=True) for _ in range(many)]
    size["intents"] = _array((intents + [NAMES[0]] * 100)[:100])
    return [statement.format(**size) for statement in (TITLES, SHARES, ORDERS, TICKETS)] + [WORDS, *_words()]


def rows(given: argparse.Namespace) -> Rows:
    """The entities that tickets and their orders need."""
    customers, line = max(given.tickets // 4, 1), f"'P' || (hash(i, line) % {given.products})"
    said = " union all ".join(_message(*message) for message in MESSAGES)
    subject = _said("subjects", 9)
    start = f"timestamp '{FIRST}'"
    return {
        "customers": (
            f"select 'C' || i, {start}, 'GB', null, null, null, {start}",
            start,
            f"range({customers}) as n(i)",
        ),
        "products": (f"select 'P' || i, title, null, null, 10, null, true, null, null, {start}", start, "titles"),
        "orders": (
            f"select 'O' || i, 'C' || who, moment, {_array(STATUSES)}[1 + (hash(i, 10) % 5)::int], 'GB', 'web', 'EUR'",
            "moment",
            "drawn_orders",
        ),
        "order_lines": (
            f"select 'O' || i, line, {line}, 1 + hash(i, line, 1) % 6, 1 + hash(i, line, 2) % 4000 / 100, null",
            "moment",
            "drawn_orders, range(1, 4) as numbers(line) where line <= lines",
        ),
        "returns": (
            f"select 'R' || i, 'O' || i, 'C' || who, {line}, 1, moment + interval 12 day",
            "moment + interval 12 day",
            "(select *, 1 as line from drawn_orders) where hash(i, 11) % 10 = 0",
        ),
        "tickets": (
            f"select 'T' || i, 'C' || who, case when hash(i, 12) % 100 < {KNOWN_ORDER} then 'O' || ordered end, "
            f"moment, 'email', {_filled(subject)}",
            "moment",
            "drawn " + _joined("subjects"),
        ),
        "ticket_messages": ("select 'T' || i, number, author, sent_at, body", "sent_at", f"({said})"),
        "ticket_resolutions": ("select 'T' || i, resolved_at, intent, 'normal'", "resolved_at", "drawn"),
    }


def _message(number: int, author: str, kind: str, days: int, is_sent: str) -> str:
    body = _filled(_said(kind, 20 + number))
    if kind == "answers" and number == 2:
        frames = "['Dear [name], ', 'Hallo [name], ', '您好，'][1 + tongue]"
        closings = "[' Kind regards, the service team', ' Viele Grüße, Ihr Kundendienst', '此致，客服团队'][1 + tongue]"
        body = f"{frames} || {body} || {closings}"
    return (
        f"select i, {number} as number, '{author}' as author, moment + interval {days} day as sent_at, {body} as body "
        f"from drawn {_joined(kind)} where {is_sent}"
    )


def _joined(kind: str) -> str:
    """Which words are used, and in which language: English, German, Chinese are 0, 1, 2."""
    tongue = "case when language < 17 then 0 when language < 19 then 1 else 2 end"
    return (
        f"inner join (select language as tongue, intent as about, said from words where kind = '{kind}') as w "
        f"on w.tongue = {tongue} and w.about = drawn.intent"
    )


def _said(kind: str, seed: int) -> str:
    return f"w.said[1 + (hash(i, {seed}) % len(w.said))::int]"


def _filled(text: str) -> str:
    """The template with the facts of the order and words of the seed."""
    facts = {"order": "'O' || ordered", "product": "lower(title)", "count": "(1 + hash(i, 13) % 24)::text"}
    facts |= {"days": "date_diff('day', ordered_at, moment)::text", "address": "'[address]'"}
    for place, slot in enumerate(SLOTS):
        chosen = [_array(language.synonyms[slot]) for language in (ENGLISH, GERMAN, CHINESE)]
        lists = f"(case tongue when 0 then {chosen[0]} when 1 then {chosen[1]} else {chosen[2]} end)"
        facts[slot] = f"{lists}[1 + (hash(i, {30 + place}) % len({lists}))::int]"
    for slot, value in facts.items():
        text = f"replace({text}, '{{{slot}}}', {value})"
    return text


def _words() -> list[str]:
    """Every template by language, intent and kind."""
    found = []
    for place, language in enumerate((ENGLISH, GERMAN, CHINESE)):
        for intent, (subjects, openings, answers) in language.sayings.items():
            kinds = {"subjects": subjects, "openings": openings, "answers": answers}
            kinds |= {"not_yet": language.not_yet, "thanks": language.thanks}
            found += [
                f"insert into words values ({place}, '{intent}', '{kind}', {_array(said)})"
                for kind, said in kinds.items()
            ]
    return found


def _array(words: object) -> str:
    assert isinstance(words, (list, tuple))
    return "[" + ", ".join("'" + str(word).replace("'", "''") + "'" for word in words) + "]"
