with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

products as (select * from {{ ref('stg_store__products') }}),

product_days as (select * from {{ ref('int_product_days') }}),

versions as (
    select
        cutoffs.as_of,
        products.product_id,
        products.title,
        products.category,
        products.is_active,
        row_number() over (
            partition by cutoffs.as_of, products.product_id order by products.dt desc, products.known_at desc
        ) as place,
        cast(
            min(products.known_at) over (partition by cutoffs.as_of, products.product_id) as date
        ) as first_known_on
    from products
    cross join cutoffs
    where products.known_at <= cutoffs.as_of
),

-- what was paid: a price of the catalogue is that of today
sales as (
    select
        cutoffs.as_of,
        product_days.product_id,
        cast(sum(product_days.revenue) as {{ type_of('double') }}) as revenue,
        cast(sum(product_days.units) as {{ type_of('double') }}) as units
    from product_days
    cross join cutoffs
    where
        product_days.known_at <= cutoffs.as_of
        and product_days.day < cutoffs.as_of
        and product_days.day >= {{ add_days('cutoffs.as_of', -365) }}
    group by 1, 2
),

valid_products as (
    select
        versions.as_of,
        versions.product_id,
        versions.title,
        versions.category,
        case when sales.units > 0 then sales.revenue / sales.units end as mean_price,
        versions.first_known_on,
        versions.is_active
    from versions
    left join sales on versions.as_of = sales.as_of and versions.product_id = sales.product_id
    where versions.place = 1
)

select * from valid_products
