select
    payment_id,
    reported_at,
    reason,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'chargebacks') }}
