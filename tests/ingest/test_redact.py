"""Redaction of free text, on a seeded set of messages with one personal value each, and on ones with none."""

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.redact import redact, redact_text

FIRST = ("anna", "ben", "chloe", "d.evans", "fatima", "george", "hannah", "ivan")
STREETS = ("Baker", "Victoria", "Station", "Church", "Old Mill", "Queen Anne's", "King George")
KINDS_OF_STREET = ("Street", "Road", "Avenue", "Lane", "Drive", "St", "Rd")
CITIES = ("London", "Leeds", "York", "Bristol", "Bath")
AROUND = (
    "Hello, my order {order} has not arrived. Please write to {x}. I paid {price} on {day}.",
    "{x} is where you reach me about invoice {order}.",
    "Order #{order}: {n} of the red lamps came broken ({price} each), contact {x}, thanks!",
    "Hi\nmy details are: {x}\nThe parcel {order} was due {day}.",
)
HARMLESS = (
    "Order {order} of {day} cost {price}; {n} items are missing and 3 are on the road.",
    "I returned {n} Red Park Lamps, {price}, tracking 1Z{order}{order}, at 12:30.",
    "Invoice no. 00{order}{n} says {price}, the shop said 1,234.56 EUR on {day} 10:15:00.",
    "SKU 85123A and 22423, size 38-40, {n} x {price}, order ORD-2024-{order}.",
)


def with_check_digit(digits: str) -> str:
    """A card number: the digits and the last one that Luhn asks for."""
    doubled = [int(digit) * 2 for digit in digits[::-2]]
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, digits[-2::-2]))
    return digits + str(-total % 10)


def card(rng: random.Random) -> str:
    number = with_check_digit(rng.choice("45") + "".join(rng.choices("0123456789", k=14)))
    return rng.choice(("", " ", "-")).join(re.findall("....", number))


def iban(rng: random.Random) -> str:
    country, length = rng.choice((("DE", 18), ("NL", 14), ("GB", 18), ("FR", 23)))
    letters = {"NL": "ABNA", "GB": "WEST"}.get(country, "")
    account = letters + "".join(rng.choices("0123456789", k=length - len(letters)))
    number = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
    whole = f"{country}{98 - number % 97:02d}{account}"
    return rng.choice((whole, " ".join(re.findall(".{1,4}", whole)), whole.lower()))


def email(rng: random.Random) -> str:
    name = f"{rng.choice(FIRST)}{rng.choice(('', '.x', '+shop', '_1'))}"
    return rng.choice((f"{name}@mail.example.co.uk", f"{name}@Example.org", f"{name} (at) example (dot) org"))


def phone(rng: random.Random) -> str:
    d = [str(rng.randint(2, 9)) for _ in range(10)]
    return rng.choice(
        (
            f"+44 7{''.join(d[:3])} {''.join(d[3:9])}",
            f"07{''.join(d[:9])}",
            f"020 7{''.join(d[:3])} {''.join(d[3:7])}",
            f"({''.join(d[:3])}) {''.join(d[3:6])}-{''.join(d[6:])}",
            f"{''.join(d[:3])}-{''.join(d[3:6])}-{''.join(d[6:])}",
            f"+49 (0)30 {''.join(d[:7])}",
            f"06 {d[0]}{d[1]} {d[2]}{d[3]} {d[4]}{d[5]} {d[6]}{d[7]}",
            f"my phone number is {''.join(d)}",
        )
    )


def address(rng: random.Random) -> str:
    number, street, city = rng.randint(1, 250), rng.choice(STREETS), rng.choice(CITIES)
    kind = rng.choice(KINDS_OF_STREET)
    return rng.choice(
        (
            f"{number} {street} {kind}",
            f"{number}a {street} {kind}, {city} NW{rng.randint(1, 9)} {rng.randint(1, 9)}AB",
            f"Flat {rng.randint(1, 9)}, {number} {street} {kind}, {city}",
            f"Lindenstraße {number}, 10115 Berlin",
            f"{number} rue de la Paix, 75002 Paris",
            f"PO Box {number}",
        )
    )


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "email": email,
    "iban": iban,
    "card": card,
    "phone": phone,
    "address": address,
}


def filled(rng: random.Random, template: str, x: str = "") -> str:
    day = f"{rng.randint(2010, 2024)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    price, n = rng.choice(("£{}", "{} EUR", "{}")).format(f"{rng.uniform(1, 999):.2f}"), rng.randint(2, 48)
    return template.format(order=rng.randint(100000, 999999), price=price, day=day, n=n, x=x)


def test_precision_and_recall_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    rng, found, missed, wrong = random.Random(7), Counter[str](), Counter[str](), Counter[str]()
    for _ in range(400):
        for kind, make in MAKERS.items():
            value = make(rng)
            seen = re.findall(
                r"\[(email|iban|card|phone|address)\]", out := redact_text(filled(rng, AROUND[_ % 4], value))
            )
            is_gone = kind in seen and not set(re.findall(r"\w{4,}", value)) & set(re.findall(r"\w{4,}", out)) - {
                "phone",
                "number",
                "example",
            }
            (found if is_gone else missed)[kind] += 1
            wrong.update(other for other in seen if other != kind)
        wrong.update(re.findall(r"\[(\w+)\]", redact_text(filled(rng, HARMLESS[_ % 4]))))
    figures = {
        kind: (found[kind] / (found[kind] + wrong[kind]), found[kind] / (found[kind] + missed[kind])) for kind in MAKERS
    }
    with capsys.disabled():
        lines = [f"{kind:8} precision {p:.3f}  recall {r:.3f}" for kind, (p, r) in figures.items()]
        print("\n" + "\n".join(lines))  # noqa: T201
    assert min(precision for precision, _ in figures.values()) >= 0.98
    assert min(recall for _, recall in figures.values()) >= 0.98


ORDER_IDS = st.from_regex(r"[A-Z]{1,4}-[0-9]{4,10}|[1-9][0-9]{4,8}|[CA]?[1-9][0-9]{5}", fullmatch=True)
PRICES = st.decimals(0, 99999, places=2).map(lambda price: f"{price:,}")


@given(order=ORDER_IDS, price=PRICES, day=st.dates(date(1900, 1, 1)), count=st.integers(1, 999))
def test_orders_prices_dates_and_counts_survive(order: str, price: str, day: date, count: int) -> None:
    text = f"My order {order} of {day} cost £{price}, {price} EUR for {count} items, see {order}."
    assert redact_text(text) == text


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


def test_an_order_number_right_before_a_card_survives() -> None:
    assert redact_text("order 536365 4111 1111 1111 1111, 2 lamps") == "order 536365 [card], 2 lamps"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("My name is Mary Ann O'Connor.", "My name is [name]."),
        ("Ask for Mrs Van Dyke, please.", "Ask for Mrs [name], please."),
        ("It broke.\nKind regards,\nAnna Smith", "It broke.\nKind regards,\n[name]"),
        ("Where is it? Ada Archer", "Where is it? [name]"),
        ("Dear Ben, it left today.", "Dear [name], it left today."),
        ("Ich heiße Hans-Peter von Berg, Kundin.", "Ich heiße [name], Kundin."),
        ("Sehr geehrte Frau Dr. Müller, danke", "Sehr geehrte Frau [name], danke"),
        ("Viele Grüße Ömer Özdemir", "Viele Grüße [name]"),
        ("我叫王小明，订单536365在哪里", "我叫[name]，订单536365在哪里"),
        ("收件人：欧阳芳。", "收件人：[name]。"),
        ("请联系李伟先生。", "请联系[name]先生。"),
        ("Am Markt 5, 50667 Köln ist meine Anschrift", "[address] ist meine Anschrift"),
        ("请寄到北京市朝阳区建国路88号3楼。", "请寄到[address]。"),
        ("手机13812345678，邮箱a@x.cn", "手机[phone]，邮箱[email]"),
        ("我的号码１３８１２３４５６７８", "我的号码[phone]"),
        ("Handynummer: 0171 2345678", "Handynummer: [phone]"),
    ],
)
def test_names_addresses_and_phones_in_three_languages(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "订单号13812345678在哪里",
        "Bestellnummer 5551234567, Artikel 0171 2345678",
        "order 13812345678 is late",
        "I am very disappointed. Dear Customer Service, hello",
        "Sehr geehrte Damen und Herren, die Frau am Telefon war nett.",
        "我是老客户，非常高兴",
        "Am Montag 5 Lampen, 22423 Lampen",
    ],
)
def test_what_only_looks_like_a_person_survives(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("text", ["4111 1111 1111 1112", "DE89370400440532013001", "order no. 5551234567"])
def test_what_fails_its_checksum_or_is_called_an_order_survives(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("phone", ["0044 7700 900123", "00447700900123", "0049 30 901820", "030/901820"])
def test_numbers_with_a_long_last_group_are_phones(phone: str) -> None:
    assert redact_text(f"Call {phone} please.") == "Call [phone] please."


def test_a_column_keeps_its_nulls_and_its_order() -> None:
    texts = pa.chunked_array([["a@x.org", None, ""], ["b", "a@x.org"]], pa.string())
    assert redact(texts).to_pylist() == ["[email]", None, "", "b", "[email]"]
    assert redact(pa.chunked_array([], pa.string())).to_pylist() == []
