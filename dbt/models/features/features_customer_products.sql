{%- set windows = [28, 91, 182] -%}

with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

customer_product_days as (select * from {{ ref('int_customer_product_days') }}),

days_bought as (
    select
        cutoffs.as_of,
        customer_product_days.buyer_id as customer_id,
        customer_product_days.product_id,
        customer_product_days.day,
        sum(customer_product_days.orders) as orders
    from customer_product_days
    cross join cutoffs
    where
        not customer_product_days.is_guest
        and customer_product_days.known_at <= cutoffs.as_of
        and customer_product_days.day < cutoffs.as_of
    group by 1, 2, 3, 4
),

customer_products as (
    select
        as_of,
        customer_id,
        product_id,
        cast(sum(orders) as {{ type_of('n') }}) as times,
        {%- for window in windows %}
        cast(
            sum(case when day >= {{ add_days('as_of', -window) }} then orders else 0 end) as {{ type_of('n') }}
        ) as times_{{ window }},
        {%- endfor %}
        min(day) as first_bought_on,
        max(day) as last_bought_on
    from days_bought
    where orders > 0
    group by as_of, customer_id, product_id
)

select * from customer_products
