"""Which outputs `monitor` wants trained before the week is over, and whether a training is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from pipelines.home import Home
from pipelines.records import ALL, training_costs

Reasons = Mapping[str, Sequence[str]]
"""Sentences by output."""
TOLD = 3  # of the reasons of an output
MAX_AGE = timedelta(days=1)  # of what was asked for, against the newest night


def all_wanted(home: Home, as_of: date, *causes: Reasons) -> dict[str, str]:
    """The outputs to train with their reasons, from all causes; none on a night that is made up for."""
    if as_of < (home.records.newest_loaded_night() or as_of):
        return {}
    reasons: dict[str, list[str]] = defaultdict(list)
    for cause in causes:
        for output, sentences in cause.items():
            reasons[output] += sentences
    return {output: _told(sentences) for output, sentences in sorted(reasons.items()) if sentences}


def due(home: Home, asked: Mapping[str, str], as_of: date) -> tuple[dict[str, str], list[str]]:
    """Who decides on each output that is asked for and due, and why the others are not.

    Once a day will do; and what was asked for long ago, while no scheduler ran, would crown a champion in the past.
    """
    newest = home.records.newest_loaded_night() or as_of
    if newest - as_of > MAX_AGE:
        return {}, [f"asked for as of {as_of}, and the night of {newest} has run since"]
    costs = training_costs.c
    rows = home.records.rows(sa.select(costs.output).where(costs.as_of == as_of, costs.part == ALL))
    done = {row["output"] for row in rows}
    not_due = [f"{output} was trained as of {as_of} already" for output in asked if output in done]
    return {output: f"train: {reason}" for output, reason in asked.items() if output not in done}, not_due


def _told(sentences: Sequence[str]) -> str:
    rest = len(sentences) - TOLD
    return "; ".join([*sentences[:TOLD], *([f"and {rest} more"] if rest > 0 else [])])
