with

fit_cutoffs as (
    {{ dates_of('ticket_fit_cutoffs', 'known_as_of') }}
),

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

tickets as (
    select
        fit_cutoffs.known_as_of,
        spanned_tickets.ticket_id,
        spanned_tickets.intent,
        spanned_tickets.urgency,
        spanned_tickets.resolved_at is not null as is_known,
        spanned_tickets.resolved_at >= {{ add_days('fit_cutoffs.known_as_of', -180) }} as is_recent
    from spanned_tickets
    inner join fit_cutoffs
        on
            spanned_tickets.known_from <= fit_cutoffs.known_as_of
            and spanned_tickets.known_to > fit_cutoffs.known_as_of
),

known_messages as (
    {{ messages_known('tickets', 'known_as_of') }}
),

answered as (
    select distinct
        ticket_id,
        known_as_of
    from known_messages
    where author = 'agent'
),

targets as (
    select
        tickets.known_as_of,
        tickets.ticket_id,
        tickets.intent,
        tickets.urgency,
        tickets.is_known,
        coalesce(tickets.is_recent, false) and answered.ticket_id is not null as has_reply
    from tickets
    left join answered
        on tickets.ticket_id = answered.ticket_id and tickets.known_as_of = answered.known_as_of
)

select * from targets
