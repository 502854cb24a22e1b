with

products as (select * from {{ ref('stg_store__products') }}),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

valid_products as (
    {{ valid_version('products', ['product_id'], as_of()) }}
),

sales as (
    select
        product_id,
        min(day) as first_sold_on,
        max(day) as last_sold_on
    from product_days
    where known_from <= {{ as_of() }} and known_to > {{ as_of() }} and day < {{ as_of() }} and units > 0
    group by product_id
),

dim_products as (
    select
        valid_products.product_id,
        valid_products.title,
        valid_products.category,
        valid_products.brand,
        valid_products.unit_price,
        valid_products.unit_cost,
        valid_products.is_active,
        valid_products.lead_time_days,
        valid_products.order_multiple,
        sales.first_sold_on,
        sales.last_sold_on
    from valid_products
    left join sales on valid_products.product_id = sales.product_id
)

select * from dim_products
