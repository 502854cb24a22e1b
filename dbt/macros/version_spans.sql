{# The versions of each key with the span of time in which each is the valid one: [known_from, known_to).
   An older partition that comes late is never valid; several that come at once leave empty spans, which go. #}
{% macro version_spans(relation, key) %}
    {%- set keys = key | join(', ') -%}
    select *
    from (
        select
            *,
            known_at as known_from,
            coalesce(lead(known_at) over (partition by {{ keys }} order by known_at, dt), {{ forever() }}) as known_to
        from (
            select
                *,
                max(dt) over (
                    partition by {{ keys }} order by known_at, dt rows between unbounded preceding and 1 preceding
                ) as newest_dt_before
            from {{ relation }}
        ) as versions
        where newest_dt_before is null or dt >= newest_dt_before
    ) as spans
    where known_from < known_to
{% endmacro %}

{# The version of each key that is valid as of a night. #}
{% macro valid_version(relation, key, night) %}
    select *
    from (
        select
            *,
            row_number() over (partition by {{ key | join(', ') }} order by dt desc, known_at desc) as place
        from {{ relation }}
        where known_at <= {{ night }}
    ) as versions
    where place = 1
{% endmacro %}
