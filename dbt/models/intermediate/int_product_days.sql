{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_known_after() }}'
) }}

with

line_changes as (select * from {{ ref('int_order_lines_changes') }}),

product_days as (
    select
        product_id,
        day,
        known_at,
        cast(sum(sign * quantity) as {{ type_of('n') }}) as units,
        cast(sum(sign * revenue) as {{ type_of('money') }}) as revenue,
        cast(sum(sign) as {{ type_of('n') }}) as order_lines
    from line_changes
    {% if is_incremental() %}where known_at > {{ known_after() }}{% endif %}
    group by product_id, day, known_at
)

select * from product_days
where units <> 0 or revenue <> 0 or order_lines <> 0
