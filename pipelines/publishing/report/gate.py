"""The gate's picture: the challenger's gain per segment, over champion and baseline, beside what it must exceed."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.publishing.report.figures import ACCENT, INK, Figure, _interval, _layout
from pipelines.publishing.words import metric_name
from pipelines.records import ALL
from pipelines.sections import Gate

COLOURS = {"champion": ACCENT, "baseline": "#98a2b3"}
REFUSED = "#b42318"


def gate_figure(rows: Sequence[Mapping[str, Any]], gate: Gate) -> Figure | None:
    """One line a segment and metric, `all` on top; null where nothing was compared with champion or baseline.

    rows: as in `promotions`, of one decision.
    """
    shown = [row for row in rows if row["role"] in COLOURS and row["gain"] is not None]
    if not shown:
        return None
    metrics = list(dict.fromkeys(row["metric"] for row in shown))
    names = list(dict.fromkeys(_name(row, metrics) for row in shown))[::-1]
    places = {name: place for place, name in enumerate(names)}
    roles = [role for role in COLOURS if any(row["role"] == role for row in shown)]
    traces = [_gains(role, [row for row in shown if row["role"] == role], places, metrics, roles) for role in roles]
    layout = _layout(height=96 + 34 * len(names), left=8) | {"showlegend": True}
    layout["margin"] |= {"b": 44, "t": 28}
    layout["legend"] = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    layout["xaxis"] |= {"title": {"text": "relative gain", "font": {"size": 12}}, "tickformat": "+.0%"}
    layout["xaxis"] |= {"nticks": 5, "tickangle": 0}  # slanted ones reach into the title on a narrow page
    layout["yaxis"] |= {"automargin": True, "showgrid": False, "range": [-0.6, len(names) - 0.4]}
    layout["yaxis"] |= {"tickvals": list(places.values()), "ticktext": [html.escape(name) for name in names]}
    floor, least = -gate.segment_floor, gate.minimum_effect
    layout["shapes"] = [_line(least, INK, "solid"), *([_line(floor, REFUSED, "dot")] if "champion" in roles else [])]
    return {"data": traces, "layout": layout}


def _gains(
    role: str,
    rows: Sequence[Mapping[str, Any]],
    places: Mapping[str, int],
    metrics: Sequence[str],
    roles: Sequence[str],
) -> Figure:
    """The gains over one opponent, a little above or below the others' of the same segment."""
    shift = 0.16 * (len(roles) - 1) * (1 if role == roles[0] else -1)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": html.escape(f"over the {role} {rows[0]['against']}".replace("_", " ")),
        "x": [row["gain"] for row in rows],
        "y": [places[_name(row, metrics)] + shift for row in rows],
        "error_x": _interval(*({**row, "value": row["gain"]} for row in rows)),
        "marker": {"size": 8, "color": COLOURS[role]},
        "hovertemplate": "%{x:+.1%}<extra></extra>",
    }


def _name(row: Mapping[str, Any], metrics: Sequence[str]) -> str:
    """A segment as it is read; with the metric where that is not the output's own."""
    segment = "all" if row["segment"] == ALL else row["segment"].replace("=", ": ").replace("_", " ")
    return segment if row["metric"] == metrics[0] else f"{segment}, {metric_name(row['metric'])}"


def _line(at: float, colour: str, dash: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1.2, "dash": dash}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}
