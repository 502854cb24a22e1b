{%- set segments = [('country', "''"), ("''", 'channel'), ('country', 'channel')] -%}

with

line_changes as (select * from {{ ref('int_order_lines_changes') }}),

orders as (
    select * from {{ ref('stg_store__orders') }}
    where day >= {{ add_days(as_of(), -91) }} and day < {{ as_of() }}
),

valid_orders as (
    {{ valid_version('orders', ['order_id'], as_of()) }}
),

order_units as (
    select
        order_id,
        product_id,
        sum(sign * quantity) as units
    from line_changes
    where known_at <= {{ as_of() }} and day < {{ as_of() }} and day >= {{ add_days(as_of(), -91) }}
    group by order_id, product_id
),

bought as (
    select
        order_units.product_id,
        coalesce(valid_orders.customer_id, valid_orders.order_id) as buyer_id,
        coalesce(valid_orders.ship_country, '') as country,
        coalesce(valid_orders.channel, '') as channel
    from order_units
    inner join valid_orders on order_units.order_id = valid_orders.order_id
    where order_units.units > 0
),

segment_bought as (
    {%- for country, channel in segments %}
    select
        {{ country }} as country,
        {{ channel }} as channel,
        product_id,
        buyer_id
    from bought
    where {{ [country, channel] | reject('equalto', "''") | join(" <> '' and ") }} <> ''
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

segment_customers as (
    select
        country,
        channel,
        count(distinct buyer_id) as customers
    from segment_bought
    group by country, channel
),

popularity as (
    select
        country,
        channel,
        product_id,
        count(distinct buyer_id) as customers
    from segment_bought
    group by country, channel, product_id
),

segment_popularity as (
    select
        {{ as_of() }} as as_of,
        popularity.country,
        popularity.channel,
        popularity.product_id,
        cast(popularity.customers as {{ type_of('n') }}) as customers,
        cast(segment_customers.customers as {{ type_of('n') }}) as segment_customers
    from popularity
    inner join segment_customers
        on popularity.country = segment_customers.country and popularity.channel = segment_customers.channel
)

select * from segment_popularity
