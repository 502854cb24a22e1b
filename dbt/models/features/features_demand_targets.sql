{%- set period_days = given('period_days') | int -%}
{%- set days = (given('horizon') | int) * period_days -%}
{%- set is_night = given('demand_judged') | length > 0 -%}

with

fit_cutoffs as (
    {{ dates_of('fit_cutoffs', 'known_as_of') }}
),

cutoffs as (
    {{ dates_of('demand_judged' if is_night else 'cutoffs', 'as_of') }}
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

out_of_stock_days as (select * from {{ ref('int_out_of_stock_days') }}),

days as (
    select
        pairs.known_as_of,
        pairs.as_of,
        product_days.product_id,
        product_days.day,
        product_days.units,
        0 as days_out_of_stock
    from product_days
    cross join pairs
    where
        product_days.known_from <= pairs.known_as_of
        and product_days.known_to > pairs.known_as_of
        and product_days.day >= pairs.as_of
        and product_days.day < {{ add_days('pairs.as_of', days) }}
    union all
    select
        pairs.known_as_of,
        pairs.as_of,
        out_of_stock_days.product_id,
        out_of_stock_days.day,
        0 as units,
        1 as days_out_of_stock
    from out_of_stock_days
    inner join pairs on out_of_stock_days.known_as_of = pairs.known_as_of
    where out_of_stock_days.day >= pairs.as_of and out_of_stock_days.day < {{ add_days('pairs.as_of', days) }}
),

periods as (
    select
        known_as_of,
        as_of,
        product_id,
        {{ whole_periods(days_between('day', 'as_of')) }} + 1 as horizon,
        cast(sum(units) as {{ type_of('n') }}) as units,
        cast(sum(days_out_of_stock) as {{ type_of('n') }}) as days_out_of_stock
    from days
    group by 1, 2, 3, 4
),

-- only periods that were over by then; a night asks for forecasts that were published, training for products in scope
targets as (
    select periods.*
    from periods
    {% if not is_night -%}
    inner join products on periods.as_of = products.as_of and periods.product_id = products.product_id
    {%- endif %}
    where
        {{ add_days('periods.as_of', 'periods.horizon * ' ~ period_days) }} <= periods.known_as_of
        and (periods.units <> 0 or periods.days_out_of_stock <> 0)
)

select * from targets
