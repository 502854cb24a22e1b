with

cutoffs as (
    {{ dates_of('recommendation_cutoffs', 'as_of') }}
),

stock_levels as (select * from {{ ref('stg_store__stock_levels') }}),

newest_days as (
    select
        cutoffs.as_of,
        stock_levels.product_id,
        max(stock_levels.as_of_date) as as_of_date
    from stock_levels
    cross join cutoffs
    where stock_levels.known_at <= cutoffs.as_of
    group by 1, 2
),

-- only the versions of each product's newest day need sorting
versions as (
    select
        newest_days.as_of,
        stock_levels.product_id,
        stock_levels.as_of_date,
        stock_levels.on_hand,
        stock_levels.on_order,
        row_number() over (
            partition by newest_days.as_of, stock_levels.product_id
            order by stock_levels.dt desc, stock_levels.known_at desc
        ) as place
    from newest_days
    inner join stock_levels
        on
            newest_days.product_id = stock_levels.product_id
            and newest_days.as_of_date = stock_levels.as_of_date
    where stock_levels.known_at <= newest_days.as_of
),

stock as (
    select
        as_of,
        product_id,
        as_of_date,
        on_hand,
        on_order
    from versions
    where place = 1
)

select * from stock
