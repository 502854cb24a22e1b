{# Date arithmetic, one macro for each thing that warehouses spell differently. #}
{% macro days_between(later, earlier) -%}
    {%- if target.type == 'spark' -%} datediff({{ later }}, {{ earlier }})
    {%- else -%} ({{ later }} - {{ earlier }})
    {%- endif -%}
{%- endmacro %}

{% macro add_days(day, days) -%}
    {%- if target.type == 'spark' -%} date_add({{ day }}, cast({{ days }} as int))
    {%- else -%} ({{ day }} + cast({{ days }} as integer))
    {%- endif -%}
{%- endmacro %}

{# Which period a number of whole days falls into: 0 for the first. #}
{% macro whole_periods(days) -%}
    {%- set length = given('period_days') | int -%}
    {%- if length == 1 -%} cast(({{ days }}) as {{ type_of('n') }})
    {%- else -%} cast(floor(({{ days }}) / {{ length }}.0) as {{ type_of('n') }})
    {%- endif -%}
{%- endmacro %}

{# Whole seconds between two times. #}
{% macro seconds_between(later, earlier) -%}
    {%- if target.type == 'spark' -%} (unix_timestamp({{ later }}) - unix_timestamp({{ earlier }}))
    {%- else -%} cast(floor(extract(epoch from {{ later }} - {{ earlier }})) as {{ type_of('n') }})
    {%- endif -%}
{%- endmacro %}

{# The day of the week, 1 for Monday. #}
{% macro day_of_week(time) -%}
    {%- set part = 'dayofweek_iso' if target.type == 'spark' else 'isodow' -%}
    cast(extract({{ part }} from {{ time }}) as {{ type_of('n') }})
{%- endmacro %}
