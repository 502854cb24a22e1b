select
    return_id,
    order_id,
    customer_id,
    product_id,
    quantity,
    returned_at,
    cast(returned_at as date) as day,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'returns') }}
