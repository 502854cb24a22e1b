{%- set days = 28 -%}

with

events as (select * from {{ ref('stg_store__events') }}),

shown as (
    select
        release_id as shown_release_id,
        customer_id,
        kind
    from events
    where
        release_id is not null
        and customer_id is not null
        and kind in ('impression', 'click')
        and known_at <= {{ as_of() }}
        and day >= {{ add_days(as_of(), -days) }}
        and day < {{ as_of() }}
),

exposure as (
    select
        {{ as_of() }} as as_of,
        shown_release_id,
        customer_id,
        cast(sum({{ one_or_zero("kind = 'impression'") }}) as {{ type_of('n') }}) as impressions,
        cast(sum({{ one_or_zero("kind = 'click'") }}) as {{ type_of('n') }}) as clicks
    from shown
    group by shown_release_id, customer_id
)

select * from exposure
