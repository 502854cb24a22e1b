select
    ticket_id,
    resolved_at,
    intent,
    urgency,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'ticket_resolutions') }}
