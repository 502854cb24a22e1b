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


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


RULES = (
    Rule(
        _words(r"\b(allerg\w*|anaphyla\w*|burn(t|ed) (my|her|his)|injur\w*|caught fire)"),
        "critical",
        "health: an allergy or an injury is mentioned",
    ),
    Rule(
        _words(
            r"\b(charg|bill|debit|tak|paid|pay)\w*\b.{0,60}\b(twice|two times|2 times|double)\b"
            r"|\b(twice|double|two)\b.{0,30}\b(charg|bill|debit|payment)\w*"
        ),
        "high",
        "money: a payment was taken twice",
    ),
    Rule(
        _words(
            r"\b(need|needs|needed|must|has to|have to|deadline|leav|flight|wedding|party|birthday)\w*\b.{0,60}"
            r"\b(today|tonight|this (morning|afternoon|evening)|in an hour)\b"
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
