with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

orders as (select * from {{ ref('stg_store__orders') }}),

resolved as (
    select
        ticket_id,
        customer_id,
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

-- the latest of an intent are chosen before any text is read
answered as (
    select
        resolved.*,
        row_number() over (
            partition by resolved.intent order by resolved.resolved_at desc, resolved.ticket_id desc
        ) as place
    from resolved
    inner join (
        select distinct ticket_id
        from messages
        where author = 'agent' and known_at <= {{ as_of() }}
    ) as ever_answered
        on resolved.ticket_id = ever_answered.ticket_id
),

tickets as (
    select *
    from answered
    where place <= {{ var('replies_an_intent') }}
),

known_messages as (
    {{ messages_known('tickets', 'as_of') }}
),

answers as (
    select
        ticket_id,
        body as reply,
        row_number() over (partition by ticket_id order by message_number desc) as place
    from known_messages
    where author = 'agent'
),

threads as (
    {{ customer_texts() }}
),

tickets_with_text as (
    select
        tickets.ticket_id,
        tickets.as_of,
        tickets.customer_id,
        tickets.order_id,
        tickets.intent,
        coalesce(
            tickets.subject || chr(10) || threads.customer_text, tickets.subject, threads.customer_text, ''
        ) as text,
        answers.reply
    from tickets
    inner join answers on tickets.ticket_id = answers.ticket_id and answers.place = 1
    left join threads on tickets.ticket_id = threads.ticket_id
),

first_named as (
    {{ orders_named('tickets_with_text') }}
),

replies as (
    select
        tickets_with_text.ticket_id,
        coalesce(tickets_with_text.order_id, first_named.order_id) as order_id,
        tickets_with_text.intent,
        tickets_with_text.text,
        tickets_with_text.reply
    from tickets_with_text
    left join first_named on tickets_with_text.ticket_id = first_named.ticket_id
)

select * from replies
