{# Postgres plans by statistics that it gathers now and then; the next model reads this one at once. #}
{% macro analyzed() -%}
    {%- if target.type == 'postgres' -%} analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
