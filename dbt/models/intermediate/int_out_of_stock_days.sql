{%- set sells_without_stock = 0.2 -%}

with

cutoffs as (
    {{ dates_of('cutoffs', 'known_as_of') }}
    union
    {{ dates_of('fit_cutoffs', 'known_as_of') }}
),

empty_shelf_days as (select * from {{ ref('int_empty_shelf_days') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

opened_empty as (
    select
        cutoffs.known_as_of,
        empty_shelf_days.product_id,
        {{ add_days('empty_shelf_days.day', 1) }} as day
    from empty_shelf_days
    cross join cutoffs
    where
        empty_shelf_days.known_at <= cutoffs.known_as_of
        and empty_shelf_days.day < {{ add_days('cutoffs.known_as_of', -1) }}
    group by cutoffs.known_as_of, empty_shelf_days.product_id, empty_shelf_days.day
    having sum(empty_shelf_days.sign) > 0
),

sales as (
    select
        opened_empty.known_as_of,
        opened_empty.product_id,
        opened_empty.day,
        case when product_days.units > 0 then 1.0 else 0.0 end as has_sold
    from opened_empty
    left join product_days
        on
            opened_empty.product_id = product_days.product_id
            and opened_empty.day = product_days.day
            and opened_empty.known_as_of >= product_days.known_from
            and opened_empty.known_as_of < product_days.known_to
),

-- a store whose empty shelves sell takes orders without stock: nothing of its demand is hidden
stores as (
    select
        known_as_of,
        avg(has_sold) <= {{ sells_without_stock }} as is_bound_by_stock
    from sales
    group by known_as_of
),

out_of_stock_days as (
    select
        sales.known_as_of,
        sales.product_id,
        sales.day
    from sales
    inner join stores on sales.known_as_of = stores.known_as_of
    where stores.is_bound_by_stock and sales.has_sold = 0
)

select * from out_of_stock_days
