{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_known_after() }}'
) }}

with

orders as (select * from {{ ref('stg_store__orders') }}),

order_lines as (select * from {{ ref('stg_store__order_lines') }}),

products as (select * from {{ ref('stg_store__products') }}),

known_products as (
    select
        product_id,
        min(known_at) as known_from
    from products
    group by product_id
),

{% if is_incremental() %}
touched_orders as (
    select order_id from orders where known_at > {{ known_after() }}
    union
    select order_id from order_lines where known_at > {{ known_after() }}
    union
    select order_lines.order_id
    from order_lines
    inner join known_products on order_lines.product_id = known_products.product_id
    where known_products.known_from > {{ known_after() }}
),

order_versions as (select * from orders where order_id in (select order_id from touched_orders)),

line_versions as (select * from order_lines where order_id in (select order_id from touched_orders)),
{% else %}
order_versions as (select * from orders),

line_versions as (select * from order_lines),
{% endif %}

order_spans as (
    {{ version_spans('order_versions', ['order_id']) }}
),

line_spans as (
    {{ version_spans('line_versions', ['order_id', 'line_number']) }}
),

-- a line counts while its order is not cancelled, from when it, its order and its product are known
segments as (
    select
        line_spans.order_id,
        line_spans.line_number,
        line_spans.product_id,
        order_spans.customer_id,
        order_spans.day,
        line_spans.quantity,
        line_spans.revenue,
        greatest(line_spans.known_from, order_spans.known_from, known_products.known_from) as known_from,
        least(line_spans.known_to, order_spans.known_to) as known_to
    from line_spans
    inner join order_spans on line_spans.order_id = order_spans.order_id
    inner join known_products on line_spans.product_id = known_products.product_id
    where not order_spans.is_cancelled
),

ends as (
    select
        order_id,
        line_number,
        product_id,
        customer_id,
        day,
        quantity,
        revenue,
        known_from as known_at,
        1 as sign
    from segments
    where known_from < known_to
    union all
    select
        order_id,
        line_number,
        product_id,
        customer_id,
        day,
        quantity,
        revenue,
        known_to as known_at,
        -1 as sign
    from segments
    where known_from < known_to and known_to < {{ forever() }}
),

-- what ends and starts again unchanged, as with a second delivery, is no change
changes as (
    select
        order_id,
        line_number,
        product_id,
        customer_id,
        day,
        quantity,
        revenue,
        known_at,
        cast(sum(sign) as {{ type_of('n') }}) as sign
    from ends
    {% if is_incremental() %}where known_at > {{ known_after() }}{% endif %}
    group by order_id, line_number, product_id, customer_id, day, quantity, revenue, known_at
    having sum(sign) <> 0
)

select * from changes
