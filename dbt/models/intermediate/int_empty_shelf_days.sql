{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_loaded_after() }}'
) }}

with

all_levels as (select * from {{ ref('stg_store__stock_levels') }}),

{% if is_incremental() %}
touched as (
    select distinct
        product_id,
        as_of_date
    from all_levels
    where loaded_as_of > {{ loaded_after() }}
),

stock_levels as (
    select all_levels.*
    from all_levels
    inner join touched on all_levels.product_id = touched.product_id and all_levels.as_of_date = touched.as_of_date
),
{% else %}
stock_levels as (select * from all_levels),
{% endif %}

-- of most days no version ever was empty: those need no spans
ever_empty as (
    select distinct
        product_id,
        as_of_date
    from stock_levels
    where on_hand <= 0
),

versions as (
    select stock_levels.*
    from stock_levels
    inner join ever_empty
        on stock_levels.product_id = ever_empty.product_id and stock_levels.as_of_date = ever_empty.as_of_date
),

level_spans as (
    {{ version_spans('versions', ['product_id', 'as_of_date']) }}
),

loads as (
    select
        product_id,
        as_of_date,
        known_at,
        max(loaded_as_of) as loaded_as_of
    from versions
    group by product_id, as_of_date, known_at
),

ends as (
    select
        product_id,
        as_of_date,
        known_from as known_at,
        loaded_as_of,
        1 as sign
    from level_spans
    where on_hand <= 0
    union all
    select
        level_spans.product_id,
        level_spans.as_of_date,
        level_spans.known_to as known_at,
        greatest(level_spans.loaded_as_of, loads.loaded_as_of) as loaded_as_of,
        -1 as sign
    from level_spans
    inner join loads
        on
            level_spans.product_id = loads.product_id
            and level_spans.as_of_date = loads.as_of_date
            and level_spans.known_to = loads.known_at
    where level_spans.on_hand <= 0
),

empty_shelf_days as (
    select
        product_id,
        as_of_date as day,
        known_at,
        loaded_as_of,
        cast(sum(sign) as {{ type_of('n') }}) as sign
    from ends
    {% if is_incremental() %}where loaded_as_of > {{ loaded_after() }}{% endif %}
    group by product_id, as_of_date, known_at, loaded_as_of
)

select * from empty_shelf_days
where sign <> 0
