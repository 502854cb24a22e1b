{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_loaded_after('payment_id', [ref('stg_store__payments'), ref('stg_store__chargebacks')]) }}"
) }}

with

all_payments as (select * from {{ ref('stg_store__payments') }}),

chargebacks as (select * from {{ ref('stg_store__chargebacks') }}),

orders as (select * from {{ ref('stg_store__orders') }}),

-- a payment of which something new is known was forgotten before, so that all that are not here are to be built
{% if is_incremental() %}
payments as (
    select all_payments.*
    from all_payments
    left join {{ this }} as built on all_payments.payment_id = built.payment_id
    where built.payment_id is null
),
{% else %}
payments as (select * from all_payments),
{% endif %}

first_payments as (
    select *
    from (
        select
            *,
            row_number() over (partition by payment_id order by known_at asc, dt desc) as place
        from payments
    ) as versions
    where place = 1
),

first_chargebacks as (
    select *
    from (
        select
            chargebacks.payment_id,
            chargebacks.reported_at,
            chargebacks.known_at,
            chargebacks.loaded_as_of,
            row_number() over (
                partition by chargebacks.payment_id order by chargebacks.known_at asc, chargebacks.dt desc
            ) as place
        from chargebacks
        inner join first_payments on chargebacks.payment_id = first_payments.payment_id
    ) as versions
    where place = 1
),

-- who ordered, as known when the payment became known
buyers as (
    select *
    from (
        select
            first_payments.payment_id,
            orders.customer_id,
            row_number() over (
                partition by first_payments.payment_id order by orders.dt desc, orders.known_at desc
            ) as place
        from first_payments
        inner join orders
            on first_payments.order_id = orders.order_id and first_payments.known_at >= orders.known_at
        where first_payments.customer_id is null
    ) as versions
    where place = 1
),

known_payments as (
    select
        first_payments.payment_id,
        first_payments.order_id,
        coalesce(first_payments.customer_id, buyers.customer_id) as customer_id,
        first_payments.paid_at,
        first_payments.amount,
        first_payments.method,
        first_payments.card_token,
        first_payments.device_id,
        first_payments.ip_address,
        first_payments.ip_prefix,
        first_payments.ip_country,
        first_payments.billing_country,
        first_payments.known_at,
        first_chargebacks.reported_at as chargeback_reported_at,
        first_chargebacks.known_at as chargeback_known_at,
        first_payments.loaded_as_of as payment_loaded_as_of,
        first_chargebacks.loaded_as_of as chargeback_loaded_as_of,
        greatest(
            first_payments.loaded_as_of, coalesce(first_chargebacks.loaded_as_of, first_payments.loaded_as_of)
        ) as loaded_as_of
    from first_payments
    left join buyers on first_payments.payment_id = buyers.payment_id
    left join first_chargebacks on first_payments.payment_id = first_chargebacks.payment_id
)

select * from known_payments
