{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_loaded_after() }}'
) }}

with

all_payments as (select * from {{ ref('int_payments') }}),

all_customers as (select * from {{ ref('stg_store__customers') }}),

all_orders as (select * from {{ ref('stg_store__orders') }}),

all_lines as (select * from {{ ref('stg_store__order_lines') }}),

all_products as (select * from {{ ref('stg_store__products') }}),

all_returns as (select * from {{ ref('stg_store__returns') }}),

-- what is known of a payment by then never changes: the features are built once
payments as (
    select all_payments.*
    from all_payments
    {% if is_incremental() %}
    left join {{ this }} as built on all_payments.payment_id = built.payment_id
    where built.payment_id is null
    {% endif %}
),

-- only what speaks of them is looked at
payers as (select distinct customer_id from payments),

order_ids as (select distinct order_id from payments),

customers as (
    select all_customers.*
    from all_customers
    inner join payers on all_customers.customer_id = payers.customer_id
),

customer_spans as (
    {{ version_spans('customers', ['customer_id']) }}
),

accounts as (
    select
        payments.payment_id,
        customer_spans.signed_up_at
    from payments
    inner join customer_spans
        on
            payments.customer_id = customer_spans.customer_id
            and payments.paid_at > customer_spans.signed_up_at
            and {{ known_to_payment('customer_spans') }}
),

orders as (
    select all_orders.*
    from all_orders
    inner join order_ids on all_orders.order_id = order_ids.order_id
),

order_spans as (
    {{ version_spans('orders', ['order_id']) }}
),

-- the order that is paid; a store may place it at the very moment of the payment
paid_orders as (
    select
        payments.payment_id,
        payments.order_id,
        payments.known_at,
        payments.payment_loaded_as_of,
        order_spans.ship_country
    from payments
    inner join order_spans
        on
            payments.order_id = order_spans.order_id
            and payments.paid_at >= order_spans.ordered_at
            and {{ known_to_payment('order_spans') }}
),

lines as (
    select all_lines.*
    from all_lines
    inner join order_ids on all_lines.order_id = order_ids.order_id
),

line_spans as (
    {{ version_spans('lines', ['order_id', 'line_number']) }}
),

first_products as (
    select
        product_id,
        min(known_at) as known_at,
        min(loaded_as_of) as loaded_as_of
    from all_products
    group by product_id
),

-- a line is known when it, its order and its product are
baskets as (
    select
        payments.payment_id,
        count(*) as order_lines,
        sum(line_spans.quantity) as order_units,
        max(line_spans.unit_price) as most_expensive_unit_price
    from paid_orders as payments
    inner join line_spans on payments.order_id = line_spans.order_id and {{ known_to_payment('line_spans') }}
    inner join first_products
        on
            line_spans.product_id = first_products.product_id
            and payments.known_at >= first_products.known_at
            and payments.payment_loaded_as_of >= first_products.loaded_as_of
    group by payments.payment_id
),

returned as (
    select distinct all_returns.return_id
    from all_returns
    inner join payers on all_returns.customer_id = payers.customer_id
),

returns as (
    select all_returns.*
    from all_returns
    inner join returned on all_returns.return_id = returned.return_id
),

return_spans as (
    {{ version_spans('returns', ['return_id']) }}
),

customer_returns as (
    select
        payments.payment_id,
        count(*) as customer_returns_90d
    from payments
    inner join return_spans
        on
            payments.customer_id = return_spans.customer_id
            and payments.paid_at > return_spans.returned_at
            and payments.paid_at - interval '90 days' <= return_spans.returned_at
            and {{ known_to_payment('return_spans') }}
    group by payments.payment_id
),

by_customer as (
    {%- call earlier_payments('customer_id', 'customer', [1, 7, 30]) %}
        sum(case when {{ paid_within(30) }} then earlier.amount end) as customer_amount_30d,
        sum(earlier.amount) as customer_amount_before,
        max(earlier.paid_at) as customer_last_paid_at,
        count(case when earlier.device_id = payments.device_id then 1 end) as payments_with_device,
        count(case when earlier.card_token = payments.card_token then 1 end) as payments_with_card,
    {%- endcall %}
),

by_device as (
    {%- call earlier_payments('device_id', 'device', [1, 7, 30], 30) %}{% endcall %}
),

by_card as (
    {%- call earlier_payments('card_token', 'card', [1, 7, 30], 30) %}{% endcall %}
),

by_ip as (
    {%- call earlier_payments('ip_address', 'ip', [1, 7], 7) %}{% endcall %}
),

by_ip_prefix as (
    {%- call earlier_payments('ip_prefix', 'ip_prefix', [7]) %}{% endcall %}
),

payment_features as (
    select
        payments.payment_id,
        cast(payments.known_at as date) as as_of,
        payments.order_id,
        payments.customer_id,
        payments.paid_at,
        payments.known_at,
        cast(payments.amount as {{ type_of('double') }}) as amount,
        cast(extract(hour from payments.paid_at) as {{ type_of('n') }}) as hour_of_day,
        {{ day_of_week('payments.paid_at') }} as day_of_week,
        cast(
            {{ days_between('cast(payments.paid_at as date)', 'cast(accounts.signed_up_at as date)') }}
            as {{ type_of('n') }}
        ) as account_age_days,
        cast(baskets.order_lines as {{ type_of('n') }}) as order_lines,
        cast(baskets.order_units as {{ type_of('n') }}) as order_units,
        cast(baskets.most_expensive_unit_price as {{ type_of('double') }}) as most_expensive_unit_price,
        {{ one_or_zero('payments.customer_id is null') }} as is_guest,
        {{ one_or_zero('payments.ip_country <> payments.billing_country') }} as ip_country_differs,
        {{ one_or_zero('paid_orders.ship_country <> payments.billing_country') }} as ship_country_differs,
        {{ none_is_zero('by_customer.customer_payments_1d') }} as customer_payments_1d,
        {{ none_is_zero('by_customer.customer_payments_7d') }} as customer_payments_7d,
        {{ none_is_zero('by_customer.customer_payments_30d') }} as customer_payments_30d,
        cast(coalesce(by_customer.customer_amount_30d, 0) as {{ type_of('double') }}) as customer_amount_30d,
        {{ none_is_zero('by_customer.customer_payments_before') }} as customer_payments_before,
        cast(payments.amount as {{ type_of('double') }})
        * cast(by_customer.customer_payments_before as {{ type_of('double') }})
        / nullif(cast(by_customer.customer_amount_before as {{ type_of('double') }}), 0) as amount_over_usual,
        cast(
            {{ seconds_between('payments.paid_at', 'by_customer.customer_last_paid_at') }} as {{ type_of('double') }}
        ) / 86400 as days_since_customer_paid,
        {{ none_is_zero('by_device.device_payments_1d') }} as device_payments_1d,
        {{ none_is_zero('by_device.device_payments_7d') }} as device_payments_7d,
        {{ none_is_zero('by_device.device_payments_30d') }} as device_payments_30d,
        {{ none_is_zero('by_device.device_customers_30d') }} as device_customers_30d,
        case
            when payments.customer_id is not null and payments.device_id is not null
                then {{ one_or_zero('coalesce(by_customer.payments_with_device, 0) = 0') }}
        end as is_device_new_to_customer,
        {{ none_is_zero('by_card.card_payments_1d') }} as card_payments_1d,
        {{ none_is_zero('by_card.card_payments_7d') }} as card_payments_7d,
        {{ none_is_zero('by_card.card_payments_30d') }} as card_payments_30d,
        {{ none_is_zero('by_card.card_customers_30d') }} as card_customers_30d,
        case
            when payments.customer_id is not null and payments.card_token is not null
                then {{ one_or_zero('coalesce(by_customer.payments_with_card, 0) = 0') }}
        end as is_card_new_to_customer,
        {{ none_is_zero('by_ip.ip_payments_1d') }} as ip_payments_1d,
        {{ none_is_zero('by_ip.ip_payments_7d') }} as ip_payments_7d,
        {{ none_is_zero('by_ip.ip_customers_7d') }} as ip_customers_7d,
        {{ none_is_zero('by_ip_prefix.ip_prefix_payments_7d') }} as ip_prefix_payments_7d,
        {{ none_is_zero('customer_returns.customer_returns_90d') }} as customer_returns_90d,
        {{ none_is_zero('by_customer.customer_chargebacks') }} as customer_chargebacks,
        {{ none_is_zero('by_device.device_chargebacks') }} as device_chargebacks,
        {{ none_is_zero('by_card.card_chargebacks') }} as card_chargebacks,
        {{ none_is_zero('by_ip_prefix.ip_prefix_chargebacks') }} as ip_prefix_chargebacks,
        {{ chargeback_rate('by_device.device') }} as device_chargeback_rate,
        {{ chargeback_rate('by_card.card') }} as card_chargeback_rate,
        {{ chargeback_rate('by_ip_prefix.ip_prefix') }} as ip_prefix_chargeback_rate,
        payments.payment_loaded_as_of as loaded_as_of
    from payments
    left join accounts on payments.payment_id = accounts.payment_id
    left join paid_orders on payments.payment_id = paid_orders.payment_id
    left join baskets on payments.payment_id = baskets.payment_id
    left join customer_returns on payments.payment_id = customer_returns.payment_id
    left join by_customer on payments.payment_id = by_customer.payment_id
    left join by_device on payments.payment_id = by_device.payment_id
    left join by_card on payments.payment_id = by_card.payment_id
    left join by_ip on payments.payment_id = by_ip.payment_id
    left join by_ip_prefix on payments.payment_id = by_ip_prefix.payment_id
)

select * from payment_features
