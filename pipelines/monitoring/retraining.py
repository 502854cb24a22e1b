"""Which outputs `monitor` wants trained before the week is over, and whether a training is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from pipelines.home import Home
from pipelines.records import nights, trainings

Reasons = Mapping[str, Sequence[str]]
"""Sentences by output."""
TOLD = 3  # of the reasons of an output


def retrain_wanted(home: Home, as_of: date, *causes: Reasons) -> dict[str, str]:
    """The outputs to train with their reasons, from all causes; none on a night that is made up for."""
    newer = sa.select(nights.c.as_of).where(nights.c.as_of > as_of, nights.c.loaded_at.is_not(None))
    if home.records.first(newer):
        return {}
    reasons: dict[str, list[str]] = defaultdict(list)
    for cause in causes:
        for output, sentences in cause.items():
            reasons[output] += sentences
    return {output: _told(sentences) for output, sentences in sorted(reasons.items()) if sentences}


def why_not_due(home: Home, output: str, as_of: date) -> str | None:
    """Why a training that was asked for is not: an output is trained once a day; None where it is due."""
    trained = trainings.c
    row = home.records.first(sa.select(trainings).where(trained.output == output, trained.as_of == as_of))
    return f"{output} has been trained as of {as_of} already, by {row['decided_by']}" if row else None


def _told(sentences: Sequence[str]) -> str:
    rest = len(sentences) - TOLD
    return "; ".join([*sentences[:TOLD], *([f"and {rest} more"] if rest > 0 else [])])
