{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_known_after() }}'
) }}

with

line_changes as (
    select
        order_id,
        product_id,
        day,
        coalesce(customer_id, order_id) as buyer_id,
        customer_id is null as is_guest,
        known_at,
        sign * quantity as units
    from {{ ref('int_order_lines_changes') }}
),

{% if is_incremental() %}
touched as (
    select distinct product_id, day, buyer_id, is_guest
    from line_changes
    where known_at > {{ known_after() }}
),

changes as (
    select line_changes.*
    from line_changes
    inner join touched
        on
            line_changes.product_id = touched.product_id
            and line_changes.day = touched.day
            and line_changes.buyer_id = touched.buyer_id
            and line_changes.is_guest = touched.is_guest
),
{% else %}
changes as (select * from line_changes),
{% endif %}

order_units as (
    select
        order_id,
        product_id,
        day,
        buyer_id,
        is_guest,
        known_at,
        sum(units) as units
    from changes
    group by order_id, product_id, day, buyer_id, is_guest, known_at
),

running_units as (
    select
        *,
        sum(units) over (
            partition by order_id, product_id, day, buyer_id, is_guest order by known_at
        ) as units_after
    from order_units
),

-- an order buys a product from when its net units rise above zero until they fall back
orders as (
    select
        product_id,
        day,
        buyer_id,
        is_guest,
        known_at,
        sum(
            case when units_after > 0 then 1 else 0 end - case when units_after - units > 0 then 1 else 0 end
        ) as orders
    from running_units
    group by product_id, day, buyer_id, is_guest, known_at
),

running_orders as (
    select
        *,
        sum(orders) over (partition by product_id, day, buyer_id, is_guest order by known_at) as orders_after
    from orders
),

customer_product_days as (
    select
        product_id,
        day,
        buyer_id,
        is_guest,
        known_at,
        cast(orders as {{ type_of('n') }}) as orders,
        cast(
            case when orders_after > 0 then 1 else 0 end - case when orders_after - orders > 0 then 1 else 0 end
            as {{ type_of('n') }}
        ) as buyers
    from running_orders
    where orders <> 0 {% if is_incremental() %}and known_at > {{ known_after() }}{% endif %}
)

select * from customer_product_days
