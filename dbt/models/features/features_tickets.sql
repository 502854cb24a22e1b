{%- set is_tonight = given('events') == 'tonight' -%}

with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

orders as (select * from {{ ref('stg_store__orders') }}),

-- tonight those that are open, each as known tonight; else all, each as known on the first night that knew it
tickets as (
    select
        ticket_id,
        {% if is_tonight %}{{ as_of() }}{% else %}cast(first_known_at as date){% endif %} as as_of,
        customer_id,
        order_id,
        opened_at,
        channel,
        subject
    from spanned_tickets
    {% if is_tonight %}
    where
        known_from <= {{ as_of() }}
        and known_to > {{ as_of() }}
        and opened_at < {{ as_of() }}
        and resolved_at is null
    {% else %}
    where known_from = first_known_at and first_known_at <= {{ as_of() }}
    {% endif %}
),

known_messages as (
    {{ messages_known('tickets', 'as_of') }}
),

answers as (
    select
        ticket_id,
        max(message_number) as message_number
    from known_messages
    where author = 'agent'
    group by ticket_id
),

threads as (
    select
        known_messages.ticket_id,
        {{ joined_lines('known_messages.body', 'known_messages.message_number') }} as customer_text,
        count(
            case
                when answers.message_number is null or known_messages.message_number > answers.message_number then 1
            end
        ) as unanswered_messages
    from known_messages
    left join answers on known_messages.ticket_id = answers.ticket_id
    where known_messages.author = 'customer'
    group by known_messages.ticket_id
),

tickets_with_text as (
    select
        tickets.ticket_id,
        tickets.as_of,
        tickets.customer_id,
        tickets.order_id,
        tickets.opened_at,
        tickets.channel,
        coalesce(
            tickets.subject || chr(10) || threads.customer_text, tickets.subject, threads.customer_text, ''
        ) as text,
        cast(coalesce(threads.unanswered_messages, 0) as {{ type_of('n') }}) as unanswered_messages
    from tickets
    left join threads on tickets.ticket_id = threads.ticket_id
),

first_named as (
    {{ orders_named('tickets_with_text') }}
),

linked_tickets as (
    select
        tickets_with_text.ticket_id,
        tickets_with_text.as_of,
        tickets_with_text.customer_id,
        coalesce(tickets_with_text.order_id, first_named.order_id) as order_id,
        tickets_with_text.opened_at,
        tickets_with_text.channel,
        tickets_with_text.text,
        tickets_with_text.unanswered_messages
    from tickets_with_text
    left join first_named on tickets_with_text.ticket_id = first_named.ticket_id
)

select * from linked_tickets
