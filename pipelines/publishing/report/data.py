"""What the report shows of a night: its models, tables, steps and the night in figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.costs import champion_costs, night_costs, summed
from pipelines.home import Home
from pipelines.monitoring.monitor import champion_figures, volumes
from pipelines.publishing.manifest import RELEASE_TABLES, Manifest
from pipelines.publishing.manifest import rows_of as counts_of
from pipelines.publishing.report.query import Files, rows_of, views
from pipelines.publishing.report.risk import in_curve
from pipelines.records import ALL, LEFT_OUT, Row, quarantine_counts, releases

SHOWN_ALARMS = 6
DECIDING = ("champion", "baseline")
TOTALS = {
    "recommendations": "select count(distinct customer_id) as customers from recommendations",
    "demand_forecasts": "select count(*) as products, sum(units_mean) as units from demand_forecasts where horizon = 1",
    "risk_flags": "select count(*) as reviews from risk_flags where decision = 'review'",
    "ticket_triage": "select count(*) as tickets from ticket_triage",
}


def release_row(home: Home, as_of: date) -> Row | None:
    """The release that was published last for a night."""
    query = sa.select(releases).where(releases.c.as_of == as_of).order_by(releases.c.published_at.desc())
    return home.records.first(query)


def models(home: Home, as_of: date, skipped: dict[str, str]) -> list[dict[str, Any]]:
    """Each output's champion with its figures and the gate's words, or why it is skipped."""
    watched = home.records.result(as_of, "monitor").get("models") or {}
    return [_model(home, output, as_of, watched, skipped.get(output)) for output in OUTPUTS]


def _model(home: Home, output: str, as_of: date, watched: Row, skipped: str | None) -> dict[str, Any]:
    from pipelines.scoring.outputs import output_of

    spec, found = output_of(output), watched.get(output) or champion_figures(home, output, as_of)
    figures = [row for row in found["figures"] if row["segment"] == ALL] if found else []
    gate = [row for row in found["gate"] if row["role"] == "baseline" and _is_main(row, spec.metric)] if found else []
    gains = [row for row in gate if row["gain"] is not None]
    return {
        "output": output,
        "skipped": skipped,
        "champion": found,
        "metric": spec.metric,
        "label": spec.label(home, spec.metric),
        "higher_is_better": spec.higher_is_better,
        "main": [row for row in figures if row["metric"] == spec.metric],
        "others": _by_metric([row for row in figures if row["metric"] != spec.metric and not in_curve(row["metric"])]),
        "gate": gains[0] if gains else None,
        "segments": _segments(found, spec.metric) if found else None,
        "compared": [row for row in found["gate"] if row["role"] in DECIDING] if found else [],
        "left_out": [row for row in found["gate"] if row["role"] == LEFT_OUT] if found else [],
        "refused": found.get("refused") if found else None,
    }


def _is_main(row: Row, metric: str) -> bool:
    return bool(row["segment"] == ALL and row["metric"] == metric)


def _segments(found: Row, metric: str) -> dict[str, Any] | None:
    """The champion's figure on each segment and each metric that is compared, with the challenger's gains by role.

    None where there is nothing beyond the main figure.
    """
    gate = [row for row in found["gate"] if row["role"] not in ("contestant", LEFT_OUT)]
    gains = {(row["metric"], row["segment"], row["role"]): row for row in gate if row["gain"] is not None}
    opponents = {row["role"]: row["against"] for row in gate}
    compared = {row["metric"] for row in gate}
    own = [row for row in found["figures"] if row["model_version"] == found["model_version"]]
    rows = [row for row in own if row["metric"] in compared and row["value"] is not None]
    if all(_is_main(row, metric) for row in rows):
        return None
    rows.sort(key=lambda row: (row["metric"] != metric, row["metric"], row["segment"] != ALL, row["segment"]))
    return {
        "challenger": gate[0]["challenger"],
        "opponents": opponents,
        "rows": [
            row | {"gains": [gains.get((row["metric"], row["segment"], role)) for role in opponents]} for row in rows
        ],
    }


def _by_metric(figures: Sequence[Row]) -> dict[str, dict[str, float | None]]:
    """The value of each model by metric."""
    table: dict[str, dict[str, float | None]] = {}
    for row in figures:
        table.setdefault(row["metric"], {})[row["model"]] = row["value"]
    return table


def tables(home: Home, as_of: date, manifest: Manifest) -> list[dict[str, Any]]:
    """Each published table with its rows now and in the release before."""
    watched = home.records.result(as_of, "monitor").get("volumes") or volumes(home, as_of)
    before = {row["table"]: row["last_rows"] for row in watched}
    rows = counts_of(manifest)
    return [
        {"name": table.name, "rows": rows[table.name], "before": before.get(table.name)} for table in RELEASE_TABLES
    ]


def costs(home: Home, as_of: date) -> dict[str, Any]:
    """What each step that has ended took, and the training of each champion."""
    taken, trained = night_costs(home, as_of), champion_costs(home, as_of)
    return {
        "steps": taken,
        "together": summed(taken),
        "champions": trained,
        "has_gpu": any(row["gpu_seconds"] for row in (*taken, *trained)),
        "prices": home.settings.cost,
    }


def changed(home: Home, as_of: date) -> dict[str, Any]:
    """What drifted, and which outputs are to be trained for it; null where the night was not monitored."""
    watched = home.records.result(as_of, "monitor")
    return {
        "drift": watched.get("drift"),
        "retrain_wanted": watched.get("retrain_wanted", {}),
        "shown_alarms": SHOWN_ALARMS,
    }


def quarantine(home: Home, as_of: date) -> list[Row]:
    """Rows kept out by entity and rule: those of this night and those of all nights up to it."""
    table = quarantine_counts.c
    tonight = sa.func.sum(sa.case((table.night == as_of, table.rows), else_=0)).label("tonight")
    in_all = sa.func.sum(table.rows).label("in_all")
    query = sa.select(table.entity, table.rule, tonight, in_all).where(table.night <= as_of)
    return home.records.rows(query.group_by(table.entity, table.rule).order_by(tonight.desc(), in_all.desc()))


def totals(files: Files) -> dict[str, float | None]:
    """The night in figures; null where a table was skipped."""
    found: dict[str, float | None] = {}
    for table, sql in TOTALS.items():
        if files[table]:
            with views(files, table) as connection:
                found |= rows_of(connection, sql)[0]
    return dict.fromkeys(("customers", "products", "units", "reviews", "tickets")) | found
