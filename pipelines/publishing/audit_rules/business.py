"""The shop's own rules, proved on what would be published by queries that share nothing with what applied them."""

from __future__ import annotations

from pipelines.publishing.audit_rules.rule import Rule

FACTS = """
    facts as (
        select product_id, category, is_active,
            coalesce(on_hand > 0, true) as is_in_stock,
            list_contains(getvariable('banned')::varchar[], product_id) as is_banned,
            list_position(getvariable('pinned')::varchar[], product_id) as pinned_at,
            (unit_price * 10000)::bigint as price,
            getvariable('min_margin') is null or coalesce(
                price > 0 and price - (unit_cost * 10000)::bigint >= getvariable('min_margin')::double * price, false
            ) as has_margin,
            len(list_filter(
                getvariable('repeatable_categories')::varchar[],
                lambda path: category = path or starts_with(category, path || ' > ')
            )) > 0 as is_repeatable
        from (select product_id, is_active from features_products)
        left join (select product_id, category, unit_price, unit_cost from dim_products) using (product_id)
        left join (select product_id, on_hand from features_stock) using (product_id)
    ),
    eligible as (select * from facts where is_active and is_in_stock and not is_banned and has_margin)
"""
"""Each product of tonight with what the rules ask of it, and those that may be shown to anybody."""

TAKEN = """
    taken as (
        select customer_id, product_id from features_customer_products join facts using (product_id)
        where getvariable('exclude_bought') and not coalesce(is_repeatable, false)
    )
"""
"""What a customer bought and may not be shown again."""


def _of_products(table: str, who: str) -> tuple[Rule, ...]:
    """Rules of single rows."""
    wrong = {
        "no banned product is recommended (recommendations.banned)": "is_banned",
        "recommended products are in stock": "not is_in_stock",
        "recommended products have the margin (recommendations.min_margin)": "not has_margin",
    }
    return tuple(
        Rule(
            name,
            table,
            "recommendations",
            f"with {FACTS} select {who}, rank, product_id from {table} join facts using (product_id) where {broken}",
        )
        for name, broken in wrong.items()
    )


def _of_lists(table: str, who: str) -> tuple[Rule, ...]:
    """Rules of whole lists."""
    return (
        Rule(
            "no more of a category than may be (recommendations.max_per_category)",
            table,
            "recommendations",
            f"""
            with {FACTS}
            select {who}, category, count(*) as shown from {table} join facts using (product_id)
            where category is not null group by {who}, category
            having count(*) > getvariable('max_per_category')
            """,
        ),
        Rule(
            "pinned products stand first, in their order (recommendations.pinned)",
            table,
            "recommendations",
            f"""
            with {FACTS},
            shown as (
                select {who}, rank, product_id, coalesce(pinned_at, 2147483647) as pinned_at,
                    max(coalesce(pinned_at, 2147483647)) over (partition by {who} order by rank) as pinned_before
                from {table} join facts using (product_id)
            )
            select {who}, rank, product_id from shown where pinned_at < pinned_before
            """,
        ),
    )


LISTS = (
    *_of_products("recommendations", "customer_id"),
    *_of_lists("recommendations", "customer_id"),
    Rule(
        "what a customer bought is not recommended (recommendations.exclude_bought, repeatable_categories)",
        "recommendations",
        "recommendations",
        f"""
        with {FACTS}, {TAKEN}
        select customer_id, rank, product_id from recommendations semi join taken using (customer_id, product_id)
        """,
    ),
    Rule(
        "a pinned product is left out only where it may not be shown",
        "recommendations",
        "recommendations",
        f"""
        with {FACTS}, {TAKEN},
        customers as (select distinct customer_id from recommendations),
        shown as (
            select customer_id, category, pinned_at from recommendations join facts using (product_id)
            where pinned_at is not null
        ),
        missing as (
            select customer_id, product_id, category, pinned_at from customers cross join eligible
            where pinned_at is not null
                and (customer_id, product_id) not in (select (customer_id, product_id) from recommendations)
        ),
        counted as (
            select missing.customer_id, missing.product_id, count(shown.pinned_at) as before,
                count(shown.pinned_at) filter (shown.category = missing.category) as of_category
            from missing left join shown
                on shown.customer_id = missing.customer_id and shown.pinned_at < missing.pinned_at
            group by all
        )
        select customer_id, product_id from counted anti join taken using (customer_id, product_id)
        where before < getvariable('top_k')
            and of_category < coalesce(getvariable('max_per_category'), 2147483647)
        """,
    ),
    Rule(
        "a list is shorter than recommendations.top_k only where nothing else may be shown",
        "recommendations",
        "recommendations",
        f"""
        with {FACTS}, {TAKEN},
        rows as (
            select customer_id, count(recommendations.rank) as shown
            from (select distinct customer_id from features_customer_products) left join recommendations
                using (customer_id)
            group by customer_id having count(recommendations.rank) < getvariable('top_k')
        ),
        categories as (select category, count(*) as products from eligible group by category),
        gone as (
            select customer_id, product_id from recommendations union select customer_id, product_id from taken
        ),
        used as (
            select gone.customer_id, eligible.category, count(*) as gone, count(recommendations.rank) as shown
            from gone join eligible using (product_id) left join recommendations using (customer_id, product_id)
            group by all
        )
        select rows.customer_id, rows.shown, categories.category, products - coalesce(gone, 0) as could_be_shown
        from rows cross join categories left join used
            on used.customer_id = rows.customer_id and used.category is not distinct from categories.category
        where products > coalesce(gone, 0) and (
            categories.category is null
            or coalesce(used.shown, 0) < coalesce(getvariable('max_per_category'), 2147483647)
        )
        """,
    ),
)
DEFAULTS = (
    *_of_products("recommendations_default", "country, channel"),
    *_of_lists("recommendations_default", "country, channel"),
)
BUSINESS = LISTS + DEFAULTS
