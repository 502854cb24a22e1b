{%- set days = 28 -%}
{%- set is_night = given('recommendations_judged') | length > 0 -%}

with

fit_cutoffs as (
    {{ dates_of('fit_cutoffs', 'known_as_of') }}
),

cutoffs as (
    {{ dates_of('recommendations_judged' if is_night else 'recommendation_cutoffs', 'as_of') }}
),

customer_product_days as (select * from {{ ref('int_customer_product_days') }}),

-- only cut-offs whose days were over by then
pairs as (
    select
        fit_cutoffs.known_as_of,
        cutoffs.as_of
    from fit_cutoffs
    inner join cutoffs on {{ add_days('cutoffs.as_of', days) }} <= fit_cutoffs.known_as_of
),

targets as (
    select
        pairs.known_as_of,
        pairs.as_of,
        customer_product_days.buyer_id as customer_id,
        customer_product_days.product_id
    from customer_product_days
    cross join pairs
    where
        not customer_product_days.is_guest
        and customer_product_days.known_at <= pairs.known_as_of
        and customer_product_days.day >= pairs.as_of
        and customer_product_days.day < {{ add_days('pairs.as_of', days) }}
    group by 1, 2, 3, 4
    having sum(customer_product_days.orders) > 0
)

select * from targets
