"""Rules of the forecasts and of the reorder plan."""

from __future__ import annotations

from pipelines.publishing.audit_rules.rule import Rule

DEMAND = (
    Rule(
        "every product of features_demand_products has every period",
        "demand_forecasts",
        "demand",
        """
        select product_id, horizon from features_demand_products, range(1, getvariable('horizon') + 1) t(horizon)
        except
        select product_id, horizon from demand_forecasts
        """,
    ),
    Rule(
        "only products of features_demand_products are forecast",
        "demand_forecasts",
        "demand",
        "select product_id, horizon from demand_forecasts anti join features_demand_products using (product_id)",
    ),
    Rule(
        "period h starts h - 1 periods after as_of",
        "demand_forecasts",
        "demand",
        """
        select product_id, horizon, period_start from demand_forecasts
        where period_start <> getvariable('as_of') + ((horizon - 1) * getvariable('period_days'))::integer
        """,
    ),
    Rule(
        "each level's totals add up to the products' means",
        "demand_totals",
        "demand",
        """
        with
        products as (select horizon, sum(units_mean) as units from demand_forecasts group by horizon),
        levels as (select level, horizon, sum(units_mean) as units from demand_totals group by level, horizon)
        select level, horizon, levels.units, products.units as of_products
        from products cross join (values ('category'), ('total')) wanted(level)
        left join levels using (level, horizon)
        where levels.units is null or abs(levels.units - products.units) > 1e-6 * greatest(products.units, 1)
        """,
    ),
)
REORDER = (
    Rule(
        "every product that is forecast and has stock is planned",
        "reorder_plan",
        "demand",
        """
        select product_id from demand_forecasts
        intersect
        select product_id from features_stock
        except
        select product_id from reorder_plan
        """,
    ),
    Rule(
        "only products that are forecast are planned",
        "reorder_plan",
        "demand",
        "select product_id from reorder_plan anti join demand_forecasts using (product_id)",
    ),
    Rule(
        "stock is what is known tonight",
        "reorder_plan",
        "demand",
        """
        select plan.product_id, plan.on_hand, plan.on_order, stock.on_hand as known, stock.on_order as known_on_order
        from reorder_plan plan left join features_stock stock using (product_id)
        where stock.product_id is null
            or plan.on_hand <> coalesce(stock.on_hand, 0) or plan.on_order <> coalesce(stock.on_order, 0)
        """,
    ),
    Rule(
        "an order is a multiple of order_multiple",
        "reorder_plan",
        "demand",
        """
        select product_id, order_quantity, order_multiple
        from reorder_plan join dim_products using (product_id)
        where order_quantity % greatest(coalesce(order_multiple, 1), 1) <> 0
        """,
    ),
    Rule(
        "nothing is ordered from the reorder point on",
        "reorder_plan",
        "demand",
        """
        select product_id, on_hand + on_order as units, reorder_point, order_quantity from reorder_plan
        where on_hand + on_order >= reorder_point and order_quantity <> 0
        """,
    ),
    Rule(
        "something is ordered below the reorder point",
        "reorder_plan",
        "demand",
        """
        select product_id, on_hand + on_order as units, reorder_point, order_quantity from reorder_plan
        where on_hand + on_order < reorder_point and order_quantity <= 0
        """,
    ),
    Rule(
        "a cost is expected exactly where unit_cost is known",
        "reorder_plan",
        "demand",
        """
        select product_id, expected_cost, unit_cost from reorder_plan join dim_products using (product_id)
        where (expected_cost is null) <> (unit_cost is null)
        """,
    ),
)
