with

stock_levels as (select * from {{ ref('stg_store__stock_levels') }}),

newest_days as (
    select
        product_id,
        max(as_of_date) as as_of_date
    from stock_levels
    where known_at <= {{ as_of() }}
    group by product_id
),

-- only the versions of each product's newest day need sorting
versions as (
    select
        stock_levels.product_id,
        stock_levels.as_of_date,
        stock_levels.on_hand,
        stock_levels.on_order,
        row_number() over (
            partition by stock_levels.product_id order by stock_levels.dt desc, stock_levels.known_at desc
        ) as place
    from newest_days
    inner join stock_levels
        on
            newest_days.product_id = stock_levels.product_id
            and newest_days.as_of_date = stock_levels.as_of_date
    where stock_levels.known_at <= {{ as_of() }}
),

stock as (
    select
        {{ as_of() }} as as_of,
        product_id,
        as_of_date,
        on_hand,
        on_order
    from versions
    where place = 1
)

select * from stock
