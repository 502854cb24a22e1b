"""Rules of the lists: who is served, with what."""

from __future__ import annotations

from pipelines.publishing.audit_rules.rule import Rule

RECOMMENDATIONS = (
    Rule(
        "every customer with a known order line is served or counted as unserved",
        "recommendations",
        "recommendations",
        """
        with missing as (
            select customer_id from features_customer_products where customer_id is not null
            except
            select customer_id from recommendations
        )
        select count(*) as without_rows, getvariable('unserved') as counted, list(customer_id)[1:3] as for_example
        from missing
        having count(*) <> getvariable('unserved')
        """,
    ),
    Rule(
        "only customers with a known order line are served",
        "recommendations",
        "recommendations",
        "select customer_id, rank from recommendations anti join features_customer_products using (customer_id)",
    ),
    Rule(
        "ranks run from 1 without a gap",
        "recommendations",
        "recommendations",
        """
        select customer_id, count(*) as rows, max(rank) as last_rank from recommendations
        group by customer_id having min(rank) <> 1 or max(rank) <> count(*)
        """,
    ),
    Rule(
        "no product twice for a customer",
        "recommendations",
        "recommendations",
        "select customer_id, product_id from recommendations group by all having count(*) > 1",
    ),
    Rule(
        "recommended products are known and active",
        "recommendations",
        "recommendations",
        """
        select customer_id, rank, product_id from recommendations
        anti join (select product_id from features_products where is_active) using (product_id)
        """,
    ),
    Rule(
        "a reason's product is one that the customer bought",
        "recommendations",
        "recommendations",
        """
        select recommendations.customer_id, rank, reason_product_id from recommendations
        anti join features_customer_products
            on recommendations.customer_id = features_customer_products.customer_id
            and recommendations.reason_product_id = features_customer_products.product_id
        where reason_product_id is not null
        """,
    ),
    Rule(
        "a customer is in one arm, and the hold-out is shown what is popular or pinned",
        "recommendations",
        "recommendations",
        """
        select customer_id, list(distinct arm) as arms, list(distinct reason) as reasons from recommendations
        group by customer_id
        having count(distinct arm) <> 1
            or bool_or(arm = 'holdout' and (reason not in ('popular', 'pinned') or reason_product_id is not null))
        """,
    ),
    Rule(
        "recommended products are known and active",
        "recommendations_default",
        "recommendations",
        """
        select country, channel, rank, product_id from recommendations_default
        anti join (select product_id from features_products where is_active) using (product_id)
        """,
    ),
    Rule(
        "ranks run from 1 without a gap",
        "recommendations_default",
        "recommendations",
        """
        select country, channel, count(*) as rows, max(rank) as last_rank from recommendations_default
        group by country, channel having min(rank) <> 1 or max(rank) <> count(*)
        """,
    ),
)
