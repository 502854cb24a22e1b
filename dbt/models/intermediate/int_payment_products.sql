{{ config(
    materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_loaded_after() }}'
) }}

with

all_payments as (select * from {{ ref('int_payments') }}),

all_orders as (select * from {{ ref('stg_store__orders') }}),

all_lines as (select * from {{ ref('stg_store__order_lines') }}),

all_products as (select * from {{ ref('stg_store__products') }}),

-- what a payment was known to pay for never changes: it is read once
payments as (
    select *
    from all_payments
    {% if is_incremental() %}
    where payment_loaded_as_of > {{ loaded_after() }}
    {% endif %}
),

order_ids as (select distinct order_id from payments),

orders as (
    select all_orders.*
    from all_orders
    inner join order_ids on all_orders.order_id = order_ids.order_id
),

order_spans as (
    {{ version_spans('orders', ['order_id']) }}
),

paid_orders as ({{ paid_orders() }}),

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
payment_products as (
    select
        payments.payment_id,
        line_spans.product_id,
        count(*) as order_lines,
        sum(line_spans.quantity) as order_units,
        max(line_spans.unit_price) as most_expensive_unit_price,
        min(payments.payment_loaded_as_of) as loaded_as_of
    from paid_orders as payments
    inner join line_spans on payments.order_id = line_spans.order_id and {{ known_to_payment('line_spans') }}
    inner join first_products
        on
            line_spans.product_id = first_products.product_id
            and payments.known_at >= first_products.known_at
            and payments.payment_loaded_as_of >= first_products.loaded_as_of
    group by payments.payment_id, line_spans.product_id
)

select * from payment_products
