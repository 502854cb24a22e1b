"""Sentences for the features of a payment: what was found, and what is usual.

A name that the grammar does not know is said as it is, so a new feature never fails.
"""

from __future__ import annotations

import math
import re
from functools import cache

from models.risk.grammar import BY, GRAMMAR, NAMED_AS_IS, Phrase, counted

_GRAMMAR = tuple((re.compile(phrase.pattern), phrase) for phrase in GRAMMAR)
NONE = "none"  # what is usual where most honest payments have no value


def sentence(column: str, value: float, usual: float) -> str:
    """What was found of a feature, and what is usual of honest payments; NaN where that is null."""
    phrase, words = _phrase_of(column)
    said = phrase.null.format(**words) if math.isnan(value) else phrase.said.format(value=phrase.show(value), **words)
    return f"{said}; usual is {NONE if math.isnan(usual) else phrase.usual(usual)}"


@cache
def _phrase_of(column: str) -> tuple[Phrase, dict[str, str]]:
    """The phrase of a feature, and the words that its name gives it."""
    phrase, told = next(
        ((phrase, match.groupdict()) for pattern, phrase in _GRAMMAR if (match := pattern.fullmatch(column))),
        (NAMED_AS_IS, {"what": column}),
    )
    return phrase, {
        "by": BY.get(told.get("who") or "", ""),
        "within": f"in {counted('day')(int(told['days']))}" if told.get("days") else "before",
        "what": (told.get("what") or "").replace("_", " "),
    }
