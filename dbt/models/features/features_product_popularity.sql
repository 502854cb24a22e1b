with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

customer_product_days as (select * from {{ ref('int_customer_product_days') }}),

popularity as (
    select
        cutoffs.as_of,
        customer_product_days.product_id,
        cast({{ days_between('cutoffs.as_of', 'customer_product_days.day') }} as {{ type_of('n') }}) as days_ago,
        cast(sum(customer_product_days.buyers) as {{ type_of('n') }}) as customers
    from customer_product_days
    cross join cutoffs
    where
        customer_product_days.buyers <> 0
        and customer_product_days.known_at <= cutoffs.as_of
        and customer_product_days.day < cutoffs.as_of
        and customer_product_days.day >= {{ add_days('cutoffs.as_of', -365) }}
    group by 1, 2, 3
)

select * from popularity
where customers <> 0
