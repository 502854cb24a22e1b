with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

orders as (select * from {{ ref('stg_store__orders') }}),

order_spans as (
    {{ version_spans('orders', ['order_id']) }}
),

customer_orders as (
    select
        cutoffs.as_of,
        order_spans.customer_id,
        order_spans.ship_country as country,
        order_spans.channel,
        row_number() over (
            partition by cutoffs.as_of, order_spans.customer_id
            order by order_spans.ordered_at desc, order_spans.order_id desc
        ) as place
    from order_spans
    cross join cutoffs
    where
        order_spans.known_from <= cutoffs.as_of
        and order_spans.known_to > cutoffs.as_of
        and order_spans.day < cutoffs.as_of
        and not order_spans.is_cancelled
        and order_spans.customer_id is not null
),

customers as (
    select
        as_of,
        customer_id,
        country,
        channel
    from customer_orders
    where place = 1
)

select * from customers
