with

fit_cutoffs as (
    {{ dates_of('ticket_fit_cutoffs', 'known_as_of') }}
),

tickets as (select * from {{ ref('int_tickets') }}),

targets as (
    select
        fit_cutoffs.known_as_of,
        tickets.ticket_id,
        tickets.intent,
        tickets.urgency,
        tickets.resolved_at is not null as is_known
    from tickets
    inner join fit_cutoffs
        on
            tickets.known_from <= fit_cutoffs.known_as_of
            and tickets.known_to > fit_cutoffs.known_as_of
    {{ where_first_known('tickets.first_known_at', 'support_judged') }}
)

select * from targets
