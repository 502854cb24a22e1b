"""The report's plots, as plain Plotly figures: data in, JSON-able dictionaries out."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

INK, MUTED, LINE, ACCENT, BAND = "#1d2733", "#667085", "#e4e7ec", "#0f766e", "rgba(15, 118, 110, 0.16)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
Figure = dict[str, Any]
URGENCY = {"critical": "#b42318", "high": "#f79009", "normal": ACCENT, "low": "#98a2b3"}


def contestants(rows: Sequence[Mapping[str, Any]], champion: str, label: str) -> Figure:
    """Each contestant's figure with its interval; the one that serves in colour."""
    ordered = sorted(rows, key=lambda row: row["model"] == champion)
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [row["value"]],
            "y": [_name(row["model"])],
            "error_x": _interval(row),
            "marker": {"size": 11, "color": ACCENT if row["model"] == champion else "#98a2b3"},
            "hovertemplate": f"{_name(row['model'])}: %{{x:.3f}}<extra></extra>",
        }
        for row in ordered
        if row["value"] is not None
    ]
    layout = _layout(height=64 + 40 * len(traces), left=8)
    layout["xaxis"] |= {"title": {"text": html.escape(label), "font": {"size": 12}}, "nticks": 6}
    layout["margin"]["b"] = 44
    layout["yaxis"] |= {"automargin": True, "showgrid": False, "range": [-0.6, len(traces) - 0.4]}
    return {"data": traces, "layout": layout}


def forecast(product: Mapping[str, Any], unit: str) -> Figure:
    """A product's recent sales, the median of its forecast and the band from p10 to p90."""
    sales, bands = product["sales"], product["bands"]
    starts = [str(row["period_start"]) for row in bands]
    upper = {"x": starts, "y": [row["units_p90"] for row in bands], "hovertemplate": "p90 %{y:.0f}<extra></extra>"}
    lower = {"x": starts, "y": [row["units_p10"] for row in bands], "hovertemplate": "p10 %{y:.0f}<extra></extra>"}
    hidden = {"type": "scatter", "mode": "lines", "line": {"width": 0}}
    traces = [
        hidden | upper,
        hidden | lower | {"fill": "tonexty", "fillcolor": BAND},
        {
            "type": "scatter",
            "mode": "lines",
            "x": [str(row["period_start"]) for row in sales],
            "y": [row["units"] for row in sales],
            "line": {"color": INK, "width": 1.6},
            "hovertemplate": "sold %{y:.0f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": starts,
            "y": [row["units_p50"] for row in bands],
            "line": {"color": ACCENT, "width": 2.2},
            "marker": {"size": 4},
            "hovertemplate": "median %{y:.0f}<extra></extra>",
        },
    ]
    layout = _layout(height=190, left=8) | {"hovermode": "x unified"}
    layout["yaxis"] |= {
        "automargin": True,
        "rangemode": "tozero",
        "title": {"text": f"units a {unit}", "font": {"size": 11}},
        "nticks": 5,
    }
    layout["xaxis"] |= {"type": "date", "nticks": 6, "showgrid": False}
    return {"data": traces, "layout": layout}


def tickets(by_intent: Mapping[str, Mapping[str, int]]) -> Figure:
    """Open tickets by intent, stacked by urgency; the most frequent intent on top."""
    intents = list(by_intent)[::-1]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [by_intent[intent][level] for intent in intents],
            "y": [_name(intent) for intent in intents],
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}, {level}: %{{x}}<extra></extra>",
        }
        for level, colour in URGENCY.items()
    ]
    layout = _layout(height=48 + 30 * len(intents), left=8) | {"barmode": "stack", "bargap": 0.35}
    layout["xaxis"] |= {"nticks": 6, "rangemode": "tozero", "tickformat": ",d"}
    layout["yaxis"] |= {"automargin": True, "showgrid": False, "type": "category", "ticksuffix": " "}
    return {"data": traces, "layout": layout}


def drift(row: Mapping[str, Any]) -> Figure:
    """Shares of a feature's bins tonight beside the usual ones, the most frequent first."""
    bins = list(row["usual"])
    traces = [
        {
            "type": "bar",
            "x": [_name(name.replace("2^", "from 2^")) for name in bins],
            "y": [row[which][name] for name in bins],
            "marker": {"color": colour},
            "hovertemplate": f"%{{x}}, {which}: %{{y:.1%}}<extra></extra>",
        }
        for which, colour in (("tonight", ACCENT), ("usual", INK))
    ]
    layout = _layout(height=180, left=8) | {"barmode": "group", "bargap": 0.3}
    layout["xaxis"] |= {"type": "category", "showgrid": False, "automargin": True}
    layout["yaxis"] |= {"automargin": True, "tickformat": ".0%", "nticks": 4}
    return {"data": traces, "layout": layout}


def saved_money(rows: Sequence[Mapping[str, Any]], champion: str) -> Figure:
    """Money a night saved against accepting everything, by reviewers' hours; the champion in colour, with its band."""
    traces: list[Figure] = []
    for model in sorted({row["model"] for row in rows}, key=lambda model: model == champion):
        points = [row for row in rows if row["model"] == model]
        hours, serves = [row["hours"] for row in points], model == champion
        if serves:
            hidden = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": hours}
            upper, lower = [row["ci_high"] for row in points], [row["ci_low"] for row in points]
            traces += [hidden | {"y": upper}, hidden | {"y": lower, "fill": "tonexty", "fillcolor": BAND}]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": hours,
                "y": [row["value"] for row in points],
                "line": {"color": ACCENT if serves else "#98a2b3", "width": 2.2 if serves else 1.6},
                "marker": {"size": 5},
                "customdata": [row["reviews"] for row in points],
                "hovertemplate": f"{_name(model)}, %{{customdata}} reviews: %{{y:,.0f}}<extra></extra>",
            }
        )
    layout = _layout(height=240, left=8)
    layout["margin"]["b"] = 44
    layout["xaxis"] |= {"title": {"text": "reviewers' hours a night", "font": {"size": 12}}, "rangemode": "tozero"}
    layout["yaxis"] |= {"automargin": True, "title": {"text": "money saved a night", "font": {"size": 12}}}
    return {"data": traces, "layout": layout}


def came_true(rows: Sequence[Mapping[str, Any]], promised: Mapping[str, Mapping[str, Any]], label: str) -> Figure:
    """What came true by night, with its interval, over the band that each model's training promised."""
    traces: list[Figure] = []
    for version in dict.fromkeys(row["model_version"] for row in rows):
        points = [row for row in rows if row["model_version"] == version and row["value"] is not None]
        nights = [str(row["as_of"]) for row in points]
        if nights and (promise := promised.get(version)):
            traces += _promise(promise, nights)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": nights,
                "y": [row["value"] for row in points],
                "error_y": _interval(*points),
                "line": {"color": INK, "width": 1.6},
                "marker": {"size": 5},
                "hovertemplate": f"{_name(version)}: %{{y:.3f}}<extra></extra>",
            }
        )
    layout = _layout(height=220, left=8)
    layout["xaxis"] |= {"type": "date", "nticks": 6, "showgrid": False}
    layout["yaxis"] |= {"automargin": True, "title": {"text": html.escape(label), "font": {"size": 12}}, "nticks": 5}
    return {"data": traces, "layout": layout}


def _promise(promise: Mapping[str, Any], nights: Sequence[str]) -> list[Figure]:
    """The offline figure as a line, with its interval as a band."""
    flat = {"type": "scatter", "mode": "lines", "x": [nights[0], nights[-1]], "hoverinfo": "skip"}
    low, value, high = (promise[name] for name in ("ci_low", "value", "ci_high"))
    band = [] if low is None or high is None else [high, low]
    edges = [flat | {"y": [edge, edge], "line": {"width": 0}} for edge in band]
    if edges:
        edges[-1] |= {"fill": "tonexty", "fillcolor": BAND}
    return [*edges, flat | {"y": [value, value], "line": {"color": ACCENT, "width": 1.4, "dash": "dot"}}]


def lifts(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """By how much the model's arm is above the hold-out, by measure, with its interval; a line where nothing is."""
    known = [row for row in rows if row["lift"]["value"] is not None][::-1]
    shares = [{name: 100 * row["lift"][name] for name in ("value", "ci_low", "ci_high")} for row in known]
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [share["value"]],
            "y": [_name(row["words"])],
            "error_x": _interval(share),
            "marker": {"size": 11, "color": ACCENT if share["ci_low"] > 0 else "#98a2b3"},
            "hovertemplate": f"{_name(row['words'])}: %{{x:+.1f}}%<extra></extra>",
        }
        for row, share in zip(known, shares, strict=True)
    ]
    layout = _layout(height=64 + 36 * len(traces), left=8)
    layout["xaxis"] |= {"title": {"text": "lift, %", "font": {"size": 12}}, "zeroline": True, "zerolinecolor": MUTED}
    layout["margin"]["b"] = 44
    layout["yaxis"] |= {"automargin": True, "showgrid": False, "range": [-0.6, len(traces) - 0.4]}
    return {"data": traces, "layout": layout}


def _interval(*rows: Mapping[str, Any]) -> dict[str, Any]:
    """Error bars; none where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if row["ci_high"] is None else row["ci_high"] - row["value"] for row in rows],
        "arrayminus": [0 if row["ci_low"] is None else row["value"] - row["ci_low"] for row in rows],
        "thickness": 2,
        "width": 6,
    }


def _name(model: str) -> str:
    return html.escape(model.replace("_", " "))


def _layout(height: int, left: int) -> dict[str, Any]:
    axis = {"gridcolor": LINE, "linecolor": LINE, "zeroline": False, "fixedrange": True, "ticks": ""}
    return {
        "height": height,
        "margin": {"l": left, "r": 12, "t": 8, "b": 28},
        "font": {"family": FONT, "size": 12, "color": MUTED},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": LINE, "font": {"color": INK}},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }
