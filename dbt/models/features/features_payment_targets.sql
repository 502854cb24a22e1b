with

fit_cutoffs as (
    {{ dates_of('payment_fit_cutoffs', 'known_as_of') }}
),

payments as (select * from {{ ref('int_payments') }}),

targets as (
    select
        fit_cutoffs.known_as_of,
        payments.payment_id,
        coalesce(payments.chargeback_known_at <= fit_cutoffs.known_as_of, false) as is_fraud,
        payments.paid_at
        <= {{ add_days('fit_cutoffs.known_as_of', '-' ~ given('label_maturity_days')) }} as is_mature
    from payments
    inner join fit_cutoffs on payments.known_at <= fit_cutoffs.known_as_of
    {{ where_first_known('payments.known_at', 'risk_judged') }}
)

select * from targets
