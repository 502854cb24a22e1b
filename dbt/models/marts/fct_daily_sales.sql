with

product_days as (select * from {{ ref('int_product_days_spanned') }}),

daily_sales as (
    select
        product_id,
        day,
        units,
        revenue,
        order_lines
    from product_days
    where known_from <= {{ as_of() }} and known_to > {{ as_of() }} and day < {{ as_of() }}
)

select * from daily_sales
