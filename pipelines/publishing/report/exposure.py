"""What the report shows of the two arms of recommendations."""

from __future__ import annotations

from datetime import date
from typing import Any

from models.recommendations.holdout import HOLDOUT, MODEL
from pipelines.home import Home
from pipelines.monitoring.exposure import DAYS, EFFECT, MEASURES
from pipelines.records import ALL

WORDS = {
    "orders": "orders",
    "units": "units ordered",
    "money": "money spent",
    "buyers": "share who bought",
    "list_buyers": "share who bought something on their list",
    "clicks": "clicks by impression",
}


def exposure(home: Home, as_of: date) -> dict[str, Any]:
    """Both arms and the lift by measure, as the night's monitoring found them."""
    found = home.records.result(as_of, "monitor").get("exposure") or {}
    figures = {(row["metric"], row["segment"]): row for row in found.get("figures", [])}
    arms = [f"arm={arm}" for arm in (MODEL, HOLDOUT)]
    rows = [
        {
            "measure": name,
            "words": WORDS[name],
            "arms": [figures[f"arm_{name}", arm] for arm in arms],
            "lift": figures[f"lift_{name}", ALL],
        }
        for name in MEASURES
        if (f"lift_{name}", ALL) in figures
    ]
    return {
        "rows": rows,
        "release_id": found.get("release_id"),
        "days": DAYS,
        "customers": sum(arm["n"] for arm in rows[0]["arms"]) if rows else 0,
        "held_out": rows[0]["arms"][1]["n"] if rows else 0,
        "needed": found.get("needed"),
        "effect": EFFECT,
        "missing": found.get("missing"),
        "is_asked": home.settings.recommendations.holdout_share > 0,
    }
