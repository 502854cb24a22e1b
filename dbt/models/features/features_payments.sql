with

payments as (
    select
        payment_id,
        as_of,
        order_id,
        customer_id,
        paid_at,
        known_at,
        amount,
        hour_of_day,
        day_of_week,
        account_age_days,
        order_lines,
        order_units,
        most_expensive_unit_price,
        is_guest,
        ip_country_differs,
        ship_country_differs,
        customer_payments_1d,
        customer_payments_7d,
        customer_payments_30d,
        customer_amount_30d,
        customer_payments_before,
        amount_over_usual,
        days_since_customer_paid,
        device_payments_1d,
        device_payments_7d,
        device_payments_30d,
        device_customers_30d,
        is_device_new_to_customer,
        card_payments_1d,
        card_payments_7d,
        card_payments_30d,
        card_customers_30d,
        is_card_new_to_customer,
        ip_payments_1d,
        ip_payments_7d,
        ip_customers_7d,
        ip_prefix_payments_7d,
        customer_returns_90d,
        customer_chargebacks,
        device_chargebacks,
        card_chargebacks,
        ip_prefix_chargebacks,
        device_chargeback_rate,
        card_chargeback_rate,
        ip_prefix_chargeback_rate
    from {{ ref('int_payment_features') }}
    where
        known_at <= {{ as_of() }}
        {% if given('events') == 'tonight' -%}
        and known_at > {{ add_days(as_of(), '-' ~ given('payment_days')) }}
        {%- endif %}
)

select * from payments
