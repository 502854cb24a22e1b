select
    ticket_id,
    message_number,
    author,
    sent_at,
    body,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'ticket_messages') }}
