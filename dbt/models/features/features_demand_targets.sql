{%- set period_days = given('period_days') | int -%}

with

fit_cutoffs as (
    {{ dates_of('fit_cutoffs', 'known_as_of') }}
),

products as (select * from {{ ref('features_demand_products') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

days_after as (
    select
        fit_cutoffs.known_as_of,
        products.as_of,
        products.product_id,
        {{ whole_periods(days_between('product_days.day', 'products.as_of')) }} + 1 as horizon,
        product_days.units
    from products
    inner join fit_cutoffs on products.as_of < fit_cutoffs.known_as_of
    inner join product_days on products.product_id = product_days.product_id
    where
        product_days.known_from <= fit_cutoffs.known_as_of
        and product_days.known_to > fit_cutoffs.known_as_of
        and product_days.day >= products.as_of
        and product_days.day < {{ add_days('products.as_of', (given('horizon') | int) * period_days) }}
),

-- only periods that were over by then
targets as (
    select
        known_as_of,
        as_of,
        product_id,
        horizon,
        cast(sum(units) as {{ type_of('n') }}) as units
    from days_after
    where {{ add_days('as_of', 'horizon * ' ~ period_days) }} <= known_as_of
    group by known_as_of, as_of, product_id, horizon
)

select * from targets
where units <> 0
