"""The night's report: one static page that asks nothing of the network."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.contract import OUTPUTS
from pipelines.costs import track_night
from pipelines.errors import NightcartError
from pipelines.home import Home
from pipelines.ingest.zone import open_zone
from pipelines.monitoring.drift import DISTANCE
from pipelines.publishing.manifest import checked_files, read_manifest
from pipelines.publishing.report import data, figures
from pipelines.publishing.report.demand import reorder, top_forecasts
from pipelines.publishing.report.exposure import exposure
from pipelines.publishing.report.gate import gate_figure
from pipelines.publishing.report.realised import came_true
from pipelines.publishing.report.recommendations import most_recommended
from pipelines.publishing.report.risk import risk, saved_money
from pipelines.publishing.report.support import support
from pipelines.publishing.words import METRICS, metric_name, metric_words
from pipelines.records import Row
from pipelines.training.evaluate import LEAST_ENTITIES

UNITS = {"W": "week", "D": "day"}


def render_report(home: Home, as_of: date) -> Row:
    """Write `reports/<as_of>.html`, and `reports/latest.html` when it is of the current release; log the night's costs.

    Raises:
        NightcartError: the night has not been published.
    """
    release = data.release_row(home, as_of)
    if release is None:
        raise NightcartError(f"the night of {as_of} is not published", f"run `nightcart step publish {as_of}` first")
    page = _environment().get_template("page.html").render(**_context(home, as_of, release))
    file, latest = home.root / "reports" / f"{as_of}.html", home.root / "reports" / "latest.html"
    _write(file, page)
    is_latest = release["status"] == "published"
    if is_latest or not latest.exists():
        _write(latest, page)
    is_tracked = track_night(home, as_of, release["release_id"])
    return {"report": str(file), "is_latest": is_latest, "release_id": release["release_id"], "is_tracked": is_tracked}


def _context(home: Home, as_of: date, release: Row) -> dict[str, Any]:
    manifest = read_manifest(home, release["release_id"])
    files = checked_files(home, manifest)
    models = data.models(home, as_of, release["skipped"])
    products = top_forecasts(home, as_of, files)
    scored = home.records.result(as_of, "score_recommendations")
    tickets = support(files, release["skipped"])
    savings, judged = saved_money(models, home.settings.risk.review_minutes), came_true(home, as_of)
    changed, arms = data.changed(home, as_of), exposure(home, as_of)
    return {
        "release": release,
        "as_of": as_of,
        "unit": UNITS[home.settings.demand.frequency],
        "models": models,
        "least": LEAST_ENTITIES,
        "gate": home.settings.gate,
        "confidence": 100 * home.settings.gate.confidence,
        "products": products,
        "recommended": most_recommended(files),
        "reorder": reorder(files, release["skipped"]),
        "risk": risk(files, release["skipped"]),
        "savings": savings,
        "came_true": judged,
        "review_minutes": home.settings.risk.review_minutes,
        "support": tickets,
        "exposure": arms,
        "urgency": figures.URGENCY,
        "outputs": OUTPUTS,
        **changed,
        "totals": data.totals(files),
        "unserved": scored.get("unserved", 0),
        "scored_anew": scored.get("scored_anew", 0),
        "taken_over": scored.get("taken_over", 0),
        "tables": data.tables(home, as_of, manifest),
        "quarantine": data.quarantine(home, as_of),
        "costs": data.costs(home, as_of),
        "data_docs": _data_docs(home, as_of),
        "home": home.root,
        "mlflow": home.places.mlflow,
        "attribution": _attribution(home),
        "metric_words": metric_words,
        "meanings": METRICS,
        "figures": _figures(home, models, products, tickets, savings, judged, changed["drift"], arms["rows"]),
        "plotly": _plotly(),
    }


def _figures(
    home: Home,
    models: list[dict[str, Any]],
    products: list[dict[str, Any]],
    tickets: dict[str, Any],
    savings: list[dict[str, Any]],
    judged: list[dict[str, Any]],
    drift: dict[str, Any] | None,
    arms: list[dict[str, Any]],
) -> Markup:
    """The plots by id, as JSON that may stand in a script element."""
    unit = UNITS[home.settings.demand.frequency]
    found = {
        f"model-{model['output']}": figures.contestants(
            model["main"], model["champion"]["model"], metric_name(model["label"])
        )
        for model in models
        if model["main"] and not model["skipped"]
    }
    for model in (model for model in models if model["main"] and not model["skipped"]):
        if gains := gate_figure(model["compared"], home.settings.gate):
            found[f"gate-{model['output']}"] = gains
    found |= {f"product-{i}": figures.forecast(product, unit) for i, product in enumerate(products)}
    found |= {
        f"realised-{one['output']}": figures.came_true(one["rows"], one["promised"], metric_name(one["label"]))
        for one in judged
    }
    if tickets.get("intents"):
        found["support-tickets"] = figures.tickets(tickets["intents"])
    if savings:
        (champion,) = [model["champion"]["model"] for model in models if model["output"] == "risk"]
        found["risk-money"] = figures.saved_money(savings, champion)
    alarms = enumerate(drift["alarms"][: data.SHOWN_ALARMS] if drift else [])
    found |= {f"drift-{i}": figures.drift(row) for i, row in alarms if row["statistic"] == DISTANCE}
    found |= {"exposure": figures.lifts(arms)} if arms else {}
    return Markup(json.dumps(found, allow_nan=False).replace("<", "\\u003c"))


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _data_docs(home: Home, as_of: date) -> str | None:
    """Where the pages about what came in lie, as seen from the reports; null where nothing was checked."""
    page = home.root / "data_docs" / str(as_of) / "index.html"
    return f"../data_docs/{as_of}/index.html" if page.exists() else None


def _attribution(home: Home) -> str | None:
    """Whose data it is, where the landing zone says so."""
    text = open_zone(home.landing).text("ATTRIBUTION.txt")
    return text.strip() if text else None


def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["count"] = lambda value: "–" if value is None else f"{value:,.0f}"
    environment.filters["share"] = lambda value: "under 0.1%" if 0 < value < 0.001 else f"{value:.1%}"
    environment.filters["money"] = lambda value: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    environment.filters["rate"] = lambda value: "–" if value is None else f"{value:,.3f}"
    environment.filters["figure"] = lambda value: f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"
    environment.filters["seconds"] = lambda value: "–" if value is None else f"{value:,.1f}"
    environment.filters["mib"] = lambda value: "–" if value is None else f"{value / 2**20:,.1f}"
    environment.filters["metric"] = metric_name
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment


def _write(file: Path, page: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.next")
    fresh.write_text(page, "utf-8")
    fresh.replace(file)
