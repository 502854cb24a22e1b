"""What a date is said to be the day of: the word nearest to it tells."""

from __future__ import annotations

import re

ROLES = {
    "ordered": r"\border(?:ed)?\b|\bplaced\b|\bpurchased?\b|bestell\w*|auftrag\w*|下单|订购|订单|购买",
    "returned": r"refund\w*|return\w*|credited|\bback\b|erstatt\w*|retoure|rücksend\w*|zurück\w*|gutgeschr\w*|"
    r"退款|退货|退回",
    "arrived": r"\b(?:arrived|received|reached)\b|eingegangen|erhalten|eingetroffen|angekommen|收到",
    "other": r"\b(?:shipped|dispatched|sent|posted|left|leave|leaves|delivered|delivery|cancelled|canceled|paid|"
    r"payment|issued|processed)\b|versandt|versendet|verschickt|geliefert|zugestellt|storniert|bezahlt|"
    r"überwiesen|发货|寄出|"
    r"送达|签收|取消|付款",
}
WORD = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in ROLES.items()), re.IGNORECASE)
BEFORE_COUNTS = 12
"""Characters by which a word after a date must be nearer than one before it; none in Chinese and German."""
VERB_LAST = re.compile(r"[\u4e00-\u9fff]|\b(?:am|vom|der|die|das|ist|wurde|ihre?)\b", re.IGNORECASE)
STOPS = re.compile(r"[.!?;\n。！？；](?=\s|$|[\u4e00-\u9fff])")


def sentence_around(text: str, at: int) -> str:
    """The sentence that a place of a text lies in."""
    start = max((stop.end() for stop in STOPS.finditer(text, 0, at)), default=0)
    stop = STOPS.search(text, at)
    return text[start : stop.end() if stop else len(text)]


def role_of(text: str, start: int, end: int) -> str:
    """ordered, returned, other (a day that no fact tells), or "" where no word says what the date is."""
    first = max((stop.end() for stop in STOPS.finditer(text, 0, start)), default=0)
    stop = STOPS.search(text, end)
    last = stop.start() if stop else len(text)
    penalty = 0 if VERB_LAST.search(text[first:last]) else BEFORE_COUNTS
    found = [(start - match.end(), match) for match in WORD.finditer(text, first, start)]
    found += [(match.start() - end + penalty, match) for match in WORD.finditer(text, end, last)]
    if not found:
        return ""
    role = min(found, key=lambda one: one[0])[1].lastgroup or ""
    if role == "arrived":
        return "returned" if any(match.lastgroup == "returned" for _, match in found) else "other"
    return role
