{# The messages of each ticket of a relation as known by its night, in the version that was valid then. #}
{% macro messages_known(tickets, night) %}
    select *
    from (
        select
            {{ tickets }}.ticket_id,
            {{ tickets }}.{{ night }},
            messages.message_number,
            messages.author,
            messages.body,
            row_number() over (
                partition by {{ tickets }}.ticket_id, {{ tickets }}.{{ night }}, messages.message_number
                order by messages.dt desc, messages.known_at desc
            ) as place
        from {{ tickets }}
        inner join messages
            on {{ tickets }}.ticket_id = messages.ticket_id and {{ tickets }}.{{ night }} >= messages.known_at
    ) as versions
    where place = 1
{% endmacro %}

{# The texts of a group in order, each on lines of its own. #}
{% macro joined_lines(text, place) -%}
    {%- if target.type == 'spark' -%}
    array_join(transform(array_sort(collect_list(struct({{ place }}, {{ text }}))), one -> one.{{ text }}), chr(10))
    {%- else -%} string_agg({{ text }}, chr(10) order by {{ place }})
    {%- endif -%}
{%- endmacro %}

{# What the customer of each ticket has written, in order. Reads `known_messages`. #}
{% macro customer_texts() %}
    select
        ticket_id,
        {{ joined_lines('body', 'message_number') }} as customer_text
    from known_messages
    where author = 'customer'
    group by ticket_id
{% endmacro %}

{# A text as its words between blanks, in capitals, to look a whole word up in: hyphens are a part of it. #}
{% macro between_blanks(text) -%}
    {%- if target.type == 'spark' -%} concat(' ', upper(regexp_replace({{ text }}, '[^A-Za-z0-9_-]+', ' ')), ' ')
    {%- else -%} ' ' || upper(regexp_replace({{ text }}, '[^A-Za-z0-9_-]+', ' ', 'g')) || ' '
    {%- endif -%}
{%- endmacro %}

{# Where a ticket of a relation names no order: the first that its text names as a whole word, of the same customer in
   the version that was valid on the ticket's night, never another customer's. Reads `orders`. #}
{% macro orders_named(tickets) %}
    select
        ticket_id,
        order_id
    from (
        select
            ticket_id,
            order_id,
            row_number() over (partition by ticket_id order by place_in_text, order_id) as place
        from (
            select
                named.ticket_id,
                named.customer_id,
                named.order_id,
                named.place_in_text,
                orders.customer_id as buyer_id,
                row_number() over (
                    partition by named.ticket_id, named.order_id order by orders.dt desc, orders.known_at desc
                ) as newest
            from (
                select distinct
                    {{ tickets }}.ticket_id,
                    {{ tickets }}.as_of,
                    {{ tickets }}.customer_id,
                    orders.order_id,
                    position(
                        {{ between_blanks('orders.order_id') }} in {{ between_blanks(tickets ~ '.text') }}
                    ) as place_in_text
                from {{ tickets }}
                inner join orders
                    on
                        {{ tickets }}.customer_id = orders.customer_id
                        and {{ tickets }}.as_of >= orders.known_at
                        and position(
                            {{ between_blanks('orders.order_id') }} in {{ between_blanks(tickets ~ '.text') }}
                        ) > 0
                where {{ tickets }}.order_id is null
            ) as named
            inner join orders
                on named.order_id = orders.order_id and named.as_of >= orders.known_at
        ) as versions
        where newest = 1 and buyer_id = customer_id
    ) as placed
    where place = 1
{% endmacro %}
