"""Gaps between what a model promised when it was trained and what came true, and the alarms they raise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from scipy.stats import norm

from pipelines.home import Home
from pipelines.records import Row, model_performance
from pipelines.scoring.outputs import Output
from pipelines.training.champions import champion_of
from pipelines.training.cutoffs import JUDGED_WEEKS

LEAST_TOLD = 20
"""Entities (nights, where money is counted by night) under which an interval says too little to raise an alarm by."""


def gaps(home: Home, output: Output, as_of: date) -> list[Row]:
    """Realised less offline figures of the model that serves, on all and per segment, with an interval.

    Both intervals make that of the gap (Zou and Donner 2008), widened for the number of gaps that are looked at
    (Bonferroni). An alarm is one that lies on the bad side as a whole: a model that does better than it promised is no
    reason to wake anybody.
    """
    champion = champion_of(home, output.name, as_of)
    if champion is None:
        return []
    figures = model_performance.c
    own = (figures.output == output.name) & (figures.model_version == champion["model_version"])
    own &= figures.metric.in_([output.metric, *output.guarded]) & figures.value.is_not(None)
    promised = _figures(home, own & (figures.kind == "offline") & (figures.as_of <= as_of))
    came = _figures(home, own & (figures.kind == "realised") & (figures.as_of == as_of))
    both = [key for key in came if key in promised and came[key]["n"] >= LEAST_TOLD]
    wider = _wider(home.settings.gate.confidence, len(both))
    return [_gap(output, promised[key], came[key], wider) for key in both]


def retrain_wanted(home: Home, output: Output, as_of: date, found: Sequence[Row]) -> str | None:
    """Why an output should be trained again; None where nothing alarms, or where training lately has not helped.

    A training as young as the weeks that the figures are taken from has lost against the model that serves.
    """
    alarms = [gap for gap in found if gap["is_alarm"]]
    figures, lately = model_performance.c, as_of - timedelta(weeks=JUDGED_WEEKS)
    is_young = (figures.kind == "offline") & (figures.as_of > lately) & (figures.as_of <= as_of)
    if not alarms or home.records.first(sa.select(model_performance).where(is_young, figures.output == output.name)):
        return None
    return "; ".join(words(alarm) for alarm in alarms)


def words(gap: Row) -> str:
    """A gap as one reads it."""
    return (
        f"{gap['metric']} of {gap['segment']} is {gap['realised']:.3f}, promised was {gap['offline']:.3f}: "
        f"{gap['gap']:+.3f} [{gap['ci_low']:+.3f}, {gap['ci_high']:+.3f}], n {gap['n']}"
    )


def _figures(home: Home, where: sa.ColumnElement[bool]) -> dict[tuple[str, str], Row]:
    """By metric and segment, the figure of the newest training or night."""
    rows = home.records.rows(sa.select(model_performance).where(where).order_by(model_performance.c.as_of))
    return {(row["metric"], row["segment"]): row for row in rows}


def _wider(confidence: float, looked_at: int) -> float:
    """By how much an interval is wider that holds for all the gaps that are looked at."""
    tail = (1.0 - confidence) / 2.0
    return float(norm.isf(tail / max(looked_at, 1)) / norm.isf(tail))


def _gap(output: Output, promised: Row, came: Row, wider: float) -> Row:
    gap = came["value"] - promised["value"]
    below = wider * math.hypot(came["value"] - came["ci_low"], promised["ci_high"] - promised["value"])
    above = wider * math.hypot(came["ci_high"] - came["value"], promised["value"] - promised["ci_low"])
    is_higher_better = output.higher_is_better and came["metric"] not in output.guarded
    return {
        "output": output.name,
        "model_version": came["model_version"],
        "metric": came["metric"],
        "segment": came["segment"],
        "offline": promised["value"],
        "realised": came["value"],
        "gap": gap,
        "ci_low": gap - below,
        "ci_high": gap + above,
        "n": came["n"],
        "is_alarm": gap + above < 0 if is_higher_better else gap - below > 0,
    }
