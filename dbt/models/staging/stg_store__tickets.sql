select
    ticket_id,
    customer_id,
    order_id,
    opened_at,
    channel,
    subject,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'tickets') }}
