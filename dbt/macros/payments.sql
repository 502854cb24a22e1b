{# Whether a version's span of time was what was known when a payment of `payments` became known. What came with a later
   load counts as not known, however long ago it was: a full refresh gives what the nights gave. #}
{% macro known_to_payment(spans) -%}
    payments.known_at >= {{ spans }}.known_from
            and payments.known_at < {{ spans }}.known_to
            and payments.payment_loaded_as_of >= {{ spans }}.loaded_as_of
{%- endmacro %}

{# The order that each of `payments` pays, as known then; a store may place it at the very moment of the payment. #}
{% macro paid_orders() %}
    select
        payments.*,
        order_spans.ship_country
    from payments
    inner join order_spans
        on
            payments.order_id = order_spans.order_id
            and payments.paid_at >= order_spans.ordered_at
            and {{ known_to_payment('order_spans') }}
{% endmacro %}

{# Whether an earlier payment was made within so many days before one of `payments`. #}
{% macro paid_within(days) -%} earlier_paid_at >= paid_at - interval '{{ days }} days' {%- endmacro %}

{# Each of `payments` beside the ones of `all_payments` that share a key with it, were paid before it and within 365 days
   (so that a key that very many share stays workable), and were known and loaded when it was. A chargeback of theirs
   counts by the same rule: `reported_at` is null where none was known. A null key matches nothing. #}
{% macro earlier_pairs(key, asked='payments') %}
        select
            payments.payment_id,
            payments.paid_at,
            payments.customer_id,
            payments.device_id,
            payments.card_token,
            earlier.paid_at as earlier_paid_at,
            earlier.customer_id as earlier_customer_id,
            earlier.device_id as earlier_device_id,
            earlier.card_token as earlier_card_token,
            earlier.amount as earlier_amount,
            case
                when
                    earlier.chargeback_reported_at < payments.paid_at
                    and earlier.chargeback_known_at <= payments.known_at
                    and earlier.chargeback_loaded_as_of <= payments.payment_loaded_as_of
                    then earlier.chargeback_reported_at
            end as reported_at
        from {{ asked }} as payments
        inner join all_payments as earlier
            on
                payments.{{ key }} = earlier.{{ key }}
                and payments.paid_at > earlier.paid_at
                and payments.paid_at - interval '365 days' <= earlier.paid_at
                and payments.known_at >= earlier.known_at
                and payments.payment_loaded_as_of >= earlier.payment_loaded_as_of
{% endmacro %}

{# For each of `payments`, what `earlier_pairs` says of a key. The caller adds columns. #}
{% macro earlier_payments(key, name, windows, customers_within=none) %}
    select
        payment_id,
        {%- for days in windows %}
        count(case when {{ paid_within(days) }} then 1 end) as {{ name }}_payments_{{ days }}d,
        {%- endfor %}
        {%- if customers_within is not none %}
        count(
            distinct case
                when
                    {{ paid_within(customers_within) }} and (customer_id is null or earlier_customer_id <> customer_id)
                    then earlier_customer_id
            end
        ) as {{ name }}_customers_{{ customers_within }}d,
        {%- endif %}
        {{ caller() }}
        {%- for days in [1, 7, 30] %}
        count(case when reported_at >= paid_at - interval '{{ days }} days' then 1 end)
            as {{ name }}_chargebacks_{{ days }}d,
        {%- endfor %}
        count(case when {{ paid_within(30) }} then 1 end) as payments_30d,
        count(reported_at) as {{ name }}_chargebacks,
        sum(case when reported_at >= paid_at - interval '30 days' then earlier_amount end) as fraud_amount_30d,
        max(case when reported_at is not null then earlier_paid_at end) as last_fraud_at,
        avg({{ seconds_between('reported_at', 'earlier_paid_at') }}) as mean_report_seconds,
        min(case when reported_at >= paid_at - interval '30 days' then earlier_paid_at end) as first_fraud_at,
        min(earlier_paid_at) as first_paid_at,
        max(earlier_paid_at) as last_paid_at,
        count(*) as {{ name }}_payments_before
    from (
        {{ earlier_pairs(key) }}
    ) as pairs
    group by payment_id
{% endmacro %}

{# For each of `payments` whose key has a known fraud: the streak that the last one ends, the frauds since a payment that
   is not known as one; and the payments since, not known as one though older than the key's chargebacks took in the mean. #}
{% macro fraud_streaks(key, name) %}
    select
        payment_id,
        max(honest_at) as honest_at,
        min(case when reported_at is not null and {{ after_honest() }} then earlier_paid_at end) as streak_from,
        count(case when {{ after_honest() }} then reported_at end) as streak,
        count(
            case
                when
                    reported_at is null and earlier_paid_at > last_fraud_at
                    and {{ seconds_between('paid_at', 'earlier_paid_at') }} > mean_report_seconds
                    then 1
            end
        ) as payments_since
    from (
        select
            pairs.*,
            by_{{ name }}.last_fraud_at,
            by_{{ name }}.mean_report_seconds,
            max(case when reported_at is null and earlier_paid_at < last_fraud_at then earlier_paid_at end)
                over (partition by pairs.payment_id) as honest_at
        from ({{ earlier_pairs(key, 'charged_back_' ~ name) }}) as pairs
        inner join by_{{ name }} on pairs.payment_id = by_{{ name }}.payment_id
    ) as told
    group by payment_id
{% endmacro %}

{# Whether an earlier payment was made after the last one before the streak. #}
{% macro after_honest() -%} (honest_at is null or earlier_paid_at > honest_at) {%- endmacro %}

{# What is known of the frauds of a key: columns of the features. #}
{% macro fraud_features(name) -%}
    {{ none_is_zero('by_' ~ name ~ '.' ~ name ~ '_chargebacks') }} as {{ name }}_chargebacks,
        {%- for days in [1, 7, 30] %}
        {{ none_is_zero('by_' ~ name ~ '.' ~ name ~ '_chargebacks_' ~ days ~ 'd') }}
            as {{ name }}_chargebacks_{{ days }}d,
        {%- endfor %}
        {{ mean_of('by_' ~ name ~ '.fraud_amount_30d', 'by_' ~ name ~ '.' ~ name ~ '_chargebacks_30d') }}
            as {{ name }}_mean_fraud_amount_30d,
        {{ chargeback_rate('by_' ~ name ~ '.' ~ name ~ '_chargebacks', 'by_' ~ name ~ '.' ~ name ~ '_payments_before') }}
            as {{ name }}_chargeback_rate,
        {{ chargeback_rate('by_' ~ name ~ '.' ~ name ~ '_chargebacks_30d', 'by_' ~ name ~ '.payments_30d') }}
            as {{ name }}_chargeback_rate_30d,
        {{ days_since('by_' ~ name ~ '.last_fraud_at') }} as days_since_{{ name }}_fraud,
        {{ days_since('by_' ~ name ~ '.first_fraud_at') }} as days_since_first_{{ name }}_fraud,
        {{ none_is_zero(name ~ '_streaks.streak') }} as {{ name }}_fraud_streak,
        {{ days_since(name ~ '_streaks.streak_from') }} as days_since_{{ name }}_fraud_streak,
        {{ days_since(name ~ '_streaks.honest_at') }} as days_since_{{ name }}_honest,
        {{ none_is_zero(name ~ '_streaks.payments_since') }} as {{ name }}_payments_since_fraud
{%- endmacro %}

{# Up to when payments became known that this part of a build makes the features of. #}
{% macro payments_until() -%} cast('{{ given('payments_until') }}' as {{ type_of('ts') }}) {%- endmacro %}

{# What nights after the newest that was built brought; only the first part of a build forgets it. #}
{% macro forget_payments() -%}
    {%- if given('is_first_part') -%} {{ forget_loaded_after() }} {%- endif -%}
{%- endmacro %}

{# What became known of a key by day: payments by the day they were paid, chargebacks by the day they were reported. Only
   of keys that are asked about, and of the ninety days before: a night's sums follow these, not the history. #}
{% macro counts_by_day(relation, key, asked) %}
    select
        days.{{ key }},
        days.day,
        {{ thirty_days('days.day') }} as span,
        days.known_at,
        days.loaded_as_of,
        sum(days.payments) as payments,
        sum(days.amount) as amount,
        sum(days.chargebacks) as chargebacks
    from (
        select
            {{ key }},
            cast(paid_at as date) as day,
            known_at,
            payment_loaded_as_of as loaded_as_of,
            1 as payments,
            amount,
            0 as chargebacks
        from {{ relation }}
        union all
        select
            {{ key }},
            cast(greatest(paid_at, chargeback_reported_at) as date) as day,
            greatest(known_at, chargeback_known_at) as known_at,
            greatest(payment_loaded_as_of, chargeback_loaded_as_of) as loaded_as_of,
            0 as payments,
            0 as amount,
            1 as chargebacks
        from {{ relation }}
        where chargeback_known_at is not null
    ) as days
    inner join (
        select
            {{ key }},
            min(cast(paid_at as date)) as first_day,
            max(cast(paid_at as date)) as last_day
        from {{ asked }}
        group by {{ key }}
    ) as wanted
        on
            days.{{ key }} = wanted.{{ key }}
            and days.day >= {{ add_days('wanted.first_day', '-90') }}
            and days.day < wanted.last_day
    group by days.{{ key }}, days.day, days.known_at, days.loaded_as_of
{% endmacro %}

{# Which span of thirty days a day lies in. #}
{% macro thirty_days(day) -%}
    cast(floor({{ days_between(day, "cast('1970-01-01' as date)") }} / 30.0) as {{ type_of('n') }})
{%- endmacro %}

{# For each key, day and knowledge that is asked about, the sums of the days before by windows of whole days. Ninety days
   lie in four spans of thirty: joined by span, a key with a long history stays workable. #}
{% macro sums_of_days(days, key, asked) %}
    select
        asked.{{ key }},
        asked.day,
        asked.known_at,
        asked.loaded_as_of,
        sum(case when days.day >= {{ add_days('asked.day', '-7') }} then days.payments else 0 end) as payments_7d,
        sum(case when days.day >= {{ add_days('asked.day', '-30') }} then days.payments else 0 end) as payments_30d,
        sum(case when days.day >= {{ add_days('asked.day', '-30') }} then days.amount else 0 end) as amount_30d,
        sum(days.payments) as payments_90d,
        sum(days.chargebacks) as chargebacks_90d
    from (
        select
            questions.*,
            {{ thirty_days('questions.day') }} - spans.back as span
        from (
            select distinct
                {{ key }},
                cast(paid_at as date) as day,
                known_at,
                payment_loaded_as_of as loaded_as_of
            from {{ asked }}
        ) as questions
        cross join (
            select 0 as back
            union all
            select 1 as back
            union all
            select 2 as back
            union all
            select 3 as back
        ) as spans
    ) as asked
    inner join {{ days }} as days
        on
            asked.{{ key }} = days.{{ key }}
            and asked.span = days.span
            and asked.day > days.day
            and {{ add_days('asked.day', '-90') }} <= days.day
            and asked.known_at >= days.known_at
            and asked.loaded_as_of >= days.loaded_as_of
    group by asked.{{ key }}, asked.day, asked.known_at, asked.loaded_as_of
{% endmacro %}

{# Whether an earlier payment was made at about the same hour of the day: at most three apart, around midnight too. #}
{% macro hours_apart() -%}
    abs(extract(hour from earlier_paid_at) - extract(hour from paid_at)) not between 4 and 20
{%- endmacro %}

{# A sum of money by a number of rows; null where there are none. #}
{% macro mean_of(amount, rows) -%}
    cast({{ amount }} as {{ type_of('double') }}) / nullif(cast({{ rows }} as {{ type_of('double') }}), 0)
{%- endmacro %}

{# Days from a time to the payment, whole seconds as fractions. #}
{% macro days_since(time) -%}
    cast({{ seconds_between('payments.paid_at', time) }} as {{ type_of('double') }}) / 86400
{%- endmacro %}

{# A number of rows, 0 where there are none. #}
{% macro none_is_zero(value) -%} cast(coalesce({{ value }}, 0) as {{ type_of('n') }}) {%- endmacro %}

{# 1 or 0; null where it is not known. #}
{% macro one_or_zero(condition) -%}
    cast(case when {{ condition }} then 1 when not ({{ condition }}) then 0 end as {{ type_of('n') }})
{%- endmacro %}

{# The share of earlier payments that were charged back, drawn towards 1 in 200 where there are few. #}
{% macro chargeback_rate(chargebacks, payments) -%}
    (cast(coalesce({{ chargebacks }}, 0) as {{ type_of('double') }}) + cast(0.1 as {{ type_of('double') }}))
        / cast(coalesce({{ payments }}, 0) + 20 as {{ type_of('double') }})
{%- endmacro %}
