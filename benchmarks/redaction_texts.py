"""Seeded texts for redaction: one personal value each beside what must survive, in English, German and Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

LANGUAGES = ("en", "de", "zh")
# fmt: off
AROUND = {
    "en": (
        "Hello, order {order} has not come. {said} I paid {price} on {day} for {n} of {code}.",
        "Order {order}: {n} of the Red Park Lamp ({code}) came broken, {price} each. {said}",
        "About {order} from {day}, {price}.\n{said}\nThe {code} was missing {n} times.",
    ),
    "de": (
        "Guten Tag, die Bestellung {order} ist nicht da. {said} Ich zahlte {price} am {day}, {n} Stück von {code}.",
        "Bestellung {order}: {n} Lampen ({code}) kamen kaputt an, je {price}. {said}",
        "Es geht um {order} vom {day}, {price}.\n{said}\nVon {code} fehlen {n} Stück.",
    ),
    "zh": (
        "您好，订单{order}还没有到。{said}我{day}付了{price}，买了{n}个{code}。",
        "订单号{order}：{n}个红色台灯（{code}）都坏了，每个{price}。{said}",
        "关于{day}的{order}，{price}。\n{said}\n少了{n}个{code}。",
    ),
}
SAID = {
    "en": {
        "email": ("Write to {x}, please.", "My e-mail is {x}.", "You reach me at {x}."),
        "phone": ("Call me on {x}.", "My number is {x}.", "Phone: {x}."),
        "card": ("I paid with card {x}.", "The card is {x}, it was charged.", "{x} is my credit card."),
        "iban": ("Refund it to {x}.", "My IBAN: {x}.", "The account {x} is mine."),
        "address": ("Send it to {x}.", "My address is {x}.", "We have moved to {x}."),
        "name": ("My name is {x}.", "Ask for Mr {x}.", "I am {x}, a customer for years.", "Kind regards, {x}"),
    },
    "de": {
        "email": ("Schreiben Sie bitte an {x}.", "Meine E-Mail ist {x}.", "Erreichbar bin ich unter {x}."),
        "phone": ("Rufen Sie mich an unter {x}.", "Meine Nummer ist {x}.", "Tel.: {x}."),
        "card": ("Bezahlt mit der Karte {x}.", "Meine Kreditkarte {x} wurde belastet.", "Karte: {x}."),
        "iban": ("Bitte überweisen Sie auf {x}.", "Meine IBAN: {x}.", "Das Konto {x} gehört mir."),
        "address": ("Bitte an {x} schicken.", "Meine Anschrift ist {x}.", "Wir wohnen jetzt {x}."),
        "name": ("Mein Name ist {x}.", "Fragen Sie nach Frau {x}.", "Ich heiße {x}.", "Viele Grüße {x}"),
    },
    "zh": {
        "email": ("请写信到{x}。", "我的邮箱是{x}。", "邮箱：{x}，谢谢。"),
        "phone": ("请打电话{x}。", "我的手机号是{x}。", "电话：{x}。"),
        "card": ("我用银行卡{x}付的款。", "卡号：{x}。", "信用卡{x}被扣款。"),
        "iban": ("请退款到{x}。", "我的IBAN：{x}。", "账户{x}是我的。"),
        "address": ("请寄到{x}。", "我的地址是{x}。", "新地址：{x}。"),
        "name": ("我叫{x}。", "请联系{x}先生。", "收件人：{x}。", "我的名字是{x}，老客户了。"),
    },
}
UNSAID = {  # names that no word near them announces
    "en": ("{x} took the parcel in.", "It was my neighbour {x} who opened it.", "my name is {lower}."),
    "de": ("{x} hat das Paket angenommen.", "Das hat meine Nachbarin {x} gesehen.", "mein name ist {lower}."),
    "zh": ("{x}收了包裹。", "邻居{x}看到了。", "我和{x}都等着。"),
}
HARMLESS = {
    "en": (
        "Invoice no. 00{order}{n} says {price}, the shop 1,234.56 EUR on {day} 10:15:00. Tracking 1Z{order}{order}.",
        "Is the {code} safe for 10 Victoria Sponge tins? {n} x {price}, order {order}, {day}. Thanks for the Red Lamp",
        "Order {order} number {n}: 2 Road Signs, 3 Garden Lane Plates, size 38-40, {code}, {price}, due {day}.",
        "Dear Customer Service, the Queen Anne Mirror {code} of {order} is {price}, {n}, {day}.",
    ),
    "de": (
        "Rechnung Nr. 00{order}{n} lautet auf {price}, am {day} um 10:15:00. Sendungsnummer 1Z{order}{order}.",
        "Bestellnummer {order}: {n} Blumenkästen {code} zu {price}, geliefert am {day}. Ich bin sehr enttäuscht.",
        "Am Montag {day} kamen {n} Schlüsselanhänger und 2 Vorhangringe, {code}, {price}, Bestellung {order}.",
        "Sehr geehrte Damen und Herren, {order}, Artikel {code}: {n} Stück, {price}, {day}. Frau und Kind da.",
    ),
    "zh": (
        "发票号00{order}{n}写的是{price}，{day}上午10:15。快递单号1Z{order}{order}。",
        "订单{order}里的{code}有{n}件，单价{price}，{day}到货。我是老客户，非常失望。",
        "订单号：{order}，商品编号：{code}，{n}个，{price}，日期{day}。收件人不对。",
        "这个市场上路灯{n}个，三号款{code}，{price}，{day}下的单{order}。高先锋牌的吗？",
    ),
}
# fmt: on
FACTS = ("order number", "product code", "price", "date", "quantity")
FIRST = {
    "en": ("Anna", "Ben", "Chloe", "George", "Hannah", "Mary Ann", "Siobhan", "Tyrone"),
    "de": ("Jürgen", "Annika", "Lukas", "Käthe", "Hans-Peter", "Svenja", "Ömer", "Ute"),
}
LAST = {
    "en": ("Smith", "O'Connor", "Taylor", "Evans", "McDonald", "Baker", "Hughes-Wood"),
    "de": ("Müller", "Schäfer", "Weiß", "von Berg", "Özdemir", "Kraus", "Meyer-Lang"),
    "zh": ("王", "李", "张", "刘", "陈", "欧阳", "赵", "周", "徐", "林"),
}
GIVEN = ("伟", "芳", "小明", "秀英", "志强", "丽华", "建国", "晓东")


def digits(random: Random, count: int) -> str:
    """Digits, the first not a zero."""
    return str(random.randint(1, 9)) + "".join(random.choices("0123456789", k=count - 1))


def email(random: Random, language: str) -> str:
    """An address under a reserved name."""
    name = random.choice(("anna", "ben.x", "li_wei", "j.mueller", "o'neil", "g-kraus", "chen"))
    host = random.choice(("mail.example.co.uk", "Example.org", "example.de", "qq.example.cn"))
    if random.random() < 0.1:
        return f"{name} (at) example (dot) org"
    return f"{name}{random.choice(('', '+shop', '_1', '88'))}@{host}"


def phone(random: Random, language: str) -> str:
    """As it is written in the country."""
    d = digits(random, 10)
    formats = {
        "en": (f"+44 7{d[:3]} {d[3:9]}", f"07{d[:9]}", f"020 7{d[:3]} {d[3:7]}", f"({d[:3]}) {d[3:6]}-{d[6:]}"),
        "de": (f"+49 1{d[:2]} {d[2:]}", f"0171 {d[:7]}", f"030/{d[:7]}", f"0049 89 {d[:6]}", f"0{d[:4]}-{d[4:9]}"),
        "zh": (
            f"+86 13{d[:1]} {d[1:5]} {d[5:9]}",
            f"13{d[:9]}",
            f"15{d[:1]}-{d[1:5]}-{d[5:9]}",
            f"010-{d[:8]}",
            f"18{d[0]} {d[1:5]} {d[5:9]}",
        ),
    }
    return random.choice(formats[language])


def card(random: Random, language: str) -> str:
    """A number that passes Luhn's check, in one piece or in groups."""
    start = random.choice(("4", "5", "62" if language == "zh" else "37"))
    number = digits(random, (14 if start == "37" else 15) - len(start))
    whole = with_check_digit(start + number)
    return random.choice(("", " ", "-")).join(re.findall(".{1,4}", whole))


def with_check_digit(number: str) -> str:
    """The digits and the last one that Luhn's check asks for."""
    doubled = [int(digit) * 2 for digit in number[::-2]]
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, number[-2::-2]))
    return f"{number}{-total % 10}"


def iban(random: Random, language: str) -> str:
    """A number that passes the check of ISO 13616."""
    country, account = random.choice(
        (
            ("DE", digits(random, 18)),
            ("NL", "ABNA" + digits(random, 10)),
            ("GB", "WEST" + digits(random, 14)),
            ("AT", digits(random, 16)),
        )
    )
    number = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
    whole = f"{country}{98 - number % 97:02d}{account}"
    return random.choice((whole, " ".join(re.findall(".{1,4}", whole)), whole.lower()))


def address(random: Random, language: str) -> str:
    """A street with a number, with and without a town."""
    n, code = random.randint(1, 250), random.randint(10_000, 99_999)
    streets = {
        "en": (
            f"{n} Old Mill Road",
            f"{n}a Baker Street, Leeds LS{n % 9 + 1} 4AB",
            f"Flat {n % 9 + 1}, {n} Church Lane, York",
            f"{n} Queen Anne's Avenue, Bath",
            f"PO Box {n}",
        ),
        "de": (
            f"Lindenstraße {n}, {code} Berlin",
            f"Goethestr. {n}a",
            f"Am Markt {n}, {code} Köln",
            f"Wiener Platz {n}, {code} München",
            f"Unter den Linden {n}, {code} Berlin",
            f"Rosenweg {n}",
        ),
        "zh": (
            f"北京市朝阳区建国路{n}号",
            f"上海市浦东新区世纪大道{n}号{n % 30 + 1}楼{n}室",
            f"广东省深圳市南山区科技园路{n}号",
            f"成都市锦江区春熙路{n}号{n % 9 + 1}栋{n % 4 + 1}单元{n}室",
            f"人民路{n}号",
        ),
    }
    return random.choice(streets[language])


def name(random: Random, language: str) -> str:
    """A first and a last name, or in Chinese the last one first."""
    if language == "zh":
        return random.choice(LAST[language]) + random.choice(GIVEN)
    return f"{random.choice(FIRST[language])} {random.choice(LAST[language])}"


MAKERS: dict[str, Callable[[Random, str], str]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "address": address,
    "name": name,
}


def facts(random: Random, language: str) -> dict[str, str]:
    """What must survive: the texts by their kind."""
    orders = [f"{random.randint(100_000, 999_999)}", f"C{random.randint(100_000, 999_999)}"]
    orders += [f"{random.randint(10_000_000, 99_999_999)}", f"ORD-2024-{random.randint(10_000, 99_999)}"]
    amount = random.uniform(1, 999)
    price = {"en": f"£{amount:.2f}", "de": f"{amount:.2f} €".replace(".", ","), "zh": f"{amount:.2f}元"}[language]
    year, month, day = random.randint(2010, 2024), random.randint(1, 12), random.randint(1, 28)
    days = {
        "en": f"{year}-{month:02d}-{day:02d}",
        "de": f"{day:02d}.{month:02d}.{year}",
        "zh": f"{year}年{month}月{day}日",
    }
    code = random.choice(
        (f"{random.randint(10_000, 99_999)}{random.choice('ABC')}", f"{random.randint(10_000, 99_999)}")
    )
    values = (random.choice(orders), code, price, days[language], str(random.randint(2, 48)))
    return dict(zip(("order", "code", "price", "day", "n"), values, strict=True))
