{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_loaded_after('ticket_id', [ref('stg_store__tickets'), ref('stg_store__ticket_resolutions')]) }}"
) }}

with

all_tickets as (select * from {{ ref('stg_store__tickets') }}),

all_resolutions as (select * from {{ ref('stg_store__ticket_resolutions') }}),

orders as (select * from {{ ref('stg_store__orders') }}),

-- a ticket of which something new is known was forgotten before, so that all that are not here are to be built
{% if is_incremental() %}
tickets as (
    select all_tickets.*
    from all_tickets
    left join (select distinct ticket_id from {{ this }}) as built on all_tickets.ticket_id = built.ticket_id
    where built.ticket_id is null
),
{% else %}
tickets as (select * from all_tickets),
{% endif %}

first_known as (
    select
        ticket_id,
        min(known_at) as known_at,
        max(loaded_as_of) as loaded_as_of
    from tickets
    group by ticket_id
),

resolutions as (
    select all_resolutions.*
    from all_resolutions
    inner join first_known on all_resolutions.ticket_id = first_known.ticket_id
),

last_loaded as (
    select
        ticket_id,
        max(loaded_as_of) as loaded_as_of
    from resolutions
    group by ticket_id
),

ticket_spans as (
    {{ version_spans('tickets', ['ticket_id']) }}
),

resolution_spans as (
    {{ version_spans('resolutions', ['ticket_id']) }}
),

moments as (
    select
        ticket_id,
        known_from
    from ticket_spans
    union
    select
        resolution_spans.ticket_id,
        resolution_spans.known_from
    from resolution_spans
    inner join first_known on resolution_spans.ticket_id = first_known.ticket_id
    where resolution_spans.known_from > first_known.known_at
),

segments as (
    select
        ticket_id,
        known_from,
        coalesce(lead(known_from) over (partition by ticket_id order by known_from), {{ forever() }}) as known_to
    from moments
),

-- who ordered, as known when the segment begins
buyers as (
    select *
    from (
        select
            segments.ticket_id,
            segments.known_from,
            orders.customer_id,
            row_number() over (
                partition by segments.ticket_id, segments.known_from order by orders.dt desc, orders.known_at desc
            ) as place
        from segments
        inner join ticket_spans
            on
                segments.ticket_id = ticket_spans.ticket_id
                and segments.known_from >= ticket_spans.known_from
                and segments.known_from < ticket_spans.known_to
        inner join orders
            on ticket_spans.order_id = orders.order_id and segments.known_from >= orders.known_at
        where ticket_spans.customer_id is null
    ) as versions
    where place = 1
),

spanned_tickets as (
    select
        segments.ticket_id,
        segments.known_from,
        segments.known_to,
        first_known.known_at as first_known_at,
        coalesce(ticket_spans.customer_id, buyers.customer_id) as customer_id,
        ticket_spans.order_id,
        ticket_spans.opened_at,
        ticket_spans.channel,
        ticket_spans.subject,
        resolution_spans.resolved_at,
        resolution_spans.intent,
        resolution_spans.urgency,
        greatest(
            first_known.loaded_as_of, coalesce(last_loaded.loaded_as_of, first_known.loaded_as_of)
        ) as loaded_as_of
    from segments
    inner join first_known on segments.ticket_id = first_known.ticket_id
    inner join ticket_spans
        on
            segments.ticket_id = ticket_spans.ticket_id
            and segments.known_from >= ticket_spans.known_from
            and segments.known_from < ticket_spans.known_to
    left join resolution_spans
        on
            segments.ticket_id = resolution_spans.ticket_id
            and segments.known_from >= resolution_spans.known_from
            and segments.known_from < resolution_spans.known_to
    left join buyers on segments.ticket_id = buyers.ticket_id and segments.known_from = buyers.known_from
    left join last_loaded on segments.ticket_id = last_loaded.ticket_id
)

select * from spanned_tickets
