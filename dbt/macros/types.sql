{# The one place that knows how an adapter names the contract's types. #}
{% macro type_of(name) -%}
    {%- set names = {
        'duckdb': {'text': 'varchar', 'n': 'bigint', 'money': 'decimal(18, 4)', 'double': 'double', 'ts': 'timestamp'},
        'postgres': {
            'text': 'text', 'n': 'bigint', 'money': 'decimal(18, 4)', 'double': 'double precision', 'ts': 'timestamp'
        },
        'spark': {'text': 'string', 'n': 'bigint', 'money': 'decimal(18, 4)', 'double': 'double', 'ts': 'timestamp'}
    } -%}
    {{- names[target.type][name] -}}
{%- endmacro %}
