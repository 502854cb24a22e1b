"""What the report shows of predictions that have come true: each output's figure night by night, beside its promise."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.home import Home
from pipelines.records import ALL, Row, model_performance
from pipelines.scoring.outputs import output_of

SHOWN = timedelta(days=92)  # of past nights


def came_true(home: Home, as_of: date) -> list[dict[str, Any]]:
    """Each output with figures that came true up to the night, and tonight's gaps; those that alarm first."""
    watched = home.records.result(as_of, "monitor").get("realised") or {}
    return [found for output in OUTPUTS if (found := _came_true(home, output, as_of, watched.get(output) or {}))]


def _came_true(home: Home, name: str, as_of: date, watched: Row) -> dict[str, Any] | None:
    output, figures = output_of(name), model_performance.c
    own = (figures.output == name) & (figures.metric == output.metric) & (figures.segment == ALL)
    is_shown = (figures.kind == "realised") & (figures.as_of > as_of - SHOWN) & (figures.as_of <= as_of)
    order = (figures.as_of, figures.model_version)
    rows = home.records.rows(sa.select(model_performance).where(own & is_shown).order_by(*order))
    if not rows:
        return None
    versions = [row["model_version"] for row in rows]
    is_promised = (figures.kind == "offline") & figures.model_version.in_(versions) & (figures.as_of <= as_of)
    told = home.records.rows(sa.select(model_performance).where(own & is_promised).order_by(figures.as_of))
    promised = {row["model_version"]: row for row in told}
    judged = [(row, promised[row["model_version"]]) for row in rows if row["model_version"] in promised]
    gaps = sorted(watched.get("gaps", []), key=lambda gap: not gap["is_alarm"])
    return {
        "output": name,
        "metric": output.metric,
        "label": output.label(home, output.metric),
        "higher_is_better": output.higher_is_better,
        "rows": rows,
        "promised": promised,
        "judged": len(judged),
        "inside": sum(_is_inside(row["value"], promise) for row, promise in judged),
        "gaps": gaps,
        "alarms": [gap for gap in gaps if gap["is_alarm"]],
        "nights": watched.get("nights"),
        "until": watched.get("labels_mature_until"),
    }


def _is_inside(value: float | None, promise: Row) -> bool:
    """Whether a figure lies in the interval of the promise."""
    return value is not None and promise["value"] is not None and promise["ci_low"] <= value <= promise["ci_high"]
