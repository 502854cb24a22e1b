{%- set windows = [1, 4, 8, 13, 26, 52] -%}
{%- set period_days = given('period_days') | int -%}

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
        min(case when product_days.units > 0 then product_days.day end) as first_sold_on,
        max(case when product_days.units > 0 then product_days.day end) as last_sold_on,
        {%- for window in windows %}
        sum(
            case
                when product_days.day >= {{ add_days('cutoffs.as_of', -window * period_days) }}
                    then product_days.units
            end
        ) as units_{{ window }},
        {%- endfor %}
        sum(
            case
                when product_days.day >= {{ add_days('cutoffs.as_of', -4 * period_days) }} then product_days.revenue
            end
        ) as revenue_4
    from product_days
    cross join cutoffs
    where
        product_days.known_from <= cutoffs.as_of
        and product_days.known_to > cutoffs.as_of
        and product_days.day < cutoffs.as_of
    group by cutoffs.as_of, product_days.product_id
),

periods as (
    select
        cutoffs.as_of,
        product_days.product_id,
        {{ whole_periods(days_between('cutoffs.as_of', 'product_days.day') ~ ' - 1') }} + 1 as periods_ago,
        sum(product_days.units) as units
    from product_days
    cross join cutoffs
    where
        product_days.known_from <= cutoffs.as_of
        and product_days.known_to > cutoffs.as_of
        and product_days.day < cutoffs.as_of
        and product_days.day >= {{ add_days('cutoffs.as_of', -52 * period_days) }}
    group by 1, 2, 3
),

activity as (
    select
        as_of,
        product_id,
        sum(case when periods_ago <= 13 then 1 else 0 end) as active_periods_13,
        count(*) as active_periods_52
    from periods
    where units <> 0
    group by as_of, product_id
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
        cast(versions.unit_price as {{ type_of('double') }}) as unit_price,
        case
            when sales.units_4 > 0
                then cast(sales.revenue_4 as {{ type_of('double') }}) / cast(sales.units_4 as {{ type_of('double') }})
        end as avg_price_4,
        {%- for window in windows %}
        cast(coalesce(sales.units_{{ window }}, 0) as {{ type_of('n') }}) as units_{{ window }},
        {%- endfor %}
        cast(coalesce(activity.active_periods_13, 0) as {{ type_of('n') }}) as active_periods_13,
        cast(coalesce(activity.active_periods_52, 0) as {{ type_of('n') }}) as active_periods_52
    from versions
    left join sales on versions.as_of = sales.as_of and versions.product_id = sales.product_id
    left join activity on versions.as_of = activity.as_of and versions.product_id = activity.product_id
    where
        versions.place = 1
        and versions.is_active
        and (
            sales.last_sold_on >= {{ add_days('versions.as_of', -365) }}
            or versions.first_known_on >= {{ add_days('versions.as_of', -60) }}
        )
)

select * from scope
