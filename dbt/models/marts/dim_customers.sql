with

customers as (select * from {{ ref('stg_store__customers') }}),

orders as (select * from {{ ref('stg_store__orders') }}),

valid_customers as (
    {{ valid_version('customers', ['customer_id'], as_of()) }}
),

valid_orders as (
    {{ valid_version('orders', ['order_id'], as_of()) }}
),

customer_orders as (
    select
        customer_id,
        min(day) as first_ordered_on,
        max(day) as last_ordered_on,
        count(*) as orders
    from valid_orders
    where not is_cancelled and customer_id is not null and day < {{ as_of() }}
    group by customer_id
),

dim_customers as (
    select
        valid_customers.customer_id,
        valid_customers.country,
        valid_customers.signed_up_at,
        customer_orders.first_ordered_on,
        customer_orders.last_ordered_on,
        cast(coalesce(customer_orders.orders, 0) as {{ type_of('n') }}) as orders
    from valid_customers
    left join customer_orders on valid_customers.customer_id = customer_orders.customer_id
)

select * from dim_customers
