with

product_days as (select * from {{ ref('int_product_days') }}),

running as (
    select
        product_id,
        day,
        known_at as known_from,
        coalesce(lead(known_at) over by_known_at, {{ forever() }}) as known_to,
        cast(sum(units) over by_known_at as {{ type_of('n') }}) as units,
        cast(sum(revenue) over by_known_at as {{ type_of('money') }}) as revenue,
        cast(sum(order_lines) over by_known_at as {{ type_of('n') }}) as order_lines
    from product_days
    window by_known_at as (partition by product_id, day order by known_at)
)

select * from running
where units <> 0 or revenue <> 0 or order_lines <> 0
