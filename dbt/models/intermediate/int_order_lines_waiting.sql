with

order_lines as (select * from {{ ref('stg_store__order_lines') }}),

orders as (
    select distinct order_id
    from {{ ref('stg_store__orders') }}
    where known_at <= {{ as_of() }}
),

products as (
    select distinct product_id
    from {{ ref('stg_store__products') }}
    where known_at <= {{ as_of() }}
),

-- versions first, valid ones second: few lines wait, and only theirs need sorting
suspects as (
    select
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        order_lines.dt,
        order_lines.known_at,
        orders.order_id is null as is_order_missing,
        products.product_id is null as is_product_missing
    from order_lines
    left join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.product_id = products.product_id
    where
        order_lines.known_at <= {{ as_of() }}
        and (orders.order_id is null or products.product_id is null)
),

newer as (
    select distinct
        suspects.order_id,
        suspects.line_number,
        suspects.dt,
        suspects.known_at
    from suspects
    inner join order_lines
        on
            suspects.order_id = order_lines.order_id
            and suspects.line_number = order_lines.line_number
    where
        order_lines.known_at <= {{ as_of() }}
        and (
            order_lines.dt > suspects.dt
            or (order_lines.dt = suspects.dt and order_lines.known_at > suspects.known_at)
        )
),

waiting as (
    select
        suspects.order_id,
        suspects.line_number,
        suspects.product_id,
        suspects.is_order_missing,
        suspects.is_product_missing
    from suspects
    left join newer
        on
            suspects.order_id = newer.order_id
            and suspects.line_number = newer.line_number
            and suspects.dt = newer.dt
            and suspects.known_at = newer.known_at
    where newer.order_id is null
)

select * from waiting
