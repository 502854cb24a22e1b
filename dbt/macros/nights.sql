{# A variable of the build. Nightcart gives them as JSON in the environment and they are read when a model runs, not
   when it is parsed: dates that change each night as `--vars` would have dbt parse the whole project each night. #}
{% macro given(name) -%}
    {%- set night = fromjson(env_var('NIGHTCART_DBT_VARS', '{}')) if execute else {} -%}
    {{- return(night.get(name, var(name))) -}}
{%- endmacro %}

{# The dates that a build is asked for. #}
{% macro as_of() -%} cast('{{ given('as_of') }}' as date) {%- endmacro %}

{% macro known_after() -%} cast('{{ given('known_after') }}' as {{ type_of('ts') }}) {%- endmacro %}

{# What ends a span that has not ended. #}
{% macro forever() -%} cast('9999-12-31' as {{ type_of('ts') }}) {%- endmacro %}

{# A list of dates from the variables, as rows. #}
{% macro dates_of(name, column) -%}
    {%- for day in given(name) %}
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

{# The same night as a date, for rows that say which night loaded them. An optional entity's history may come long after
   the first night, and was known long before: what is new of it only `loaded_as_of` tells. #}
{% macro loaded_after() -%} cast('{{ given('known_after') }}' as date) {%- endmacro %}

{# Forget what nights after the newest that was built brought, and the keys that rows of those nights speak of. #}
{% macro forget_loaded_after(key=none, relations=[]) -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where loaded_as_of > {{ loaded_after() }}
    {%- for relation in relations %}
    or {{ key }} in (select {{ key }} from {{ relation }} where loaded_as_of > {{ loaded_after() }})
    {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# On a night, only what the nights that it judges knew first; a training wants all. #}
{% macro where_first_known(known_at, nights) -%}
    {%- set judged = given(nights) -%}
    {%- if judged -%}
    where
        {{ known_at }} >= cast('{{ judged | first }}' as date)
        and {{ known_at }} <= cast('{{ judged | last }}' as date)
    {%- endif -%}
{%- endmacro %}
