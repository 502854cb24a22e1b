"""What the report shows of risk: the night's decisions and the review queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.publishing.report.query import Files, rows_of, views, why_empty

SHOWN = 10
RAISES = ", which raises the risk"
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
    """The reasons without the code before each, and without what the heading says."""
    reasons = [row[name].removesuffix(RAISES) for name in ("reason_1", "reason_2", "reason_3") if row[name]]
    return [reason.partition(": ")[2] or reason for reason in reasons]
