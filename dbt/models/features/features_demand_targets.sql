{%- set period_days = given('period_days') | int -%}
{%- set days = (given('horizon') | int) * period_days -%}

with

fit_cutoffs as (
    {{ dates_of('fit_cutoffs', 'known_as_of') }}
),

cutoffs as (
    {{ dates_of('cutoffs', 'as_of') }}
),

products as (select * from {{ ref('int_demand_scope') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

pairs as (
    select
        fit_cutoffs.known_as_of,
        cutoffs.as_of
    from fit_cutoffs
    inner join cutoffs on fit_cutoffs.known_as_of > cutoffs.as_of
),

periods as (
    select
        pairs.known_as_of,
        pairs.as_of,
        product_days.product_id,
        {{ whole_periods(days_between('product_days.day', 'pairs.as_of')) }} + 1 as horizon,
        cast(sum(product_days.units) as {{ type_of('n') }}) as units
    from product_days
    cross join pairs
    where
        product_days.known_from <= pairs.known_as_of
        and product_days.known_to > pairs.known_as_of
        and product_days.day >= pairs.as_of
        and product_days.day < {{ add_days('pairs.as_of', days) }}
    group by 1, 2, 3, 4
),

-- only of products in scope, and only periods that were over by then
targets as (
    select periods.*
    from periods
    inner join products on periods.as_of = products.as_of and periods.product_id = products.product_id
    where
        {{ add_days('periods.as_of', 'periods.horizon * ' ~ period_days) }} <= periods.known_as_of
        and periods.units <> 0
)

select * from targets
