"""The records: ledger, nights, steps, champions, decisions, promotions, releases; their tables."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from pipelines.metering import Usage

metadata = sa.MetaData()
Row = dict[str, Any]
ALL = "all"
"""The segment of every entity, in `promotions` and `model_performance`; others are named like history=few."""
LEFT_OUT = "left_out"
"""The role of a contestant that could not be judged, in `promotions`; the reason says why."""


TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")  # in order of its bytes everywhere


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    for column in columns:
        if type(column.type) is sa.String:
            column.type = TEXT
    return sa.Table(name, metadata, *columns)


partitions = _table(  # the ledger: one row a content of a partition that was loaded
    "partitions",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("loaded_as_of", sa.Date, primary_key=True),  # the night that loaded it
    sa.Column("content_digest", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),  # names, sizes and times of its files
    sa.Column("known_at", sa.Date, nullable=False),
    sa.Column("is_history", sa.Boolean, nullable=False),
    sa.Column("is_late", sa.Boolean, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("bad_rows", sa.Integer, nullable=False),
)
nights = _table(
    "nights",
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("loaded_at", sa.DateTime),  # null: what came in has not been loaded
    sa.Column("built_at", sa.DateTime),  # null: features have not been built
)


def _usage() -> list[sa.Column[Any]]:
    """The columns of `metering.Usage`."""
    kinds = {"bytes_read": sa.BigInteger, "bytes_written": sa.BigInteger}
    return [sa.Column(one.name, kinds.get(one.name, sa.Float)) for one in fields(Usage)]


steps = _table(
    "steps",
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("step", sa.String, primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),  # running, done, failed
    sa.Column("started_at", sa.DateTime, nullable=False),
    *_usage(),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.String),
    sa.Column("hint", sa.String),
    sa.Column("exit_code", sa.Integer),
)
acceptances = _table(
    "acceptances",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("content_digest", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("accepted_at", sa.DateTime, nullable=False),
)
quarantine_counts = _table(
    "quarantine_counts",
    sa.Column("entity", sa.String, primary_key=True),
    sa.Column("rule", sa.String, primary_key=True),
    sa.Column("dt", sa.Date, primary_key=True),
    sa.Column("loaded_as_of", sa.Date, primary_key=True),
    sa.Column("night", sa.Date, nullable=False),  # the first night that could have known the rows
    sa.Column("rows", sa.Integer, nullable=False),
)
champions = _table(
    "champions",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("output", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("model_version", sa.String, nullable=False),  # <model>-<first 12 digits of the content digest>
    sa.Column("trained_as_of", sa.Date, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
decisions = _table(  # of the gate: one row a training of an output
    "decisions",
    sa.Column("output", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("challenger", sa.String, nullable=False),  # the best contestant; the baseline where none was judged
    sa.Column("model_version", sa.String, nullable=False),  # the challenger's, or of the baseline in its place
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("against", sa.String),  # the champion; the baseline where there was none
    sa.Column("role", sa.String),  # champion or baseline; null: nothing was compared
    sa.Column("gain", sa.Float),  # relative; above 0 the challenger is better
    sa.Column("ci_low", sa.Float),
    sa.Column("ci_high", sa.Float),
    sa.Column("is_promoted", sa.Boolean, nullable=False),
    sa.Column("effective_from", sa.Date),  # the night from which model_version serves; null: the champion stays
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("worst_segment", sa.String),  # where the gain over `against` is least
    sa.Column("worst_gain", sa.Float),
    sa.Column("worst_ci_low", sa.Float),
    sa.Column("worst_ci_high", sa.Float),
    sa.Column("below_floor", sa.String),  # like `wape of product=new`; null: the floor holds
    sa.Column("figures", sa.JSON, nullable=False),  # every comparison, as in gate.json
)
promotions = _table(
    "promotions",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("output", sa.String, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("challenger", sa.String, nullable=False),
    sa.Column("against", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),  # champion, baseline, runner_up, contestant or left_out
    sa.Column("segment", sa.String, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("gain", sa.Float),  # relative; above 0 the challenger is better
    sa.Column("ci_low", sa.Float),
    sa.Column("ci_high", sa.Float),
    sa.Column("is_promoted", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("decided_at", sa.DateTime, nullable=False),
)
training_costs = _table(
    "training_costs",
    sa.Column("output", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("part", sa.String, primary_key=True),  # like `evaluate popular_recent`, `fit ease`; all: the whole
    *_usage(),
)
model_performance = _table(
    "model_performance",
    sa.Column("output", sa.String, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("model_version", sa.String, primary_key=True),
    sa.Column("metric", sa.String, primary_key=True),
    sa.Column("segment", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("ci_low", sa.Float),
    sa.Column("ci_high", sa.Float),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("labels_mature_until", sa.Date, nullable=False),
    sa.Column("kind", sa.String, primary_key=True),  # offline or realised
)
data_drift = _table(
    "data_drift",
    sa.Column("feature", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("statistic", sa.String, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("threshold", sa.Float),
    sa.Column("alarm", sa.Boolean, nullable=False),
)
feature_histograms = _table(  # what drift is found in: counts, never rows
    "feature_histograms",
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("feature", sa.String, primary_key=True),  # <table>.<column>, with :<segment>=<value> of a segment
    sa.Column("model_version", sa.String, nullable=False),  # of predictions; empty: an input
    sa.Column("counts", sa.JSON, nullable=False),  # per bin
)
releases = _table(
    "releases",
    sa.Column("release_id", sa.String, primary_key=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("published_at", sa.DateTime, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),  # published, superseded, rolled_back
    sa.Column("rows", sa.JSON, nullable=False),  # per table
    sa.Column("model_versions", sa.JSON, nullable=False),  # per output
    sa.Column("snapshot_digests", sa.JSON, nullable=False),
    sa.Column("skipped", sa.JSON, nullable=False),  # per output, the reason
    sa.Column("inputs_digest", sa.String, nullable=False),  # settings and code
)
pointer = _table(
    "pointer",
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("release_id", sa.String, nullable=False),
    sa.Column("is_rollback", sa.Boolean, nullable=False),
)


def clock() -> datetime:
    """When something ran, UTC: a record, never an output."""
    return datetime.now(UTC).replace(tzinfo=None)
