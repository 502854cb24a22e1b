select
    customer_id,
    signed_up_at,
    country,
    updated_at,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'customers') }}
