with

cutoffs as (
    {{ dates_of('cutoffs', 'as_of') }}
),

product_days as (select * from {{ ref('int_product_days_spanned') }}),

products as (select * from {{ ref('stg_store__products') }}),

-- the valid version of each product as of each cut-off, and when the product was first known
versions as (
    select
        cutoffs.as_of,
        products.product_id,
        products.category,
        products.brand,
        products.is_active,
        products.unit_price,
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

sales as (
    select
        cutoffs.as_of,
        product_days.product_id,
        min(product_days.day) as first_sold_on,
        max(product_days.day) as last_sold_on
    from product_days
    cross join cutoffs
    where
        product_days.known_from <= cutoffs.as_of
        and product_days.known_to > cutoffs.as_of
        and product_days.day < cutoffs.as_of
        and product_days.units > 0
    group by cutoffs.as_of, product_days.product_id
),

scope as (
    select
        versions.as_of,
        versions.product_id,
        versions.category,
        versions.brand,
        versions.first_known_on,
        sales.first_sold_on,
        sales.last_sold_on,
        versions.is_active,
        versions.unit_price
    from versions
    left join sales on versions.as_of = sales.as_of and versions.product_id = sales.product_id
    where
        versions.place = 1
        and versions.is_active
        and (
            sales.last_sold_on >= {{ add_days('versions.as_of', -365) }}
            or versions.first_known_on >= {{ add_days('versions.as_of', -60) }}
        )
)

select * from scope
