"""Free text loses what leads to a person: e-mail, IBAN, card, phone, address and name patterns become `[email]`, ....

Order numbers, dates and amounts survive: cards and IBANs must pass their checksums, and a row of digits is a phone
number only where it is written like one or said to be one. Names go where words around announce them (English, German,
Chinese). Redacting twice changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.redact_names import HAN_NAME, SAID_NAME, SIGNED_NAME
from pipelines.ingest.redact_patterns import (
    ADDRESS,
    ANY_EMAIL,
    CARD_DIGITS,
    CARD_RUN,
    EMAIL,
    HAN,
    HAN_PHONE,
    IBAN_LENGTHS,
    IBAN_START,
    MAY_BE,
    MAY_BE_WIDE,
    ORDER_WORD,
    PHONE,
    PHONE_START,
    SAID_PHONE,
    WIDE,
)


def redact(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column, redacted; each distinct text is looked at once."""
    encoded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    narrow = _narrow(encoded.dictionary)
    texts = narrow.to_pylist()
    may_be = {kind: pc.match_substring_regex(narrow, MAY_BE[kind]) for kind in KINDS}
    for kind, change in KINDS.items():
        for row in pc.indices_nonzero(may_be[kind]).to_pylist():
            texts[row] = change(texts[row])
    return pa.chunked_array([pa.array(texts, pa.string()).take(encoded.indices)])


def redact_text(text: str) -> str:
    """A text without e-mail, IBAN, card, phone, address and name patterns."""
    return str(redact(pa.chunked_array([[text]]))[0])


def _narrow(texts: pa.Array) -> pa.Array:
    """Digits and signs as wide as a Chinese sign, as narrow ones: a number is one however it was typed."""
    if not pc.any(pc.match_substring_regex(texts, MAY_BE_WIDE)).as_py():
        return texts
    return pa.array([text.translate(WIDE) for text in texts.to_pylist()], pa.string())


def _email(text: str) -> str:
    return ANY_EMAIL.sub("[email]", EMAIL.sub("[email]", text))


def _iban(text: str) -> str:
    return _replace_spans(text, IBAN_START, _iban_end, "[iban]")


def _iban_end(text: str, start: int) -> int | None:
    """Where the IBAN that begins here ends: its country says how long it is, its checksum whether it is one."""
    length, found, at = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0), "", start
    while at < len(text) and len(found) < length:
        if text[at].isascii() and text[at].isalnum():
            found += text[at].upper()
        elif text[at] not in " -\u00a0":
            break
        at += 1
    if not length or len(found) < length or (text[at : at + 1].isascii() and text[at : at + 1].isalnum()):
        return None
    number = int("".join(str(int(sign, 36)) for sign in found[4:] + found[:4]))
    return at if number % 97 == 1 else None


def _replace_spans(text: str, starts: re.Pattern[str], end_of: Callable[[str, int], int | None], mark: str) -> str:
    done, parts = 0, []
    for match in starts.finditer(text):
        if match.start() >= done and (end := end_of(text, match.start())):
            parts += [text[done : match.start()], mark]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def _card(text: str) -> str:
    return CARD_RUN.sub(_card_in, text)


def _card_in(match: re.Match[str]) -> str:
    """The run of digit groups with its card numbers taken out: an order number may stand right before one."""
    run = match.group()
    groups = list(re.finditer(r"[0-9]+", run))
    for first, start in enumerate(groups):
        for end in groups[first:]:
            digits = re.sub(r"[^0-9]", "", run[start.start() : end.end()])
            if CARD_DIGITS.fullmatch(digits) and _is_luhn(digits):
                rest = run[end.end() :]
                return run[: start.start()] + "[card]" + CARD_RUN.sub(_card_in, rest)
    return run


def _is_luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0


def _said_phone(text: str) -> str:
    return SAID_PHONE.sub(lambda match: match["word"] + "[phone]", text)


def _phone(text: str) -> str:
    return _replace_spans(text, PHONE_START, _phone_end, "[phone]")


def _phone_end(text: str, start: int) -> int | None:
    match = PHONE.match(text, start) or (HAN_PHONE.match(text, start) if HAN.search(text) else None)
    return match.end() if match and not ORDER_WORD.search(text, max(0, start - 40), start) else None


def _address(text: str) -> str:
    return ADDRESS.sub("[address]", text)


def _name(text: str) -> str:
    return SAID_NAME.sub(_named, text)


def _signed(text: str) -> str:
    return SIGNED_NAME.sub(_named, text)


def _han_name(text: str) -> str:
    return HAN_NAME.sub(_named, text)


def _named(match: re.Match[str]) -> str:
    """What announces the name, and its mark."""
    found = match.groupdict()
    around = next((value for key, value in found.items() if key.startswith("word") and value), "")
    return f"{around}[name]{found.get('after') or ''}"


KINDS: dict[str, Callable[[str], str]] = {
    "email": _email,
    "iban": _iban,
    "card": _card,
    "said_phone": _said_phone,
    "phone": _phone,
    "address": _address,
    "name": _name,
    "signed": _signed,
    "han_name": _han_name,
}
