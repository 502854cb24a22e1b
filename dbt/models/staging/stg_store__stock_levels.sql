select
    product_id,
    as_of_date,
    on_hand,
    on_order,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'stock_levels') }}
