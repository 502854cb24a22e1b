"""Histograms of a night: counted by SQL where the rows lie, kept as counts, so that no row is copied.

A number's bin is its power of two, as in the sketches of Masson et al. 2019: it needs no edges from a reference, is the
same on every night and in every currency, and two nights' counts add up. A text's bin is the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from pipelines.home import Home
from pipelines.monitoring.watched import INPUTS, PREDICTIONS, Watched
from pipelines.publishing.manifest import output_files
from pipelines.publishing.release import scores_of
from pipelines.records import Row, feature_histograms
from pipelines.warehouse import Session

DAY = timedelta(days=1)
NIGHTS = 112  # that a night is judged by: eight weeks, each of whose nights is judged by eight weeks
LEAST_ROWS = 50  # of a segment on a night; fewer say nothing about its shares
MOST_BINS = 200  # kept of a feature on a night; the least frequent go to OTHER
NULL, OTHER = "null", "other"
ROWS = "rows"  # the feature and the bin that count a table's rows


def write_input_histograms(home: Home, session: Session, as_of: date) -> int:
    """Count tonight's rows, and those of the nights before that nobody has counted; returns the rows kept of tonight.

    A night's rows became known on it and never change, so whichever night counts them counts the same.
    """
    kept = feature_histograms.c
    counted = sa.select(kept.as_of).where(kept.feature == f"{INPUTS[0].table}.{ROWS}", kept.as_of < as_of).distinct()
    known = {row["as_of"] for row in home.records.rows(counted)}
    nights = [as_of - n * DAY for n in range(NIGHTS, -1, -1)]
    nights = [night for night in nights if night not in known]
    found = count_inputs(session, nights)
    tables = [kept.feature.startswith(f"{watched.table}.") for watched in INPUTS]
    home.records.replace(feature_histograms, found, kept.as_of.in_(nights) & sa.or_(*tables))
    return sum(row["as_of"] == as_of for row in found)


def write_prediction_histograms(home: Home, as_of: date) -> None:
    """Count the night's scored rows; nothing of an output that is skipped."""
    scores, found = scores_of(home, as_of), list[Row]()
    for watched in PREDICTIONS:
        if files := output_files(home, scores)[watched.table]:
            found += count_scored(watched, files, as_of, scores[watched.outputs[0]].model_version or "")
    kept = feature_histograms.c
    tables = [kept.feature.startswith(f"{watched.table}.") for watched in PREDICTIONS]
    home.records.replace(feature_histograms, found, (kept.as_of == as_of) & sa.or_(*tables))


def count_inputs(session: Session, nights: Sequence[date]) -> list[Row]:
    """The histograms of what these nights, in order, brought."""
    found: list[Row] = []
    for watched in INPUTS:
        counts = session.read(histogram_sql(watched, nights[0] - DAY, nights[-1]))
        found += histogram_rows(watched, counts, nights)
    return found


def count_scored(watched: Watched, files: Sequence[Path], as_of: date, model_version: str) -> list[Row]:
    """The histograms of one scored table."""
    with duckdb.connect(":memory:") as connection:
        connection.read_parquet([str(file) for file in files]).create_view(watched.table)
        counts = connection.sql(histogram_sql(watched, as_of - DAY, as_of)).to_arrow_table()
    return [row | {"model_version": model_version} for row in histogram_rows(watched, counts, [as_of])]


def histogram_sql(watched: Watched, since: date, until: date) -> str:
    """Rows by night, feature, segment and bin; the segments of 50 or more rows of a night."""
    rows = watched.sql.replace("{since}", str(since)).replace("{until}", str(until))
    bins = [f"{_power(name)} as {name}_bin" for name in watched.numbers]
    bins += [f"coalesce(cast({name} as varchar), '{NULL}') as {name}_bin" for name in watched.texts]
    kept = ["night", *bins, *(f"cast({name} as varchar) as {name}" for name in watched.segments)]
    with_clauses = [f"night_rows as materialized (select {', '.join(kept)} from ({rows}) as found)"]
    counted = [
        f"select night, '{ROWS}' as feature, '' as segment, '{ROWS}' as bin, count(*) as n from night_rows "
        "group by night"
    ]
    columns = watched.numbers + watched.texts
    counted += [_counted(name, "''", "night_rows") for name in columns]
    for segment in watched.segments:
        with_clauses.append(
            f"of_{segment} as (select night, {segment} from night_rows where {segment} is not null "
            f"group by night, {segment} having count(*) >= {LEAST_ROWS})"
        )
        label, relation = f"'{segment}=' || {segment}", f"night_rows inner join of_{segment} using (night, {segment})"
        counted += [_counted(name, label, relation) for name in columns if name != segment]
    return f"with {', '.join(with_clauses)} {' union all '.join(counted)}"


def _counted(name: str, segment: str, relation: str) -> str:
    return (
        f"select night, '{name}' as feature, {segment} as segment, {name}_bin as bin, count(*) as n "
        f"from {relation} group by 1, 3, 4"
    )


def _power(name: str) -> str:
    """The power of two below a number, with its sign; what is beyond 10 to the 30th is that."""
    size = f"least(abs(cast({name} as float8)), 1e30)"
    power = f"cast(cast(floor(ln({size}) / ln(2.0) + 1e-9) as integer) as varchar)"
    return (
        f"case when {name} is null then '{NULL}' when {size} < 1e-30 then '0' "
        f"when {name} < 0 then '-2^' || {power} else '2^' || {power} end"
    )


def histogram_rows(watched: Watched, counts: pa.Table, nights: Sequence[date]) -> list[Row]:
    """The counts as they are kept: one row a night and feature, and a table's rows on nights without any."""
    found: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for row in counts.to_pylist():
        name = f"{watched.table}.{row['feature']}" + (f":{row['segment']}" if row["segment"] else "")
        found[row["night"], name][row["bin"]] = row["n"]
    for night in nights:
        found.setdefault((night, f"{watched.table}.{ROWS}"), {ROWS: 0})
    asked = set(nights)
    return [
        {"as_of": night, "feature": name, "model_version": "", "counts": _most(bins)}
        for (night, name), bins in sorted(found.items())
        if night in asked
    ]


def _most(bins: dict[str, int]) -> dict[str, int]:
    """The most frequent bins, the others together."""
    ordered = sorted(bins, key=lambda name: (-bins[name], name))
    rest = sum(bins[name] for name in ordered[MOST_BINS:])
    kept = {name: bins[name] for name in ordered[:MOST_BINS]}
    return kept | ({OTHER: kept.get(OTHER, 0) + rest} if rest else {})
