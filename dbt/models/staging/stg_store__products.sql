select
    product_id,
    title,
    category,
    brand,
    unit_price,
    unit_cost,
    is_active,
    lead_time_days,
    order_multiple,
    updated_at,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'products') }}
