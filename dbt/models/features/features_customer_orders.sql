{%- set days = 28 -%}

with

line_changes as (select * from {{ ref('int_order_lines_changes') }}),

order_sums as (
    select
        customer_id,
        order_id,
        sum(sign * quantity) as units,
        sum(sign * revenue) as revenue
    from line_changes
    where
        customer_id is not null
        and known_at <= {{ as_of() }}
        and day >= {{ add_days(as_of(), -days) }}
        and day < {{ as_of() }}
    group by customer_id, order_id
),

customer_orders as (
    select
        {{ as_of() }} as as_of,
        customer_id,
        cast(count(*) as {{ type_of('n') }}) as orders,
        cast(sum(units) as {{ type_of('n') }}) as units,
        cast(sum(revenue) as {{ type_of('money') }}) as revenue
    from order_sums
    where units > 0
    group by customer_id
)

select * from customer_orders
