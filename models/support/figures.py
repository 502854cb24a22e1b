"""Figures in a text: dates, amounts of money, percentages and all else with a digit, in English, German and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

PUNCTUATION = str.maketrans("，．：；％￥＃（）？！\u00a0\u202f\u2009’", ",.:;%¥#()?!   '")
MONTHS = (
    ("january", "jan", "januar", "jänner"),
    ("february", "feb", "februar"),
    ("march", "mar", "märz", "maerz", "mrz"),
    ("april", "apr"),
    ("may", "mai"),
    ("june", "jun", "juni"),
    ("july", "jul", "juli"),
    ("august", "aug"),
    ("september", "sept", "sep"),
    ("october", "oct", "oktober", "okt"),
    ("november", "nov"),
    ("december", "dec", "dezember", "dez"),
)
MONTH_OF = {name: number for number, names in enumerate(MONTHS, start=1) for name in names}
_MONTH = "(" + "|".join(sorted(MONTH_OF, key=len, reverse=True)) + ")"
CURRENCIES = {
    "EUR": ("€", "EUR", "euros", "euro", "欧元"),
    "GBP": ("£", "GBP", "pounds", "pound", "Pfund", "英镑"),
    "USD": ("$", "USD", "dollars", "dollar", "美元"),
    "CNY": ("¥", "CNY", "RMB", "yuan", "元", "人民币", "块"),
    "CHF": ("CHF", "Franken", "francs"),
}
CURRENCY_OF = {name.lower(): code for code, names in CURRENCIES.items() for name in names}
MEANS_SEVERAL = {"$": {"USD", "AUD", "CAD", "NZD", "HKD", "SGD"}, "¥": {"CNY", "JPY"}}
_CURRENCY = "(" + "|".join(re.escape(name) for name in sorted(CURRENCY_OF, key=len, reverse=True)) + ")"
_NUMBER = r"((?<!\d)\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?)"
_ORDINAL = r"(?:st|nd|rd|th|\.)?"

AMOUNT = re.compile(rf"(?<![A-Za-z0-9]){_CURRENCY}\s?{_NUMBER}|{_NUMBER}\s?{_CURRENCY}(?![a-zäöü])", re.IGNORECASE)
PERCENT = re.compile(rf"{_NUMBER}\s?(?:%|percent\b|per cent\b|prozent\b)|百分之\w+", re.IGNORECASE)
YEAR_FIRST = re.compile(r"(?<![\d.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d-])")
CHINESE = re.compile(r"(?:(\d{4})\s*年\s*)?(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]")
DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4}|\d{2})(?![\d.]*\d))?")
SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])")
DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}}){_ORDINAL}\s*(?:of\s+)?{_MONTH}\b\.?(?:,?\s*(\d{{4}}))?(?!\d)", re.IGNORECASE
)
MONTH_FIRST = re.compile(
    rf"\b{_MONTH}\b\.?\s+(\d{{1,2}})(?!\d){_ORDINAL}(?:,?\s+(\d{{4}})(?!\d))?", re.IGNORECASE
)  # fmt: skip
MONTH_ALONE = re.compile(
    r"\b(January|February|March|April|May(?! (?:I|we|you|it)\b)|June|July|August|September|October|November|December|"
    r"Januar|Jänner|Februar|März|Mai|Juni|Juli|Oktober|Dezember)\b|[一二三四五六七八九十\d]+月"
)
WEEKDAYS = (
    ("monday", "montag", "星期一", "周一", "礼拜一"),
    ("tuesday", "dienstag", "星期二", "周二", "礼拜二"),
    ("wednesday", "mittwoch", "星期三", "周三", "礼拜三"),
    ("thursday", "donnerstag", "星期四", "周四", "礼拜四"),
    ("friday", "freitag", "星期五", "周五", "礼拜五"),
    ("saturday", "samstag", "sonnabend", "星期六", "周六", "礼拜六"),
    ("sunday", "sonntag", "星期日", "星期天", "周日", "礼拜天"),
)
WEEKDAY_OF = {name: number for number, names in enumerate(WEEKDAYS) for name in names}
WEEKDAY = re.compile("|".join(WEEKDAY_OF), re.IGNORECASE)
_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|"
    "nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    "einen|einem|einer|eine|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|vierzehn|zwanzig|dreißig|hundert"
)
_UNITS = (
    r"(?:business |working |calendar )?(?:days?|weeks?|hours?|months?|minutes?)|euros?|pounds?|dollars?|percent|"
    r"(?:Werk|Arbeits|Kalender)?(?:tage?n?|stunden?)|wochen?|monate?n?|pfund|dollar|prozent"
)
SPELLED = re.compile(
    rf"\b(?:{_WORDS})(?:[- ](?:{_WORDS}|to|or|bis|oder|and))*\s+(?:{_UNITS})\b"
    rf"|\b(?:{_WORDS})(?:[- ](?:{_WORDS}))+\b"
    r"|[一二三四五六七八九十百千两半几]+\s*(?:个)?(?:工作日|小时|[天日周月元块件成折])",
    re.IGNORECASE,
)
NUMBERING = re.compile(r"(?m)^\s*\d{1,2}[.)、]\s|\b24/7\b")
TOKEN = re.compile(r"[#№]?[A-Za-z0-9]*\d[A-Za-z0-9]*(?:[-_/.,:][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Figure:
    """A figure at [start, end) of a text, with what it may mean.

    kind: amount, percent, date, weekday, spelled or number. dates: its readings, the year 0 where it has none.
    values and currencies: those of an amount; empty currencies: any. style: how a date is written.
    """

    kind: str
    start: int
    end: int
    text: str
    dates: tuple[tuple[int, int, int], ...] = ()
    values: tuple[Decimal, ...] = ()
    currencies: frozenset[str] = frozenset()
    style: str = ""


def plain(text: str) -> str:
    """The text with ASCII digits and punctuation, character for character."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.translate(PUNCTUATION))


def readings(number: str) -> tuple[Decimal, ...]:
    """What a number may mean: 1,234 is a thousand and more in one country, a little over one in another."""
    marks = re.findall(r"[.,' ]", number)
    digits = re.sub(r"[' ]", "", number)
    if not marks or set(marks) <= {"'", " "}:
        return (Decimal(digits),)
    last = [mark for mark in marks if mark in ".,"][-1]
    whole, _, rest = digits.rpartition(last)
    as_decimal = Decimal(re.sub(r"[.,]", "", whole) + "." + rest)
    as_thousands = Decimal(re.sub(r"[.,]", "", digits))
    if len(rest) != 3:
        return (as_decimal,)
    if len(set(marks)) > 1 or marks.count(last) > 1:  # 1.234,567 or 1.234.567
        return (as_thousands,) if marks.count(last) > 1 else (as_decimal,)
    return (as_thousands, as_decimal)


def find_figures(text: str) -> list[Figure]:
    """The figures of a plain text in order; none overlaps another, the most telling reading first."""
    taken = bytearray(len(text))
    found: list[Figure] = []
    for figure in _candidates(text):
        if any(taken[figure.start : figure.end]):
            continue
        taken[figure.start : figure.end] = b"\1" * (figure.end - figure.start)
        if figure.kind != "numbering":
            found.append(figure)
    return sorted(found, key=lambda figure: figure.start)


def _candidates(text: str) -> Iterator[Figure]:
    for match in AMOUNT.finditer(text):
        name = (match[1] or match[4]).lower()
        codes = frozenset(MEANS_SEVERAL.get(name, {CURRENCY_OF[name]}))
        yield Figure("amount", *match.span(), match[0], values=readings(match[2] or match[3]), currencies=codes)
    yield from (Figure("percent", *match.span(), match[0]) for match in PERCENT.finditer(text))
    yield from _dates(text)
    yield from (Figure("numbering", *match.span(), match[0]) for match in NUMBERING.finditer(text))
    for match in WEEKDAY.finditer(text):
        yield Figure("weekday", *match.span(), match[0], dates=((0, 0, WEEKDAY_OF[match[0].lower()]),))
    yield from (Figure("month", *match.span(), match[0]) for match in MONTH_ALONE.finditer(text))
    yield from (Figure("spelled", *match.span(), match[0]) for match in SPELLED.finditer(text))
    yield from (Figure("number", *match.span(), match[0]) for match in TOKEN.finditer(text))


def _dates(text: str) -> Iterator[Figure]:
    for match in YEAR_FIRST.finditer(text):
        yield from _date(match, "iso", (match[1], match[3], match[4]))
    for match in CHINESE.finditer(text):
        yield from _date(match, "chinese", (match[1], match[2], match[3]))
    for match in DAY_FIRST.finditer(text):
        is_german = match[0][match.end(1) - match.start() :].startswith(".")
        yield from _date(match, "german" if is_german else "day_first", (match[3], _month(match[2]), match[1]))
    for match in MONTH_FIRST.finditer(text):
        yield from _date(match, "month_first", (match[3], _month(match[1]), match[2]))
    for match in DOTTED.finditer(text):
        yield from _date(match, "dotted", (match[3], match[2], match[1]))
    for match in SLASHED.finditer(text):
        yield from _date(match, "slashed", (match[3], match[2], match[1]), (match[3], match[1], match[2]))


def _month(name: str) -> str:
    return str(MONTH_OF[name.lower()])


def _date(match: re.Match[str], style: str, *parts: tuple[str | None, str, str]) -> Iterator[Figure]:
    """A figure where at least one reading is a day of the calendar."""
    found = []
    for year, month, day in parts:
        number = int(year or 0)
        number += 2000 if year and len(year) == 2 else 0
        try:
            date(number or 2000, int(month), int(day))
        except ValueError:
            continue
        found.append((number, int(month), int(day)))
    if found:
        yield Figure("date", *match.span(), match[0], dates=tuple(dict.fromkeys(found)), style=style)
