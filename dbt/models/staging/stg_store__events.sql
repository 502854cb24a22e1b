select
    event_id,
    customer_id,
    session_id,
    product_id,
    kind,
    occurred_at,
    cast(occurred_at as date) as day,
    placement,
    release_id,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'events') }}
