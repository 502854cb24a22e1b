with

spanned_tickets as (select * from {{ ref('int_tickets') }}),

messages as (select * from {{ ref('stg_store__ticket_messages') }}),

linked_tickets as (select * from {{ ref('features_tickets') }}),

order_lines as (select * from {{ ref('stg_store__order_lines') }}),

products as (select * from {{ ref('stg_store__products') }}),

tickets as (
    select
        spanned_tickets.ticket_id,
        coalesce(spanned_tickets.order_id, linked_tickets.order_id) as order_id,
        spanned_tickets.opened_at,
        spanned_tickets.subject,
        spanned_tickets.intent,
        {{ as_of() }} as as_of
    from spanned_tickets
    left join linked_tickets on spanned_tickets.ticket_id = linked_tickets.ticket_id
    where
        spanned_tickets.known_from <= {{ as_of() }}
        and spanned_tickets.known_to > {{ as_of() }}
        and spanned_tickets.opened_at < {{ as_of() }}
        and spanned_tickets.opened_at >= {{ add_days(as_of(), -238) }}
),

-- what their orders held, as known tonight
versions_of_lines as (
    select
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        row_number() over (
            partition by order_lines.order_id, order_lines.line_number
            order by order_lines.dt desc, order_lines.known_at desc
        ) as newest
    from order_lines
    inner join (select distinct order_id from tickets) as orders_of_tickets
        on order_lines.order_id = orders_of_tickets.order_id
    where order_lines.known_at <= {{ as_of() }}
),

ordered_products as (
    select distinct
        order_id,
        product_id
    from versions_of_lines
    where newest = 1
),

products_of_orders as (
    select
        order_id,
        product_id,
        count(*) over (partition by order_id) as products_of_order
    from ordered_products
),

versions_of_products as (
    select
        products.product_id,
        products.title,
        row_number() over (
            partition by products.product_id order by products.dt desc, products.known_at desc
        ) as newest
    from products
    inner join (select distinct product_id from ordered_products) as products_of_tickets
        on products.product_id = products_of_tickets.product_id
    where products.known_at <= {{ as_of() }}
),

known_messages as (
    {{ messages_known('tickets', 'as_of') }}
),

threads as (
    {{ customer_texts() }}
),

-- the only product of the order, else the one with the longest title that the customer names
candidates as (
    select
        tickets.ticket_id,
        products_of_orders.product_id,
        row_number() over (
            partition by tickets.ticket_id
            order by char_length(versions_of_products.title) desc, products_of_orders.product_id
        ) as place
    from tickets
    inner join products_of_orders on tickets.order_id = products_of_orders.order_id
    left join versions_of_products
        on products_of_orders.product_id = versions_of_products.product_id and versions_of_products.newest = 1
    left join threads on tickets.ticket_id = threads.ticket_id
    where
        products_of_orders.products_of_order = 1
        or position(
            lower(versions_of_products.title)
            in lower(coalesce(tickets.subject, '') || chr(10) || coalesce(threads.customer_text, ''))
        ) > 0
),

tickets_with_products as (
    select
        tickets.ticket_id,
        candidates.product_id,
        tickets.opened_at,
        tickets.intent
    from tickets
    left join candidates on tickets.ticket_id = candidates.ticket_id and candidates.place = 1
)

select * from tickets_with_products
