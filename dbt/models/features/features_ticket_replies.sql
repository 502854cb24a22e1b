with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

tickets as (
    select
        ticket_id,
        order_id,
        subject,
        intent,
        resolved_at,
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

answered as (
    select
        tickets.ticket_id,
        tickets.order_id,
        tickets.intent,
        tickets.subject,
        answers.body as reply,
        row_number() over (
            partition by tickets.intent order by tickets.resolved_at desc, tickets.ticket_id desc
        ) as place
    from tickets
    inner join answers on tickets.ticket_id = answers.ticket_id
    where answers.place = 1
),

latest as (
    select *
    from answered
    where place <= {{ var('replies_an_intent') }}
),

threads as (
    select
        known_messages.ticket_id,
        {{ joined_lines('known_messages.body', 'known_messages.message_number') }} as customer_text
    from known_messages
    inner join latest on known_messages.ticket_id = latest.ticket_id
    where known_messages.author = 'customer'
    group by known_messages.ticket_id
),

replies as (
    select
        latest.ticket_id,
        latest.order_id,
        latest.intent,
        coalesce(
            latest.subject || chr(10) || threads.customer_text, latest.subject, threads.customer_text, ''
        ) as text,
        latest.reply
    from latest
    left join threads on latest.ticket_id = threads.ticket_id
)

select * from replies
