"""Greetings and signatures of replies, without the names of persons that another ticket had."""

from __future__ import annotations

import re

NAMED = r"(?:\s+(?:mr|mrs|ms|dr|prof|herr|frau)\.?)*"
GREETING = re.compile(
    rf"^\s*(dear|hello|hi|hey|good (?:morning|day|evening)|hallo|guten (?:tag|morgen|abend)|moin|servus|grüß gott|"
    rf"liebe[r]?|sehr geehrte[r]?)\b"
    rf"{NAMED}[^,.!\n]{{0,60}}([,.!\n])",
    re.IGNORECASE,
)
CHINESE_GREETING = re.compile(r"^\s*(?:尊敬的|亲爱的)?[^,，。!！\s]{0,8}?(?:先生|女士|小姐)?(您好|你好)?([:：,，!！])")
CHINESE_NAME = re.compile(
    r"^\s*(?:尊敬的|亲爱的)?(?:(?:您好|你好)[,，]?)?\s*\[name\]\s*(?:先生|女士|小姐|/)*[,，]?(?:您好|你好)?([:：,，!！])"
)
SIGNED = re.compile(
    r"(\b(?:regards|wishes|sincerely|faithfully|truly|cheers|thanks|thank you|best|gr(?:ü|ue)(?:ß|ss)en?|gru(?:ß|ss)|"
    r"mfg|vg|lg|danke)|此致|敬礼|祝好|谢谢|\n)[ \t,，.]*\n?[ \t]*\[name\][\s.。!！]*$",
    re.IGNORECASE,
)
FORMAL = "Sehr geehrte Damen und Herren"
SAID_ALONE = ("hallo", "guten", "moin", "servus", "grüß")


def ungreeted(reply: str) -> str:
    """The reply without the name of whom it greets, and of who signs it."""
    reply = SIGNED.sub(r"\1", reply).rstrip()
    if match := GREETING.match(reply):
        word = match[1]
        polite = word if word.lower().startswith(SAID_ALONE) else f"{word} customer"
        if word.lower().startswith(("sehr", "liebe")):
            polite = FORMAL
        return f"{polite}{match[2]}{reply[match.end() :]}"
    if match := CHINESE_NAME.match(reply):
        return f"您好{match[1]}{reply[match.end() :]}"
    if (match := CHINESE_GREETING.match(reply)) and (match[1] or "尊敬" in match[0] or "亲爱" in match[0]):
        return f"您好{match[2]}{reply[match.end() :]}"
    return reply
