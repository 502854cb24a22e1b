select
    customer_id,
    signed_up_at,
    country,
    updated_at,
    dt,
    known_at
from {{ source('store', 'customers') }}
