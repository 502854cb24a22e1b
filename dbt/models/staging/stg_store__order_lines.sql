select
    order_id,
    line_number,
    product_id,
    quantity,
    unit_price,
    cast(coalesce(discount, 0) as {{ type_of('money') }}) as discount,
    cast(quantity * unit_price - coalesce(discount, 0) as {{ type_of('money') }}) as revenue,
    dt,
    known_at,
    loaded_as_of
from {{ source('store', 'order_lines') }}
