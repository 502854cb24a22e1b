"""A small store full of persons that nobody else is called: canaries, wherever a delivery can hold one.

They lie in each personal column, in ticket texts (English, German, Chinese), in columns that the contract lacks, in the
metadata and statistics of files, in rows for quarantine, in lines that are shifted or broken, and in partitions that
cannot be taken.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.ingest.test_redact import with_check_digit
from tests.landing import (
    DAY,
    Landing,
    Row,
    at,
    chargeback,
    customer,
    payment,
    product,
    table_of,
    ticket,
    ticket_message,
)
from tests.landing import ticket_resolution as resolution
from tests.nights.store import PRODUCTS, orders_of

HISTORY, DAYS_OF_HISTORY = date(2024, 6, 9), 75
FIRST, NIGHT = HISTORY - DAYS_OF_HISTORY * DAY, HISTORY + 2 * DAY
A_COLUMN = 20  # canaries in each personal column of rows that are loaded
TOO_MANY = 24  # bad rows in a partition: it is held against its share of them

EMAILS = ("Canary.{n}@Example.org", "canary+{n}@shop.example.co.uk", "canary_{n}@example.travel")
PHONES = (
    "+44 7700 90{n}",
    "+44770091{n}",
    "0044 7700 92{n}",
    "0770093{n}",
    "020 7946 {n}",
    "(0161) 496 {n}",
    "(555) 201-{n}",
    "555-202-{n}",
    "+49 (0)30 9018 {n}",
    "030/9018{n}",
    "+1 555 203 {n}",
)
STREETS = ("{n} Canary Street", "{n}a Canary Road, Leeds LS1 4AB", "Kanarienstraße {n}, 10115 Berlin", "PO Box {n}")
PLACES = ("Flat 3, {n} Canary Lane, York", "{n} rue de la Canari, 75002 Paris", "{n} Canary Ave, Austin, TX 78701")


def card(n: int) -> str:
    """A card number that passes its checksum: of 16 or 15 digits, in one piece or in groups."""
    if n % 4 == 3:
        return re.sub(r"(....)(......)(.....)", r"\1 \2 \3", with_check_digit(f"37828224{n:06d}"))
    return (" ", "-", "")[n % 3].join(re.findall("....", with_check_digit(f"453957880{n:06d}")))


def iban(n: int) -> str:
    """An IBAN that passes its checksum, with and without spaces."""
    country, account = (("DE", f"37040044{n:010d}"), ("GB", f"WEST123456{n:08d}"), ("NL", f"ABNA{n:010d}"))[n % 3]
    number = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
    whole = f"{country}{98 - number % 97:02d}{account}"
    return (" " if n % 2 else "").join(re.findall(".{1,4}", whole))


def letters(n: int) -> str:
    """A number in letters, for names."""
    return "".join("abcdefghij"[int(digit)] for digit in str(n))


def _one_of(*formats: str) -> Callable[[int], str]:
    return lambda n: formats[n % len(formats)].format(n=n)


MAKERS: dict[str, Callable[[int], str]] = {
    "email": _one_of(*EMAILS),
    "full_name": _one_of("Zofia Canary{n}", "Canary{n}, Zofia", "ZOFIA CANARY{n}"),
    "phone": _one_of(*PHONES),
    "card_token": _one_of("tok_canary_{n}", "canary-token-{n}"),
    "device_id": _one_of("canary-device-{n}", "Canary Phone {n}"),
    "ip_address": lambda n: f"2001:db8:ca::{n}" if n % 3 == 0 else f"198.51.{100 + n // 100}.{100 + n % 100}",
    "card": card,
    "iban": iban,
    "address": _one_of(*STREETS, *PLACES),
    "english name": lambda n: f"Zofia Canary{letters(n)}",
    "german address": _one_of("Am Kanarienmarkt {n}, 10115 Berlin", "Kanarienweg {n}"),
    "german name": lambda n: f"Käthe Kanarien{letters(n)}",
    "chinese phone": _one_of("138 0000 {n}", "1390000{n}", "+86 137 0000 {n}"),
    "chinese address": _one_of("北京市朝阳区金丝雀路{n}号", "上海市浦东新区金丝雀大道{n}号3楼"),
    "chinese name": lambda n: f"王{chr(0x5000 + n // 100)}{chr(0x6000 + n % 100)}",
}
TEXTS = (
    "Hello, I am at {email}, call {phone} please.\nSend it to {address}.\n"
    "I paid with card {card}; refund to {iban}. Thanks! {more} Kind regards, {english name}",
    "Guten Tag, ich bin unter {email} und {phone} erreichbar.\nBitte an {german address} schicken.\n"
    "Mein Name ist {german name}, Karte {card}, IBAN {iban}. {more}",
    "您好，我的邮箱是{email}，手机{chinese phone}，收件人：{chinese name}。\n请寄到{chinese address}。\n"
    "我用银行卡{card}付的款，退到{iban}。{more}",
)
IN_TEXT = re.compile(r"{(?!more)([^}]+)}")


class Canaries:
    """Makes values that occur nowhere else, and remembers where each was put."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self.kinds: dict[str, int] = defaultdict(int)
        self._texts = 0
        self._number = count(1000)  # of four digits each: none is a part of another

    def new(self, kind: str, place: str) -> str:
        """A new value for a place."""
        value = MAKERS[kind](next(self._number))
        self.places[value] = f"{kind} in {place}"
        self.kinds[kind] += 1
        return value

    def text(self, place: str, *more: str) -> str:
        """What a customer writes, with a value of each kind that patterns find, in the three languages by turns."""
        text = TEXTS[self._texts % len(TEXTS)]
        self._texts += 1
        return text.format(more=" ".join(more), **{kind: self.new(kind, place) for kind in IN_TEXT.findall(text)})

    def person(self, place: str) -> Row:
        """The personal columns of a customer."""
        return {kind: self.new(kind, place) for kind in ("email", "full_name", "phone")}

    def payer(self, place: str) -> Row:
        """The personal columns of a payment."""
        return {kind: self.new(kind, place) for kind in ("card_token", "device_id", "ip_address")}

    def beside(self, table: pa.Table, place: str) -> pa.Table:
        """A table with columns that the contract lacks."""
        for name, kind in (("second_email", "email"), ("ship_to", "address"), ("spouse", "full_name")):
            table = table.append_column(name, pa.array([self.new(kind, place) for _ in range(table.num_rows)]))
        return table


def write_canaries(landing: Landing, *, is_mended: bool) -> Canaries:
    """The store before its night: with partitions that stop it or are left out, or delivered again as they should be.

    The values are the same ones with and without.
    """
    canaries, random = Canaries(), np.random.default_rng(7)
    _write_sales(landing, canaries, random)
    _write_tickets(landing, canaries, _write_people(landing, canaries))
    _write_troubles(landing, canaries)
    if is_mended:
        _mend(landing, canaries)
    return canaries


def _write_sales(landing: Landing, canaries: Canaries, random: np.random.Generator) -> None:
    landing.write("products", HISTORY, [product(f"p{which}", FIRST) for which in range(1, PRODUCTS + 1)])
    past = [orders_of(FIRST + DAY * ahead, random) for ahead in range(DAYS_OF_HISTORY + 1)]
    landing.write("orders", HISTORY, [row for orders, _ in past for row in orders])
    landing.write("order_lines", HISTORY, [row for _, lines in past for row in lines])
    day = HISTORY + DAY
    orders, lines = orders_of(day, random)
    landing.write("order_lines", day, lines)
    landing.write("orders", day, canaries.beside(table_of("orders", orders), "a column that the contract lacks"))
    mail = [canaries.new("email", "a shifted line of orders") for _ in range(3)]
    rows = (  # the e-mail has moved into the time, the status, and the currency
        ["x1", "c1", mail[0], "paid", "France", "web", "GBP"],
        ["x2", "c1", day, mail[1], "France", "web", "GBP"],
        ["x3", "c1", day, "paid", "France", "web", mail[2]],
    )
    head = ["order_id", "customer_id", "ordered_at", "status", "ship_country", "channel", "currency", "buyer"]
    _add_csv(landing, "orders", day, head, *([*row, canaries.new("full_name", "a buyer")] for row in rows))


def _write_people(landing: Landing, canaries: Canaries) -> list[str]:
    """Customers and their payments; returns the customers' e-mail addresses."""
    people = [customer(f"c{who}", FIRST, **canaries.person("customers")) for who in range(60)]
    twice = [customer("c99", FIRST, **canaries.person("customers that contradict each other")) for _ in range(2)]
    table = canaries.beside(table_of("customers", people + twice), "a column that the contract lacks")
    file = landing.write("customers", HISTORY, table)
    notes = {
        "exported by": canaries.new("email", "the metadata of a file"),
        "pandas": canaries.new("full_name", "same"),
    }
    fields = [field.with_metadata({"owner": canaries.new("email", "a column's metadata")}) for field in table.schema]
    pq.write_table(table.cast(pa.schema(fields, metadata=notes)), file, write_statistics=True)
    payments = [payment(f"y{n}", FIRST + n * DAY, customer_id=f"c{n}", **canaries.payer("payments")) for n in range(60)]
    future = [payment(f"z{n}", NIGHT, **canaries.payer("payments of the future")) for n in range(3)]
    landing.write("payments", HISTORY, payments + future, form="csv.gz")
    landing.write("chargebacks", HISTORY, [chargeback(f"y{n}", FIRST + (n + 9) * DAY) for n in range(0, 60, 9)])
    return [row["email"] for row in people]


def _write_tickets(landing: Landing, canaries: Canaries, mail: list[str]) -> None:
    tickets, messages, ends = [], [], []
    for n in range(A_COLUMN):
        day = FIRST + 3 * n * DAY
        subject = canaries.text("a subject").replace("\n", " ")
        tickets.append(ticket(f"t{n}", day, customer_id=f"c{n}", subject=subject))
        messages.append(ticket_message(f"t{n}", day, body=canaries.text("a body", f"My account is {mail[n]}.")))
        answer = f"Dear customer, we refund you today. {canaries.text('an answer')}"
        messages.append(ticket_message(f"t{n}", day, 2, author="agent", body=answer))
        messages.append(ticket_message(f"t{n}", day, 3, body=f"Thanks! {canaries.text('one more body')}"))
        if n < A_COLUMN - 5:
            ends.append(resolution(f"t{n}", day + DAY))
    body = canaries.text("a message from the future")
    messages.append(ticket_message("t0", HISTORY, 7, body=body, sent_at=at(NIGHT)))
    messages.append(ticket_message("t0", HISTORY, 8, author=canaries.text("an author"), body="customer"))
    messages.append(ticket_message("t0", HISTORY, 9, author=canaries.new("full_name", "an author"), body="customer"))
    landing.write("tickets", HISTORY, tickets)
    landing.write("ticket_messages", HISTORY, messages)
    landing.write("ticket_resolutions", HISTORY, ends)


def _write_troubles(landing: Landing, canaries: Canaries) -> None:
    """What stops a night, and what an optional entity leaves out: with persons in the cells that faults speak of."""
    day = HISTORY + DAY
    people = [canaries.person("a shifted line of customers") for _ in range(TOO_MANY)]
    head = ["customer_id", "updated_at", "email", "country", "full_name"]
    shifted = [[f"d{n}", who["email"], who["full_name"], "France", who["phone"]] for n, who in enumerate(people)]
    _add_csv(landing, "customers", day, head, *shifted)
    payers = [canaries.payer("payments that are left out") for _ in range(TOO_MANY)]
    head = ["payment_id", "order_id", "paid_at", "method", "amount", *payers[0]]
    amounts = [canaries.new("email", "an amount") for _ in payers]
    shifted = [[f"z{n}", "o1", day, "card", amounts[n], *payer.values()] for n, payer in enumerate(payers)]
    _add_csv(landing, "payments", day, head, *shifted)
    uneven = [canaries.new(kind, "a line with a field too many") for kind in ("full_name", "email")]
    _add_csv(landing, "tickets", day, ["ticket_id", "opened_at", "subject"], ["u1", day, *uneven])
    swapped = [
        ticket_message("t1", day, n, author=canaries.text("an author"), body="customer") for n in range(3, 3 + TOO_MANY)
    ]
    landing.write("ticket_messages", day, swapped)


def _mend(landing: Landing, canaries: Canaries) -> None:
    """Faulty partitions once more: with a few bad rows, or none."""
    day = HISTORY + DAY
    person = canaries.person("a moved cell")
    head = ["customer_id", "updated_at", "email", "full_name", "country"]
    moved = ["c1", day, person["email"], person["full_name"], canaries.new("email", "a country")]
    right = ["", "d1", day, *(canaries.new(kind, "a line shifted to the right") for kind in ("email", "full_name"))]
    left = [
        *(canaries.new(kind, "a line shifted to the left") for kind in ("email", "full_name", "phone")),
        "France",
        "",
    ]
    _add_csv(landing, "customers", day, head, moved, right, left)
    landing.write("payments", day, [payment("n1", day, **canaries.payer("payments"))], form="csv")
    opened = ticket("n1", day, customer_id="c3", subject=canaries.text("a subject"))
    landing.write("tickets", day, [opened], form="csv.gz")
    landing.write("ticket_messages", day, [ticket_message("n1", day, body=canaries.text("a body"))], form="csv")


def _add_csv(landing: Landing, entity: str, day: date, *lines: list[Any]) -> None:
    file = landing.folder(entity, day) / "part-1.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    (file.parent / "_SUCCESS").touch()
