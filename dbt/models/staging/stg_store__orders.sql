select
    order_id,
    customer_id,
    ordered_at,
    cast(ordered_at as date) as day,
    status,
    status = 'cancelled' as is_cancelled,
    ship_country,
    channel,
    currency,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'orders') }}
