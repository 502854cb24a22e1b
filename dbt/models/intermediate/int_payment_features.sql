{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_payments() }}'
) }}
{%- set charged_back = {
    'customer': 'customer_id', 'device': 'device_id', 'card': 'card_token', 'ip_prefix': 'ip_prefix'
} %}

with

known_payments as (
    select
        *,
        ip_country || ' > ' || billing_country as country_pair
    from {{ ref('int_payments') }}
),

all_customers as (select * from {{ ref('stg_store__customers') }}),

all_orders as (select * from {{ ref('stg_store__orders') }}),

all_products as (select * from {{ ref('int_payment_products') }}),

all_returns as (select * from {{ ref('stg_store__returns') }}),

-- what is known of a payment by then never changes: the features are built once, of a long history part by part
payments as (
    select known_payments.*
    from known_payments
    {% if is_incremental() %}
    left join {{ this }} as built on known_payments.payment_id = built.payment_id
    {% endif %}
    where
        known_payments.known_at <= {{ payments_until() }}
    {%- if is_incremental() %}
        and built.payment_id is null
        {%- endif %}
),

-- the ones that they are compared with one by one
all_payments as (
    select *
    from known_payments
    where
        paid_at >= (select min(payments.paid_at) from payments) - interval '365 days'
        and paid_at < (select max(payments.paid_at) from payments)
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

paid_orders as ({{ paid_orders() }}),

products as (
    select
        all_products.*,
        payments.customer_id,
        payments.paid_at,
        payments.known_at,
        payments.payment_loaded_as_of
    from all_products
    inner join payments on all_products.payment_id = payments.payment_id
),

asked_products as (select distinct product_id from products),

-- what counts by day: paid, or reported, within ninety days
lately as (
    select *
    from known_payments
    where
        paid_at < (select max(payments.paid_at) from payments)
        and (
            paid_at >= (select min(payments.paid_at) from payments) - interval '91 days'
            or chargeback_reported_at >= (select min(payments.paid_at) from payments) - interval '91 days'
        )
),

products_paid as (
    select
        all_products.product_id,
        lately.amount,
        lately.paid_at,
        lately.known_at,
        lately.payment_loaded_as_of,
        lately.chargeback_reported_at,
        lately.chargeback_known_at,
        lately.chargeback_loaded_as_of
    from lately
    inner join all_products on lately.payment_id = all_products.payment_id
    inner join asked_products on all_products.product_id = asked_products.product_id
),

product_days as ({{ counts_by_day('products_paid', 'product_id', 'products') }}),

product_sums as ({{ sums_of_days('product_days', 'product_id', 'products') }}),

payers_products as (
    select
        all_products.product_id,
        all_payments.customer_id,
        all_payments.paid_at,
        all_payments.known_at,
        all_payments.payment_loaded_as_of
    from all_payments
    inner join payers on all_payments.customer_id = payers.customer_id
    inner join all_products on all_payments.payment_id = all_products.payment_id
),

bought_before as (
    select distinct
        products.payment_id,
        products.product_id
    from products
    inner join payers_products
        on
            products.customer_id = payers_products.customer_id
            and products.product_id = payers_products.product_id
            and products.paid_at > payers_products.paid_at
            and products.paid_at - interval '365 days' <= payers_products.paid_at
            and products.known_at >= payers_products.known_at
            and products.payment_loaded_as_of >= payers_products.payment_loaded_as_of
),

baskets as (
    select
        products.payment_id,
        sum(products.order_lines) as order_lines,
        sum(products.order_units) as order_units,
        max(products.most_expensive_unit_price) as most_expensive_unit_price,
        count(*) as products,
        count(bought_before.product_id) as products_bought_before,
        min(coalesce(product_sums.payments_7d, 0)) as product_payments_7d,
        min(coalesce(product_sums.payments_30d, 0)) as product_payments_30d,
        max(
            {{ chargeback_rate('product_sums.chargebacks_90d', 'product_sums.payments_90d') }}
        ) as product_chargeback_rate_90d
    from products
    left join bought_before
        on products.payment_id = bought_before.payment_id and products.product_id = bought_before.product_id
    left join product_sums
        on
            products.product_id = product_sums.product_id
            and cast(products.paid_at as date) = product_sums.day
            and products.known_at = product_sums.known_at
            and products.payment_loaded_as_of = product_sums.loaded_as_of
    group by products.payment_id
),

country_pair_days as ({{ counts_by_day('lately', 'country_pair', 'payments') }}),

country_pair_sums as ({{ sums_of_days('country_pair_days', 'country_pair', 'payments') }}),

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
        sum(case when {{ paid_within(1) }} then earlier_amount end) as customer_amount_1d,
        sum(case when {{ paid_within(7) }} then earlier_amount end) as customer_amount_7d,
        sum(case when {{ paid_within(30) }} then earlier_amount end) as customer_amount_30d,
        max(case when {{ paid_within(7) }} then earlier_amount end) as highest_amount_7d,
        sum(earlier_amount) as customer_amount_before,
        count(case when reported_at is null then 1 end) as unreported,
        sum(case when reported_at is null then earlier_amount end) as unreported_amount,
        sum(case when reported_at is null then earlier_amount * earlier_amount end) as unreported_square,
        max(case when reported_at is null then earlier_amount end) as highest_amount,
        count(case when {{ hours_apart() }} then 1 end) as payments_at_hour,
        count(case when earlier_device_id = device_id then 1 end) as payments_with_device,
        count(case when earlier_card_token = card_token then 1 end) as payments_with_card,
    {%- endcall %}
),

by_device as (
    {%- call earlier_payments('device_id', 'device', [1, 7, 30], 30) %}
        sum(case when {{ paid_within(7) }} then earlier_amount end) as device_amount_7d,
        sum(case when {{ paid_within(30) }} then earlier_amount end) as device_amount_30d,
        sum(case when reported_at is null then earlier_amount end) as unreported_amount,
        count(case when reported_at is null then 1 end) as unreported,
    {%- endcall %}
),

by_card as (
    {%- call earlier_payments('card_token', 'card', [1, 7, 30], 30) %}
        sum(case when {{ paid_within(30) }} then earlier_amount end) as card_amount_30d,
    {%- endcall %}
),

by_ip as (
    {%- call earlier_payments('ip_address', 'ip', [1, 7, 30], 7) %}{% endcall %}
),

by_ip_prefix as (
    {%- call earlier_payments('ip_prefix', 'ip_prefix', [1, 7, 30]) %}{% endcall %}
),

{% for name, key in charged_back.items() -%}
charged_back_{{ name }} as (
    select payments.*
    from payments
    inner join by_{{ name }} on payments.payment_id = by_{{ name }}.payment_id
    where by_{{ name }}.last_fraud_at is not null
),

{{ name }}_streaks as (
    {{ fraud_streaks(key, name) }}
),

{% endfor -%}
-- what the customer is used to pay, without what is known as fraud
means as (
    select
        payment_id,
        cast(highest_amount as {{ type_of('double') }}) as highest_amount,
        {{ mean_of('unreported_amount', 'unreported') }} as mean_amount,
        {{ mean_of('unreported_square', 'unreported') }} as mean_square
    from by_customer
    where unreported > 0
),

habits as (
    select
        *,
        greatest(mean_square - mean_amount * mean_amount, 0) as variance
    from means
),

payment_features as (
    select
        payments.payment_id,
        cast(payments.known_at as date) as as_of,
        payments.order_id,
        payments.customer_id,
        payments.paid_at,
        payments.known_at,
        payments.billing_country,
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
        cast(coalesce(by_customer.customer_amount_1d, 0) as {{ type_of('double') }}) as customer_amount_1d,
        cast(coalesce(by_customer.customer_amount_7d, 0) as {{ type_of('double') }}) as customer_amount_7d,
        cast(coalesce(by_customer.customer_amount_30d, 0) as {{ type_of('double') }}) as customer_amount_30d,
        {{ none_is_zero('by_customer.customer_payments_before') }} as customer_payments_before,
        cast(payments.amount as {{ type_of('double') }})
        * cast(by_customer.customer_payments_before as {{ type_of('double') }})
        / nullif(cast(by_customer.customer_amount_before as {{ type_of('double') }}), 0) as amount_over_usual,
        cast(payments.amount as {{ type_of('double') }}) / nullif(habits.highest_amount, 0) as amount_over_highest,
        (cast(payments.amount as {{ type_of('double') }}) - habits.mean_amount)
        / nullif(sqrt(habits.variance + habits.mean_amount * habits.mean_amount / 100), 0) as amount_deviation,
        habits.highest_amount as customer_highest_amount,
        habits.mean_amount as customer_mean_amount,
        sqrt(habits.variance) as customer_amount_deviation,
        {{ mean_of('by_customer.customer_amount_7d', 'by_customer.customer_payments_7d') }}
        / nullif(habits.mean_amount, 0) as customer_recent_over_usual,
        cast(by_customer.highest_amount_7d as {{ type_of('double') }})
        / nullif(habits.mean_amount, 0) as customer_highest_over_usual_7d,
        cast(by_customer.payments_at_hour as {{ type_of('double') }})
        / cast(by_customer.customer_payments_before as {{ type_of('double') }}) as customer_hour_share,
        cast(baskets.products - baskets.products_bought_before as {{ type_of('double') }})
        / cast(baskets.products as {{ type_of('double') }}) as products_new_to_customer_share,
        {{ days_since('by_customer.last_paid_at') }} as days_since_customer_paid,
        {{ none_is_zero('by_device.device_payments_1d') }} as device_payments_1d,
        {{ none_is_zero('by_device.device_payments_7d') }} as device_payments_7d,
        {{ none_is_zero('by_device.device_payments_30d') }} as device_payments_30d,
        {{ none_is_zero('by_device.device_customers_30d') }} as device_customers_30d,
        {{ mean_of('by_device.device_amount_30d', 'by_device.device_payments_30d') }} as device_mean_amount_30d,
        {{ mean_of('by_device.device_amount_7d', 'by_device.device_payments_7d') }}
        / nullif({{ mean_of('by_device.unreported_amount', 'by_device.unreported') }}, 0) as device_recent_over_usual,
        {{ days_since('by_device.first_paid_at') }} as device_age_days,
        case
            when payments.customer_id is not null and payments.device_id is not null
                then {{ one_or_zero('coalesce(by_customer.payments_with_device, 0) = 0') }}
        end as is_device_new_to_customer,
        {{ none_is_zero('by_card.card_payments_1d') }} as card_payments_1d,
        {{ none_is_zero('by_card.card_payments_7d') }} as card_payments_7d,
        {{ none_is_zero('by_card.card_payments_30d') }} as card_payments_30d,
        {{ none_is_zero('by_card.card_customers_30d') }} as card_customers_30d,
        {{ mean_of('by_card.card_amount_30d', 'by_card.card_payments_30d') }} as card_mean_amount_30d,
        {{ days_since('by_card.first_paid_at') }} as card_age_days,
        case
            when payments.customer_id is not null and payments.card_token is not null
                then {{ one_or_zero('coalesce(by_customer.payments_with_card, 0) = 0') }}
        end as is_card_new_to_customer,
        {{ none_is_zero('by_ip.ip_payments_1d') }} as ip_payments_1d,
        {{ none_is_zero('by_ip.ip_payments_7d') }} as ip_payments_7d,
        {{ none_is_zero('by_ip.ip_payments_30d') }} as ip_payments_30d,
        {{ none_is_zero('by_ip.ip_customers_7d') }} as ip_customers_7d,
        {{ none_is_zero('by_ip_prefix.ip_prefix_payments_1d') }} as ip_prefix_payments_1d,
        {{ none_is_zero('by_ip_prefix.ip_prefix_payments_7d') }} as ip_prefix_payments_7d,
        {{ none_is_zero('by_ip_prefix.ip_prefix_payments_30d') }} as ip_prefix_payments_30d,
        {{ none_is_zero('country_pair_sums.payments_7d') }} as country_pair_payments_7d,
        {{ none_is_zero('country_pair_sums.payments_30d') }} as country_pair_payments_30d,
        {{ mean_of('country_pair_sums.amount_30d', 'country_pair_sums.payments_30d') }} as country_pair_mean_amount_30d,
        {{ chargeback_rate('country_pair_sums.chargebacks_90d', 'country_pair_sums.payments_90d') }}
            as country_pair_chargeback_rate_90d,
        cast(baskets.product_payments_7d as {{ type_of('n') }}) as product_payments_7d,
        cast(baskets.product_payments_30d as {{ type_of('n') }}) as product_payments_30d,
        baskets.product_chargeback_rate_90d,
        {{ none_is_zero('customer_returns.customer_returns_90d') }} as customer_returns_90d,
        {% for name in charged_back -%}
        {{ fraud_features(name) }},
        {% endfor -%}
        payments.payment_loaded_as_of as loaded_as_of
    from payments
    left join accounts on payments.payment_id = accounts.payment_id
    left join paid_orders on payments.payment_id = paid_orders.payment_id
    left join baskets on payments.payment_id = baskets.payment_id
    left join customer_returns on payments.payment_id = customer_returns.payment_id
    left join country_pair_sums
        on
            payments.country_pair = country_pair_sums.country_pair
            and cast(payments.paid_at as date) = country_pair_sums.day
            and payments.known_at = country_pair_sums.known_at
            and payments.payment_loaded_as_of = country_pair_sums.loaded_as_of
    left join habits on payments.payment_id = habits.payment_id
    left join by_customer on payments.payment_id = by_customer.payment_id
    left join by_device on payments.payment_id = by_device.payment_id
    left join by_card on payments.payment_id = by_card.payment_id
    left join by_ip on payments.payment_id = by_ip.payment_id
    {% for name in charged_back -%}
    left join {{ name }}_streaks on payments.payment_id = {{ name }}_streaks.payment_id
    {% endfor -%}
    left join by_ip_prefix on payments.payment_id = by_ip_prefix.payment_id
)

select * from payment_features
