"""What the report shows of support: what the open tickets are about, which come first, and what rose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.publishing.report.query import Files, rows_of, views, why_empty

SHOWN = 10
INTENTS_SHOWN = 12
OF_A_LANGUAGE = 3  # answers
LEVELS = ("critical", "high", "normal", "low")
COUNTS = "select intent, urgency, count(*) as tickets from ticket_triage group by all order by all"
URGENT = f"""
    select ticket_id, intent, intent_probability, urgency, urgency_reason, needs_human, suggested_reply
    from ticket_triage
    order by list_position({list(LEVELS)}, urgency), urgency_reason is null, ticket_id
    limit {SHOWN}
"""
ANSWERED = """
    select ticket_id, intent, suggested_reply, count(*) over (partition by suggested_reply) as tickets
    from ticket_triage
    where suggested_reply is not null
    qualify row_number() over (partition by suggested_reply order by ticket_id) = 1
    order by tickets desc, ticket_id
"""
RISEN = f"""
    select coalesce(title, product_id) as product, intent, tickets, usual_high
    from ticket_trends left join dim_products using (product_id)
    where is_unusual and week_start = (select max(week_start) from ticket_trends)
    order by tickets - usual_high desc, intent, product
    limit {SHOWN}
"""


def support(files: Files, skipped: Mapping[str, str]) -> dict[str, Any]:
    """Open tickets by intent and urgency, how many need a person, the most urgent, some answers, and what rose."""
    if not files["ticket_triage"]:
        return why_empty(skipped, "support", "ticket_triage")
    with views(files, "ticket_triage") as connection:
        sums = rows_of(
            connection,
            "select count(*) as tickets, count(*) filter (needs_human) as for_people, "
            "count(suggested_reply) as answered from ticket_triage",
        )[0]
        counts, urgent = rows_of(connection, COUNTS), rows_of(connection, URGENT)
        answers = by_language(rows_of(connection, ANSWERED))
    with views(files, "ticket_trends", "dim_products") as connection:
        risen = rows_of(connection, RISEN)
    return {"skipped": None, **sums, "intents": by_intent(counts), "urgent": urgent, "answers": answers, "risen": risen}


def by_intent(counts: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Tickets of each level by intent, the most frequent intents first and the rest together."""
    found: dict[str, dict[str, int]] = {}
    for row in counts:
        found.setdefault(row["intent"], dict.fromkeys(LEVELS, 0))[row["urgency"]] += row["tickets"]
    ordered = sorted(found, key=lambda intent: (-sum(found[intent].values()), intent))
    shown = {intent: found[intent] for intent in ordered[:INTENTS_SHOWN]}
    if rest := ordered[INTENTS_SHOWN:]:
        shown[f"{len(rest)} others"] = {level: sum(found[intent][level] for intent in rest) for level in LEVELS}
    return shown


def by_language(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first few answers of each language, the most frequent languages first."""
    from models.support.languages import language_of

    found: dict[str, list[dict[str, Any]]] = {}
    for row in answers:
        language = language_of(row["suggested_reply"])
        found.setdefault(language, []).append(row | {"language": language})
    ordered = sorted(found.values(), key=lambda rows: -sum(row["tickets"] for row in rows))
    return [row for rows in ordered for row in rows[:OF_A_LANGUAGE]]
