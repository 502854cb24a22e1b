{%- set period_days = given('period_days') | int -%}
{%- set periods_back = 400 if period_days == 1 else 110 -%}

with

products as (select * from {{ ref('int_demand_scope') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

periods as (
    select
        products.as_of,
        products.product_id,
        {{ whole_periods(days_between('products.as_of', 'product_days.day') ~ ' - 1') }} + 1 as periods_ago,
        cast(sum(product_days.units) as {{ type_of('n') }}) as units,
        cast(sum(product_days.revenue) as {{ type_of('money') }}) as revenue
    from products
    inner join product_days on products.product_id = product_days.product_id
    where
        product_days.known_from <= products.as_of
        and product_days.known_to > products.as_of
        and product_days.day < products.as_of
        and product_days.day >= {{ add_days('products.as_of', -periods_back * period_days) }}
    group by 1, 2, 3
)

select * from periods
where units <> 0
