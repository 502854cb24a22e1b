"""Every dataset beyond the contract: layer, grain, key, owner and one sentence. `docs/data_flow.md` is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Layer(StrEnum):
    """Where a dataset lives, in the order data walks."""

    RAW = "raw"
    INTERMEDIATE = "intermediate"
    FEATURES = "features"
    MARTS = "marts"
    OUTPUT = "output"
    RECORDS = "records"


@dataclass(frozen=True)
class Dataset:
    """One dataset. `columns` is given for what is published, so that an empty table is typed too."""

    name: str
    layer: Layer
    grain: str
    key: tuple[str, ...]
    owner: str
    doc: str
    columns: tuple[tuple[str, pa.DataType], ...] = ()
    output: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of a published table, without release_id and as_of."""
        return pa.schema(self.columns)

    @property
    def column_names(self) -> list[str]:
        """The names of the published columns."""
        return [name for name, _ in self.columns]


TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "n": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "flag": pa.bool_(),
    "money": pa.decimal128(18, 4),
    "ts": pa.timestamp("us"),
}


def _columns(spec: str) -> tuple[tuple[str, pa.DataType], ...]:
    """Columns from `name type, name type`."""
    return tuple((name, TYPES[kind]) for name, kind in (column.split() for column in spec.split(", ")))


DBT, SCORING, PUBLISHING, TRAINING = "dbt", "pipelines.scoring", "pipelines.publishing", "pipelines.training"

INTERMEDIATE = (
    Dataset(
        "int_order_lines_changes",
        Layer.INTERMEDIATE,
        "order line x known day",
        ("order_id", "line_number", "known_at", "sign"),
        DBT,
        "Signed changes of order lines: what became known of a line on a day is added, what it replaced is taken away.",
    ),
    Dataset(
        "int_product_days",
        Layer.INTERMEDIATE,
        "product x day x known day",
        ("product_id", "day", "known_at"),
        DBT,
        "Signed daily sums of units, revenue and lines; any as_of sums what was known by then.",
    ),
    Dataset(
        "int_product_days_spanned",
        Layer.INTERMEDIATE,
        "product x day x span of time",
        ("product_id", "day", "known_from"),
        DBT,
        "Each product-day's sums with the span of time in which they were what was known: no as_of needs to sum again.",
    ),
    Dataset(
        "int_empty_shelf_days",
        Layer.INTERMEDIATE,
        "product x day x known day x night",
        ("product_id", "day", "known_at", "loaded_as_of"),
        DBT,
        "Signed changes of which days closed with an empty shelf; any as_of sums what was known by then.",
    ),
    Dataset(
        "int_out_of_stock_days",
        Layer.INTERMEDIATE,
        "product x day x known_as_of",
        ("known_as_of", "product_id", "day"),
        DBT,
        "Days on which a product could not be sold, as known at each cut-off; none if the store sells without stock.",
    ),
    Dataset(
        "int_customer_product_days",
        Layer.INTERMEDIATE,
        "buyer x product x day x known day",
        ("product_id", "day", "buyer_id", "is_guest", "known_at"),
        DBT,
        "Signed changes of who bought what on which day: orders with net units, and whether the buyer bought at all.",
    ),
    Dataset(
        "int_demand_scope",
        Layer.INTERMEDIATE,
        "product x as_of",
        ("as_of", "product_id"),
        DBT,
        "Products whose demand is forecast as of each cut-off: on sale, and sold within a year or new.",
    ),
    Dataset(
        "int_order_lines_waiting",
        Layer.INTERMEDIATE,
        "order line",
        ("order_id", "line_number"),
        DBT,
        "Lines known tonight whose order or product is not known yet: they wait, and are counted.",
    ),
    Dataset(
        "int_payments",
        Layer.INTERMEDIATE,
        "payment",
        ("payment_id",),
        DBT,
        "Payments as they were first known, who paid, and when a chargeback became known.",
    ),
    Dataset(
        "int_payment_products",
        Layer.INTERMEDIATE,
        "payment x product",
        ("payment_id", "product_id"),
        DBT,
        "What each payment is for, as known when the payment became known.",
    ),
    Dataset(
        "int_payment_features",
        Layer.INTERMEDIATE,
        "payment",
        ("payment_id",),
        DBT,
        "Each payment's features as of the payment itself, built once, when the payment becomes known.",
    ),
    Dataset(
        "int_returns_days",
        Layer.INTERMEDIATE,
        "product x day x known day",
        ("product_id", "day", "known_at"),
        DBT,
        "Signed daily sums of units returned; any as_of sums what was known by then.",
    ),
    Dataset(
        "int_tickets",
        Layer.INTERMEDIATE,
        "ticket x span of time",
        ("ticket_id", "known_from"),
        DBT,
        "Tickets and their resolution with the span of time in which they were what was known.",
    ),
)
FEATURES = (
    Dataset(
        "features_demand_products",
        Layer.FEATURES,
        "product x as_of",
        ("as_of", "product_id"),
        DBT,
        "Products whose demand is forecast, with their windows of units, age, price and category as of the cut-off.",
    ),
    Dataset(
        "features_demand_periods",
        Layer.FEATURES,
        "product x as_of x period back",
        ("as_of", "product_id", "periods_ago"),
        DBT,
        "Units, revenue and days out of stock of each past period as known at the cut-off; none of them, no row.",
    ),
    Dataset(
        "features_demand_targets",
        Layer.FEATURES,
        "product x as_of x horizon x known_as_of",
        ("known_as_of", "as_of", "product_id", "horizon"),
        DBT,
        "Units and days out of stock of each period after a cut-off, as known later: to train on, or to judge by.",
    ),
    Dataset(
        "features_product_popularity",
        Layer.FEATURES,
        "product x as_of x days ago",
        ("as_of", "product_id", "days_ago"),
        DBT,
        "Distinct buyers (guest orders count one each) of each product on each of the last 365 days.",
    ),
    Dataset(
        "features_customer_products",
        Layer.FEATURES,
        "customer x product x as_of",
        ("as_of", "customer_id", "product_id"),
        DBT,
        "What each customer bought up to the cut-off, how often, how often lately, and when first and last.",
    ),
    Dataset(
        "features_segment_popularity",
        Layer.FEATURES,
        "country and channel x product",
        ("country", "channel", "product_id"),
        DBT,
        "Distinct buyers of each product in the last 91 days, by country of delivery, by channel, and by both.",
    ),
    Dataset(
        "features_customer_orders",
        Layer.FEATURES,
        "customer x as_of",
        ("as_of", "customer_id"),
        DBT,
        "What each customer ordered in the 28 days before, by which the arms of the release of that time are compared.",
    ),
    Dataset(
        "features_customers",
        Layer.FEATURES,
        "customer x as_of",
        ("as_of", "customer_id"),
        DBT,
        "Country and channel of each customer's last order as known at the cut-off: segments that lists are judged on.",
    ),
    Dataset(
        "features_exposure",
        Layer.FEATURES,
        "shown release x customer x as_of",
        ("as_of", "shown_release_id", "customer_id"),
        DBT,
        "Impressions and clicks of the 28 days before that name the release which was shown.",
    ),
    Dataset(
        "features_products",
        Layer.FEATURES,
        "product x as_of",
        ("as_of", "product_id"),
        DBT,
        "Products known at the cut-off, what was paid for them, and whether they are on sale.",
    ),
    Dataset(
        "features_recommendation_targets",
        Layer.FEATURES,
        "customer x product x as_of x known_as_of",
        ("known_as_of", "as_of", "customer_id", "product_id"),
        DBT,
        "What each customer bought in the 28 days after a cut-off, as known later: to train on, or to judge by.",
    ),
    Dataset(
        "features_stock",
        Layer.FEATURES,
        "product x as_of",
        ("as_of", "product_id"),
        DBT,
        "The latest stock of each product that is known at the cut-off.",
    ),
    Dataset(
        "features_payments",
        Layer.FEATURES,
        "payment",
        ("payment_id",),
        DBT,
        "Payments with their features as of the payment itself: those a night scores, or all that a training knows.",
    ),
    Dataset(
        "features_payment_targets",
        Layer.FEATURES,
        "payment x known_as_of",
        ("known_as_of", "payment_id"),
        DBT,
        "Whether a payment was charged back and its label has matured, as known later: to train on, or to judge by.",
    ),
    Dataset(
        "features_tickets",
        Layer.FEATURES,
        "ticket",
        ("ticket_id",),
        DBT,
        "Tickets with the customer's messages as of a night: tonight's for open ones, each one's first to train on.",
    ),
    Dataset(
        "features_ticket_targets",
        Layer.FEATURES,
        "ticket x known_as_of",
        ("known_as_of", "ticket_id"),
        DBT,
        "What a ticket turned out to be about and how urgent it was, as known later: to train on, or to judge by.",
    ),
    Dataset(
        "features_ticket_replies",
        Layer.FEATURES,
        "ticket",
        ("ticket_id",),
        DBT,
        "The last answer of each ticket resolved in the last year, as known tonight; of an intent the latest 2,000.",
    ),
    Dataset(
        "features_ticket_facts",
        Layer.FEATURES,
        "ticket x product",
        ("ticket_id", "product_id"),
        DBT,
        "For answers alone: what is known tonight of the order a ticket is about, where it is the customer's own.",
    ),
    Dataset(
        "features_ticket_products",
        Layer.FEATURES,
        "ticket",
        ("ticket_id",),
        DBT,
        "Tickets of the last 34 weeks with the product they are about and, once resolved, their intent.",
    ),
)
MARTS = (
    Dataset(
        "dim_products",
        Layer.MARTS,
        "product",
        ("product_id",),
        DBT,
        "Products as known tonight.",
        _columns(
            "product_id text, title text, category text, brand text, unit_price money, unit_cost money, "
            "is_active flag, lead_time_days n, order_multiple n, first_sold_on date, last_sold_on date"
        ),
    ),
    Dataset(
        "dim_customers",
        Layer.MARTS,
        "customer",
        ("customer_id",),
        DBT,
        "Customers as known tonight, without personal data.",
        _columns(
            "customer_id text, country text, signed_up_at ts, first_ordered_on date, last_ordered_on date, orders n"
        ),
    ),
    Dataset(
        "fct_daily_sales",
        Layer.MARTS,
        "product x day",
        ("product_id", "day"),
        DBT,
        "Units ordered, not cancelled, and revenue after discount, by product and day, as known tonight.",
        _columns("product_id text, day date, units n, revenue money, order_lines n"),
    ),
)
OUTPUT_TABLES = (
    Dataset(
        "recommendations",
        Layer.OUTPUT,
        "customer x rank",
        ("customer_id", "rank"),
        SCORING,
        "What to show each customer with a known order line tomorrow.",
        _columns(
            "customer_id text, rank n, product_id text, score float, reason text, reason_product_id text, "
            "arm text, model_version text"
        ),
        output="recommendations",
    ),
    Dataset(
        "recommendations_default",
        Layer.OUTPUT,
        "segment x rank",
        ("country", "channel", "rank"),
        SCORING,
        "What a customer without history, or an anonymous one, is shown.",
        _columns("country text, channel text, rank n, product_id text, score float"),
        output="recommendations",
    ),
    Dataset(
        "demand_forecasts",
        Layer.OUTPUT,
        "product x period",
        ("product_id", "horizon"),
        SCORING,
        "Units that each active product will sell in each coming period, as mean and quantiles.",
        _columns(
            "product_id text, period_start date, horizon n, units_mean float, units_p10 float, "
            "units_p50 float, units_p90 float, model_version text"
        ),
        output="demand",
    ),
    Dataset(
        "reorder_plan",
        Layer.OUTPUT,
        "product",
        ("product_id",),
        SCORING,
        "How many units of each product to order tonight, and why.",
        _columns(
            "product_id text, on_hand n, on_order n, lead_time_days n, reorder_point n, order_quantity n, "
            "stockout_probability float, expected_cost float, reason text"
        ),
        output="demand",
    ),
    Dataset(
        "demand_totals",
        Layer.OUTPUT,
        "category and total x period",
        ("level", "key", "horizon"),
        SCORING,
        "Units that each category and the whole store will sell in each coming period.",
        _columns(
            "level text, key text, period_start date, horizon n, units_mean float, units_p10 float, "
            "units_p50 float, units_p90 float"
        ),
        output="demand",
    ),
    Dataset(
        "risk_flags",
        Layer.OUTPUT,
        "payment",
        ("payment_id",),
        SCORING,
        "How likely each new payment is to be charged back, why, and what to do about it. People review in the order "
        "of review_rank, by what a review is expected to save. A reason is `feature: sentence`, null where fewer raise "
        "the risk.",
        _columns(
            "payment_id text, order_id text, fraud_probability float, expected_loss float, decision text, "
            "review_rank n, reason_1 text, reason_2 text, reason_3 text, model_version text"
        ),
        output="risk",
    ),
    Dataset(
        "ticket_triage",
        Layer.OUTPUT,
        "open ticket",
        ("ticket_id",),
        SCORING,
        "What each open ticket is about, how urgent it is, whether a person must look, and an answer to start from.",
        _columns(
            "ticket_id text, intent text, intent_probability float, urgency text, urgency_reason text, "
            "needs_human flag, suggested_reply text, reply_source_ticket_id text, model_version text"
        ),
        output="support",
    ),
    Dataset(
        "ticket_trends",
        Layer.OUTPUT,
        "product x intent x week",
        ("product_id", "intent", "week_start"),
        SCORING,
        "Tickets by product, intent and week, and what rose beyond its usual range.",
        _columns(
            "product_id text, intent text, week_start date, tickets n, usual_low float, usual_high float, "
            "is_unusual flag"
        ),
        output="support",
    ),
)
RECORD_TABLES = (
    Dataset(
        "releases",
        Layer.RECORDS,
        "release",
        ("release_id",),
        PUBLISHING,
        "Every release of every night: when it was published, what is in it and what was skipped.",
        _columns(
            "release_id text, as_of date, published_at ts, attempt n, status text, rows text, "
            "model_versions text, snapshot_digests text, skipped text"
        ),
    ),
    Dataset(
        "champions",
        Layer.RECORDS,
        "decision",
        ("output", "effective_from", "model_version"),
        TRAINING,
        "Which model serves each output from which night on, who decided and why.",
        _columns("output text, model_version text, effective_from date, decided_by text, reason text"),
    ),
    Dataset(
        "decisions",
        Layer.RECORDS,
        "output x night trained as of",
        ("output", "as_of"),
        TRAINING,
        "What the gate decided after each training, promoted or refused, and why: the challenger's gain over the "
        "champion, or where there was none over the baseline; the segment where it is least; what is below the floor "
        "beyond doubt; all figures, as JSON. model_version serves from effective_from on (null: the champion stays); "
        "it is the baseline's where that serves in the challenger's place.",
        _columns(
            "output text, as_of date, challenger text, model_version text, metric text, against text, role text, "
            "gain float, ci_low float, ci_high float, is_promoted flag, effective_from date, decided_by text, "
            "reason text, worst_segment text, worst_gain float, worst_ci_low float, worst_ci_high float, "
            "below_floor text, figures text"
        ),
    ),
    Dataset(
        "promotions",
        Layer.RECORDS,
        "decision x opponent x segment x metric",
        ("output", "as_of", "challenger", "against", "segment", "metric"),
        TRAINING,
        "The figures of `decisions` in long form: the challenger's gain with its interval, over champion and baseline, "
        "which decide where the segment is all, and over other contestants; also on segments of 50 or more, like "
        "history=few. left_out: it could not be judged.",
        _columns(
            "output text, as_of date, challenger text, against text, role text, segment text, metric text, "
            "gain float, ci_low float, ci_high float, is_promoted flag, reason text"
        ),
    ),
    Dataset(
        "quarantine_counts",
        Layer.RECORDS,
        "entity x rule x night",
        ("entity", "rule", "night"),
        "pipelines.validate",
        "Rows kept out of the warehouse, by rule and by the first night that could have known them.",
        _columns("entity text, rule text, night date, rows n"),
    ),
    Dataset(
        "model_performance",
        Layer.RECORDS,
        "output x model x metric x segment x night x kind",
        ("output", "model_version", "metric", "segment", "as_of", "kind"),
        "pipelines.monitoring",
        "How well each model did on the future of its training data (offline), and how what it published came true "
        "(realised), with intervals; also on segments of 50 or more. A metric in _new is of what was new to "
        "the customer; arm_, added_ and lift_ compare those shown the model's lists with the hold-out.",
        _columns(
            "output text, model text, model_version text, metric text, segment text, as_of date, "
            "value float, ci_low float, ci_high float, n n, labels_mature_until date, kind text"
        ),
    ),
    Dataset(
        "data_drift",
        Layer.RECORDS,
        "feature x night",
        ("feature", "as_of"),
        "pipelines.monitoring",
        "How far each input, prediction and volume of a night lies from what is usual, like "
        "features_payments.amount:billing_country=GB or orders.rows; an alarm is a value above its threshold.",
        _columns("feature text, as_of date, statistic text, value float, threshold float, alarm flag"),
    ),
)
DATASETS: dict[str, Dataset] = {
    dataset.name: dataset for dataset in INTERMEDIATE + FEATURES + MARTS + OUTPUT_TABLES + RECORD_TABLES
}
PUBLISHED: tuple[Dataset, ...] = OUTPUT_TABLES + MARTS + RECORD_TABLES
