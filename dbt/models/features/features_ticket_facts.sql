with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

all_tickets as (select * from {{ ref('stg_store__tickets') }}),

open_tickets as (select * from {{ ref('features_tickets') }}),

replies as (select * from {{ ref('features_ticket_replies') }}),

all_orders as (select * from {{ ref('stg_store__orders') }}),

all_lines as (select * from {{ ref('stg_store__order_lines') }}),

all_products as (select * from {{ ref('stg_store__products') }}),

all_returns as (select * from {{ ref('stg_store__returns') }}),

-- those that are open, and those whose answers may be taken over
tonight as (
    select ticket_id
    from spanned_tickets
    where
        known_from <= {{ as_of() }}
        and known_to > {{ as_of() }}
        and resolved_at is null
    union
    select ticket_id from replies
),

versions_of_tickets as (
    select all_tickets.*
    from all_tickets
    inner join tonight on all_tickets.ticket_id = tonight.ticket_id
),

told as (
    {{ valid_version('versions_of_tickets', ['ticket_id'], as_of()) }}
),

-- where a ticket names no order, the one that its text names
tickets as (
    select
        told.ticket_id,
        told.customer_id,
        coalesce(told.order_id, replies.order_id, open_tickets.order_id) as order_id
    from told
    left join replies on told.ticket_id = replies.ticket_id
    left join open_tickets on told.ticket_id = open_tickets.ticket_id
),

versions_of_orders as (
    select all_orders.*
    from all_orders
    inner join (select distinct order_id from tickets) as wanted on all_orders.order_id = wanted.order_id
),

orders as (
    {{ valid_version('versions_of_orders', ['order_id'], as_of()) }}
),

-- the order that the ticket is about, only where it is of the customer who asks: who asks is not guessed from the order
owned as (
    select
        tickets.ticket_id,
        orders.order_id,
        orders.customer_id,
        orders.status,
        orders.currency,
        orders.ordered_at
    from tickets
    inner join orders on tickets.order_id = orders.order_id and tickets.customer_id = orders.customer_id
    where orders.ordered_at < {{ as_of() }}
),

versions_of_lines as (
    select all_lines.*
    from all_lines
    inner join (select distinct order_id from owned) as wanted on all_lines.order_id = wanted.order_id
),

lines as (
    {{ valid_version('versions_of_lines', ['order_id', 'line_number'], as_of()) }}
),

products as (
    {{ valid_version('all_products', ['product_id'], as_of()) }}
),

bought as (
    select
        lines.order_id,
        lines.product_id,
        min(lines.line_number) as line_number,
        min(products.title) as title,
        sum(lines.quantity) as quantity,
        case when min(lines.unit_price) = max(lines.unit_price) then min(lines.unit_price) end as unit_price,
        sum(lines.revenue) as revenue
    from lines
    inner join products on lines.product_id = products.product_id
    group by lines.order_id, lines.product_id
),

versions_of_returns as (
    select *
    from all_returns
    where return_id in (
        select spoken_of.return_id
        from all_returns as spoken_of
        inner join owned on spoken_of.order_id = owned.order_id
    )
),

returns as (
    {{ valid_version('versions_of_returns', ['return_id'], as_of()) }}
),

came_back as (
    select
        owned.ticket_id,
        returns.product_id,
        sum(returns.quantity) as returned_units,
        max(returns.returned_at) as returned_at
    from owned
    inner join returns
        on
            owned.order_id = returns.order_id
            and (returns.customer_id is null or owned.customer_id = returns.customer_id)
    where returns.returned_at < {{ as_of() }}
    group by owned.ticket_id, returns.product_id
),

facts as (
    select
        owned.ticket_id,
        owned.order_id,
        owned.status,
        owned.currency,
        owned.ordered_at,
        bought.product_id,
        bought.line_number,
        bought.title,
        cast(bought.quantity as {{ type_of('n') }}) as quantity,
        cast(bought.unit_price as {{ type_of('money') }}) as unit_price,
        cast(bought.revenue as {{ type_of('money') }}) as revenue,
        cast(came_back.returned_units as {{ type_of('n') }}) as returned_units,
        came_back.returned_at
    from owned
    left join bought on owned.order_id = bought.order_id
    left join came_back on owned.ticket_id = came_back.ticket_id and bought.product_id = came_back.product_id
)

select * from facts
