{%- set period_days = given('period_days') | int -%}
{%- set periods_back = 400 if period_days == 1 else 110 -%}

with

products as (select * from {{ ref('int_demand_scope') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

out_of_stock_days as (select * from {{ ref('int_out_of_stock_days') }}),

days as (
    select
        products.as_of,
        products.product_id,
        product_days.day,
        product_days.units,
        product_days.revenue,
        0 as days_out_of_stock
    from products
    inner join product_days on products.product_id = product_days.product_id
    where
        product_days.known_from <= products.as_of
        and product_days.known_to > products.as_of
        and product_days.day < products.as_of
        and product_days.day >= {{ add_days('products.as_of', -periods_back * period_days) }}
    union all
    select
        products.as_of,
        products.product_id,
        out_of_stock_days.day,
        0 as units,
        0 as revenue,
        1 as days_out_of_stock
    from products
    inner join out_of_stock_days
        on products.as_of = out_of_stock_days.known_as_of and products.product_id = out_of_stock_days.product_id
    where out_of_stock_days.day >= {{ add_days('products.as_of', -periods_back * period_days) }}
),

periods as (
    select
        as_of,
        product_id,
        {{ whole_periods(days_between('as_of', 'day') ~ ' - 1') }} + 1 as periods_ago,
        cast(sum(units) as {{ type_of('n') }}) as units,
        cast(sum(revenue) as {{ type_of('money') }}) as revenue,
        cast(sum(days_out_of_stock) as {{ type_of('n') }}) as days_out_of_stock
    from days
    group by 1, 2, 3
)

select * from periods
where units <> 0 or days_out_of_stock <> 0
