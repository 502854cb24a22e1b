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

{# A text as its words between blanks, in capitals, to look a whole word up in: hyphens are a part of it. #}
{% macro between_blanks(text) -%}
    {%- if target.type == 'spark' -%} concat(' ', upper(regexp_replace({{ text }}, '[^A-Za-z0-9_-]+', ' ')), ' ')
    {%- else -%} ' ' || upper(regexp_replace({{ text }}, '[^A-Za-z0-9_-]+', ' ', 'g')) || ' '
    {%- endif -%}
{%- endmacro %}
