with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

products as (select * from {{ ref('stg_store__products') }}),

versions as (
    select
        cutoffs.as_of,
        products.product_id,
        products.category,
        products.is_active,
        row_number() over (
            partition by cutoffs.as_of, products.product_id order by products.dt desc, products.known_at desc
        ) as place
    from products
    cross join cutoffs
    where products.known_at <= cutoffs.as_of
),

valid_products as (
    select
        as_of,
        product_id,
        category,
        is_active
    from versions
    where place = 1
)

select * from valid_products
