with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

tickets as (
    select
        ticket_id,
        order_id,
        {{ as_of() }} as as_of
    from spanned_tickets
    where
        known_from <= {{ as_of() }}
        and known_to > {{ as_of() }}
        and resolved_at >= {{ add_days(as_of(), -365) }}
),

known_messages as (
    {{ messages_known('tickets', 'as_of') }}
),

answers as (
    select
        ticket_id,
        body,
        row_number() over (partition by ticket_id order by message_number desc) as place
    from known_messages
    where author = 'agent'
),

replies as (
    select
        tickets.ticket_id,
        tickets.order_id,
        answers.body as reply
    from tickets
    inner join answers on tickets.ticket_id = answers.ticket_id
    where answers.place = 1
)

select * from replies
