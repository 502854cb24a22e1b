"""Rules of support: each open ticket has a row, an answer comes from another ticket, trends count what is known."""

from __future__ import annotations

from pipelines.publishing.audit_rules.rule import Rule

SUPPORT = (
    Rule(
        "every ticket of features_tickets is triaged",
        "ticket_triage",
        "support",
        "select ticket_id from features_tickets anti join ticket_triage using (ticket_id)",
    ),
    Rule(
        "only tickets of features_tickets are triaged",
        "ticket_triage",
        "support",
        "select ticket_id from ticket_triage anti join features_tickets using (ticket_id)",
    ),
    Rule(
        "an answer is suggested exactly where its source is named",
        "ticket_triage",
        "support",
        """
        select ticket_id, reply_source_ticket_id, suggested_reply from ticket_triage
        where (suggested_reply is null) <> (reply_source_ticket_id is null)
        """,
    ),
    Rule(
        "an answer's source is a ticket of features_ticket_replies",
        "ticket_triage",
        "support",
        """
        select ticket_triage.ticket_id, reply_source_ticket_id from ticket_triage
        anti join features_ticket_replies on reply_source_ticket_id = features_ticket_replies.ticket_id
        where reply_source_ticket_id is not null
        """,
    ),
    Rule(
        "no ticket answers itself",
        "ticket_triage",
        "support",
        "select ticket_id, reply_source_ticket_id from ticket_triage where reply_source_ticket_id = ticket_id",
    ),
    Rule(
        "an answer names no order but the one that its ticket is about, of the customer who asks",
        "ticket_triage",
        "support",
        """
        with named as (
            select
                ticket_id,
                unnest(regexp_extract_all(suggested_reply, '[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*')) as order_id
            from ticket_triage where suggested_reply is not null
        )
        select ticket_id, order_id from named
        where length(order_id) > 4
            and order_id in (select order_id from features_ticket_facts)
            and (ticket_id, order_id) not in (select (ticket_id, order_id) from features_ticket_facts)
        """,
    ),
    Rule(
        "trends count the tickets of features_ticket_products and tonight's intents",
        "ticket_trends",
        "support",
        """
        with counted as (
            select
                product_id,
                coalesce(features_ticket_products.intent, ticket_triage.intent) as intent,
                cast(getvariable('as_of') as date) as night,
                night - cast(7 * (1 + (night - 1 - cast(opened_at as date)) // 7) as integer) as week_start,
                count(*) as tickets
            from features_ticket_products left join ticket_triage using (ticket_id)
            group by all
        ),
        shown as (
            select product_id, intent, week_start, tickets from counted
            where intent is not null and week_start in (select week_start from ticket_trends)
        )
        (select product_id, intent, week_start, tickets from ticket_trends except from shown)
        union all (from shown except select product_id, intent, week_start, tickets from ticket_trends)
        """,
    ),
    Rule(
        "what is unusual is above its usual range",
        "ticket_trends",
        "support",
        """
        select week_start, intent, product_id, tickets, usual_low, usual_high from ticket_trends
        where usual_low > usual_high or (is_unusual and tickets <= usual_high)
        """,
    ),
)
