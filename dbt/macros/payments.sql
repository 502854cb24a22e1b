{# Whether a version's span of time was what was known when a payment of `payments` became known. What came with a later
   load counts as not known, however long ago it was: a full refresh gives what the nights gave. #}
{% macro known_to_payment(spans) -%}
    payments.known_at >= {{ spans }}.known_from
            and payments.known_at < {{ spans }}.known_to
            and payments.payment_loaded_as_of >= {{ spans }}.loaded_as_of
{%- endmacro %}

{# Whether an earlier payment was made within so many days before one of `payments`. #}
{% macro paid_within(days) -%} earlier.paid_at >= payments.paid_at - interval '{{ days }} days' {%- endmacro %}

{# For each of `payments`, the ones of `all_payments` that share a key with it, were paid before it and within 365 days
   (so that a key that very many share stays workable), and were known and loaded when it was. A chargeback of theirs
   counts by the same rule. A null key matches nothing. The caller adds columns. #}
{% macro earlier_payments(key, name, windows, customers_within=none) %}
    select
        payments.payment_id,
        {%- for days in windows %}
        count(case when {{ paid_within(days) }} then 1 end) as {{ name }}_payments_{{ days }}d,
        {%- endfor %}
        {%- if customers_within is not none %}
        count(
            distinct case
                when
                    {{ paid_within(customers_within) }}
                    and (payments.customer_id is null or earlier.customer_id <> payments.customer_id)
                    then earlier.customer_id
            end
        ) as {{ name }}_customers_{{ customers_within }}d,
        {%- endif %}
        {{ caller() }}
        count(
            case
                when
                    earlier.chargeback_reported_at < payments.paid_at
                    and earlier.chargeback_known_at <= payments.known_at
                    and earlier.chargeback_loaded_as_of <= payments.payment_loaded_as_of
                    then 1
            end
        ) as {{ name }}_chargebacks,
        count(*) as {{ name }}_payments_before
    from payments
    inner join all_payments as earlier
        on
            payments.{{ key }} = earlier.{{ key }}
            and payments.paid_at > earlier.paid_at
            and payments.known_at >= earlier.known_at
            and payments.payment_loaded_as_of >= earlier.payment_loaded_as_of
            and {{ paid_within(365) }}
    group by payments.payment_id
{% endmacro %}

{# A number of rows, 0 where there are none. #}
{% macro none_is_zero(value) -%} cast(coalesce({{ value }}, 0) as {{ type_of('n') }}) {%- endmacro %}

{# 1 or 0; null where it is not known. #}
{% macro one_or_zero(condition) -%}
    cast(case when {{ condition }} then 1 when not ({{ condition }}) then 0 end as {{ type_of('n') }})
{%- endmacro %}

{# The share of earlier payments that were charged back, drawn towards 1 in 200 where there are few. #}
{% macro chargeback_rate(name) -%}
    (cast(coalesce({{ name }}_chargebacks, 0) as {{ type_of('double') }}) + cast(0.1 as {{ type_of('double') }}))
        / cast(coalesce({{ name }}_payments_before, 0) + 20 as {{ type_of('double') }})
{%- endmacro %}
