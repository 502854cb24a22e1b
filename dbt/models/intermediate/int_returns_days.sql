{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_loaded_after() }}'
) }}

with

all_returns as (select * from {{ ref('stg_store__returns') }}),

{% if is_incremental() %}
touched as (
    select distinct return_id
    from all_returns
    where loaded_as_of > {{ loaded_after() }}
),

returns as (select * from all_returns where return_id in (select return_id from touched)),
{% else %}
returns as (select * from all_returns),
{% endif %}

return_spans as (
    {{ version_spans('returns', ['return_id']) }}
),

loads as (
    select
        return_id,
        known_at,
        max(loaded_as_of) as loaded_as_of
    from returns
    group by return_id, known_at
),

ends as (
    select
        product_id,
        day,
        quantity,
        known_from as known_at,
        loaded_as_of,
        1 as sign
    from return_spans
    union all
    select
        return_spans.product_id,
        return_spans.day,
        return_spans.quantity,
        return_spans.known_to as known_at,
        loads.loaded_as_of,
        -1 as sign
    from return_spans
    inner join loads on return_spans.return_id = loads.return_id and return_spans.known_to = loads.known_at
),

returns_days as (
    select
        product_id,
        day,
        known_at,
        cast(sum(sign * quantity) as {{ type_of('n') }}) as units,
        cast(sum(sign) as {{ type_of('n') }}) as return_count,
        max(loaded_as_of) as loaded_as_of
    from ends
    {% if is_incremental() %}where loaded_as_of > {{ loaded_after() }}{% endif %}
    group by product_id, day, known_at
)

select * from returns_days
where units <> 0 or return_count <> 0
