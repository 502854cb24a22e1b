select
    payment_id,
    order_id,
    customer_id,
    paid_at,
    amount,
    method,
    card_token,
    device_id,
    ip_address,
    ip_prefix,
    ip_country,
    billing_country,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'payments') }}
