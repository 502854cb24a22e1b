{%- set windows = [1, 4, 8, 13, 26, 52] -%}

with

products as (select * from {{ ref('int_demand_scope') }}),

periods as (select * from {{ ref('features_demand_periods') }}),

sums as (
    select
        as_of,
        product_id,
        {%- for window in windows %}
        sum(case when periods_ago <= {{ window }} then units end) as units_{{ window }},
        {%- endfor %}
        sum(case when periods_ago <= 4 then revenue end) as revenue_4,
        sum(case when periods_ago <= 13 then 1 else 0 end) as active_periods_13,
        count(*) as active_periods_52
    from periods
    where periods_ago <= 52 and units <> 0
    group by as_of, product_id
),

demand_products as (
    select
        products.as_of,
        products.product_id,
        products.category,
        products.brand,
        products.first_known_on,
        products.first_sold_on,
        products.last_sold_on,
        products.is_active,
        cast(products.unit_price as {{ type_of('double') }}) as unit_price,
        case
            when sums.units_4 > 0
                then cast(sums.revenue_4 as {{ type_of('double') }}) / cast(sums.units_4 as {{ type_of('double') }})
        end as avg_price_4,
        {%- for window in windows %}
        cast(coalesce(sums.units_{{ window }}, 0) as {{ type_of('n') }}) as units_{{ window }},
        {%- endfor %}
        cast(coalesce(sums.active_periods_13, 0) as {{ type_of('n') }}) as active_periods_13,
        cast(coalesce(sums.active_periods_52, 0) as {{ type_of('n') }}) as active_periods_52
    from products
    left join sums on products.as_of = sums.as_of and products.product_id = sums.product_id
)

select * from demand_products
