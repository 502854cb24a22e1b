"""Urgency: what the model says, raised by stated rules."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVELS = ("low", "normal", "high", "critical")
UNANSWERED = "unanswered_messages"
DEFAULT = "normal"


class Rule(NamedTuple):
    """A pattern in the text that makes a ticket at least this urgent, and why in words."""

    pattern: re.Pattern[str]
    level: str
    reason: str


def _words(*languages: str) -> re.Pattern[str]:
    """One pattern of those of English, German and Chinese; Chinese has no word boundaries."""
    return re.compile("|".join(languages), re.IGNORECASE)


RULES = (
    Rule(
        _words(
            r"(?<!hypo)(?<!anti)(?<!anti-)allerg(?!enfrei|en-free)|anaphyla"
            r"|\bburn(?:t|ed) (?:my|her|his|our)\b|\binjur(?:y|ies|ed)|\b(?:caught|on) fire\b"
            r"|\belectric shock|\bpoisoned",
            r"\bverletz(?:t|ung)|\bstromschlag|\bverbrannt|\bverbrüht|feuer gefangen|in brand geraten"
            r"|vergiftet|vergiftung",
            "过敏|受伤|烫伤|烧伤|割伤|划伤|触电|着火|起火|中毒",
        ),
        "critical",
        "health: an allergy or an injury is mentioned",
    ),
    Rule(
        _words(
            r"\b(?:charg|bill|debit|tak|paid|pay|left my account)\w*\b.{0,60}\b(?:twice|two times|2 times|double)\b"
            r"|\b(?:twice|double|two)\b.{0,30}\b(?:charg|bill|debit|payment)\w*",
            r"\b(?:doppelt|zweimal|zwei mal|2 ?x|2 ?mal)\b.{0,60}"
            r"(?:gebucht|buchung|belast|berechnet|bezahl|eingezogen|abgezogen)"
            r"|(?:gebucht|buchung|belastet|berechnet|bezahlt|eingezogen|abgezogen|\bzahlung\w*)\b.{0,60}"
            r"\b(?:doppelt|zweimal|zwei mal|2 ?x|2 ?mal)\b|\b(?:doppelte|zwei) (?:ab)?(?:buchung|zahlung|belastung)",
            "重复(?:扣|付|收|支付|收费)|(?:扣款?|付款?|收款?|收费|刷|支付)了?我?[两二2](?:次|笔|遍)"
            "|[两二2](?:次|笔)(?:扣款|付款|支付|扣费)",
        ),
        "high",
        "money: a payment was taken twice",
    ),
    Rule(
        _words(
            r"\b(?:need|needs|needed|must|has to|have to|deadline|leav|flight|wedding|party|birthday)\w*\b.{0,60}"
            r"\b(?:today|tonight|this (?:morning|afternoon|evening)|in an hour)\b",
            r"\b(?:brauch|benötig|muss|müssen|frist|hochzeit|geburtstag|feier|flug|fliege|abreise)\w*\b.{0,60}"
            r"\b(?:heute|in einer stunde)\b|\b(?:noch|spätestens) heute\b"
            r"|\bheute\b.{0,60}\b(?:brauch|gebraucht|benötig|hochzeit|geburtstag|abflug)\w*",
            "(?:必须|需要|急需|急用|务必|截止|最晚).{0,12}(?:今天|今日|今晚|一小时内)"
            "|(?:今天|今日|今晚).{0,12}(?:必须|要用|急用|截止|婚礼|生日|航班|出发)|(?:今天|今日)(?:之?内|以前|之前)",
        ),
        "high",
        "time: the deadline is today",
    ),
)
TOO_MANY_UNANSWERED = 3


def decide_urgency(tickets: pd.DataFrame, guessed: NDArray[Any] | None) -> tuple[list[str], list[str | None]]:
    """[n] urgency and [n] the rule that raised it (None: no rule did).

    guessed: the model's, "normal" where there is no model. Rules never lower. The rule of unanswered messages
    needs the column unanswered_messages (customer messages since the last answer).
    """
    start = [DEFAULT] * len(tickets) if guessed is None else [str(level) for level in guessed]
    waiting = tickets[UNANSWERED].fillna(0).to_numpy() if UNANSWERED in tickets.columns else np.zeros(len(tickets))
    pairs = [_one(*row) for row in zip(tickets["text"], waiting, start, strict=True)]
    return [level for level, _ in pairs], [reason for _, reason in pairs]


def _one(text: object, waiting: float, level: str) -> tuple[str, str | None]:
    found = [(rule.level, rule.reason) for rule in RULES if isinstance(text, str) and rule.pattern.search(text)]
    if waiting >= TOO_MANY_UNANSWERED:
        found.append(("high", f"waiting: {int(waiting)} messages without an answer"))
    rank = LEVELS.index(level) if level in LEVELS else LEVELS.index(DEFAULT)
    if not found:
        return LEVELS[rank], None
    highest, reason = max(found, key=lambda one: LEVELS.index(one[0]))
    return LEVELS[max(rank, LEVELS.index(highest))], reason if LEVELS.index(highest) >= rank else None
