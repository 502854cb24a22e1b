{# The dates that a build is asked for. #}
{% macro as_of() -%} cast('{{ var("as_of") }}' as date) {%- endmacro %}

{% macro known_after() -%} cast('{{ var("known_after") }}' as {{ type_of('ts') }}) {%- endmacro %}

{# What ends a span that has not ended. #}
{% macro forever() -%} cast('9999-12-31' as {{ type_of('ts') }}) {%- endmacro %}

{# A list of dates from the variables, as rows. #}
{% macro dates_of(name, column) -%}
    {%- for day in var(name) %}
    select cast('{{ day }}' as date) as {{ column }}
    {%- if not loop.last %}
    union all
    {%- endif -%}
    {%- else %}
    select cast(null as date) as {{ column }} where 1 = 0
    {%- endfor %}
{%- endmacro %}

{# Forget what came after the newest night that was built: then a retry appends the same rows once. #}
{% macro forget_known_after() -%}
    {%- if is_incremental() -%} delete from {{ this }} where known_at > {{ known_after() }}
    {%- endif -%}
{%- endmacro %}
