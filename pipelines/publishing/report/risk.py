"""What the report shows of risk: the night's decisions, the review queue, and what reviews save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.publishing.report.query import Files, rows_of, views, why_empty

SHOWN = 10
CURVE = "saved_money_at_"  # and so many reviews a night
DECISIONS = """
    select decision, count(payment_id) as payments, coalesce(sum(expected_loss), 0.0) as expected_loss
    from (select unnest(['accept', 'review', 'block']) as decision) left join risk_flags using (decision)
    group by decision order by list_position(['accept', 'review', 'block'], decision)
"""
QUEUE = f"""
    select review_rank, payment_id, order_id, fraud_probability, expected_loss, reason_1, reason_2, reason_3
    from risk_flags where decision = 'review' order by review_rank limit {SHOWN}
"""


def risk(files: Files, skipped: Mapping[str, str]) -> dict[str, Any]:
    """Payments by decision, and what to review first with its reasons."""
    if not files["risk_flags"]:
        return why_empty(skipped, "risk", "risk_flags")
    with views(files, "risk_flags") as connection:
        decisions, queue = rows_of(connection, DECISIONS), rows_of(connection, QUEUE)
    return {
        "skipped": None,
        "payments": sum(row["payments"] for row in decisions),
        "decisions": decisions,
        "queue": [row | {"reasons": _sentences(row)} for row in queue],
    }


def _sentences(row: Mapping[str, Any]) -> list[str]:
    """The reasons without the code before each."""
    reasons = [row[name] for name in ("reason_1", "reason_2", "reason_3") if row[name]]
    return [reason.partition(": ")[2] or reason for reason in reasons]


def in_curve(metric: str) -> bool:
    """Whether the figure is a point of the curve of saved money, which has a plot of its own."""
    return metric.startswith(CURVE)


def saved_money(models: Sequence[Mapping[str, Any]], minutes: float) -> list[dict[str, Any]]:
    """Money a night that each contestant's decisions saved, by reviewers' hours; minutes: of a review."""
    (found,) = [model for model in models if model["output"] == "risk"]
    if found["skipped"] or found["champion"] is None:
        return []
    rows = [row for row in found["champion"]["figures"] if in_curve(row["metric"]) and row["value"] is not None]
    points = [row | {"reviews": int(row["metric"].removeprefix(CURVE))} for row in rows]
    points = [row | {"hours": row["reviews"] * minutes / 60.0} for row in points]
    return sorted(points, key=lambda row: (row["model"], row["reviews"]))
