"""Audit: what would be published, checked before any reader sees it. One broken rule and nothing is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import sqlalchemy as sa

from pipelines.catalog import MARTS, OUTPUT_TABLES, Dataset
from pipelines.errors import StorageFault, UsageFault
from pipelines.home import Home
from pipelines.publishing.audit_rules import AT_CUTOFFS, FEATURES_READ, RULES, Rule
from pipelines.publishing.audit_suites import suite_failures
from pipelines.publishing.failure import SAMPLES, Failure, fault_of
from pipelines.publishing.manifest import (
    digests_of,
    output_files,
    read_manifest,
    rows_of,
    snapshot_files,
    write_manifest,
)
from pipelines.publishing.release import Scored, last_release, manifest_key, scores_of
from pipelines.records import Row, acceptances, clock
from pipelines.scoring.recommendations import rules_of
from pipelines.warehouse.duckdb import MEMORY_LIMIT

MIN_VOLUME_RATIO = 0.5  # of the rows in the last release
MIN_VOLUME_ROWS = 20  # rows in the last release from which volumes are compared
OF_EVENTS = (
    "risk_flags",
    "ticket_triage",
    "ticket_trends",
)  # a row for each of what came in: how much that is, is the store's affair

Files = Mapping[str, Sequence[Path]]


def audit(home: Home, as_of: date) -> Row:
    """Check the night's release: suites, keys, coverage, references, dates and volumes.

    Raises:
        AuditFault: a rule is broken; the error lists table, rule, number of rows and three of them.
        NightcartError: an output was not scored from tonight's inputs.
    """
    scores = scores_of(home, as_of)
    outputs = output_files(home, scores)
    files = {dataset.name: snapshot_files(home, as_of, dataset.name) for dataset in MARTS} | outputs
    features = {name: snapshot_files(home, as_of, name) for name in FEATURES_READ}
    rules = [rule for rule in RULES if rule.output is None or not scores[rule.output].why_skipped(rule.table)]
    failures = [failure for dataset in OUTPUT_TABLES for failure in _type_failures(dataset, outputs[dataset.name])]
    if not failures:  # what follows needs the right columns
        least = _least_rows(scores, features)
        for dataset in OUTPUT_TABLES:
            failures += _suite_failures(home, dataset, outputs[dataset.name], least.get(dataset.name, 0))
        failures += _rule_failures(home, as_of, scores, rules, files | features)
        failures += _volume_failures(home, as_of, scores)
    release_id = next(iter(scores.values())).release_id
    if failures:
        raise fault_of(as_of, release_id, failures)
    manifest = write_manifest(home, as_of, scores)
    return {
        "release_id": release_id,
        "rows": rows_of(manifest),
        "digests": digests_of(manifest),
        "rules": len(rules),
        "skipped": manifest["skipped"],
    }


def accept(home: Home, table: str, as_of: date, reason: str) -> None:
    """Let the night's few rows of an output table through, on record.

    Raises:
        UsageFault: it is no output table.
    """
    names = [dataset.name for dataset in OUTPUT_TABLES]
    if table not in names:
        raise UsageFault(f"there is no output table {table}", f"the output tables are {', '.join(names)}")
    row = {"entity": table, "dt": as_of, "content_digest": "", "reason": reason, "accepted_at": clock()}
    home.records.replace(acceptances, [row], _accepted(table, as_of))


def _least_rows(scores: Mapping[str, Scored], features: Files) -> dict[str, int]:
    """1 where a row is due: nine of ten expectations pass on an empty table. Coverage has its own rules."""
    rows = {name: sum(pq.read_metadata(file).num_rows for file in files) for name, files in features.items()}
    return {
        "recommendations": int(rows["features_customer_products"] > 0 and not scores["recommendations"].unserved),
        "recommendations_default": int(rows["features_customer_products"] > 0),
        "demand_forecasts": int(rows["features_demand_products"] > 0),
        "risk_flags": int(rows["features_payments"] > 0),
        "ticket_triage": int(rows["features_tickets"] > 0),
    }


def _suite_failures(home: Home, dataset: Dataset, files: Sequence[Path], least_rows: int) -> list[Failure]:
    settings = home.settings
    parameters = {"top_k": settings.recommendations.top_k, "horizon": settings.demand.horizon, "least_rows": least_rows}
    return [failure for file in files for failure in suite_failures(dataset, file, parameters)]


def _type_failures(dataset: Dataset, files: Sequence[Path]) -> list[Failure]:
    """Columns that are not as the catalogue types them."""
    expected = [f"{field.name} {field.type}" for field in dataset.schema]
    failures = []
    for file in files:
        try:
            found = [f"{field.name} {field.type}" for field in pq.read_schema(file)]
        except (OSError, ValueError) as error:
            raise StorageFault(f"{file} is no Parquet file: {error}", f"score {dataset.output} again") from error
        broken = [name for name in found if name not in expected]
        broken += [f"no {name}" for name in expected if name not in found]
        if broken:
            rule = "columns as the catalogue types them"
            failures.append(Failure(dataset.name, rule, len(broken), tuple(broken[:SAMPLES])))
    return failures


def _volume_failures(home: Home, as_of: date, scores: Mapping[str, Scored]) -> list[Failure]:
    """Tables with less than half of the rows of the last release, where both were made with the same settings."""
    last = last_release(home, as_of)
    if last is None or not home.storage.exists(manifest_key(last["release_id"])):
        return []  # pruned since, and this is a night of long ago
    settings = read_manifest(home, last["release_id"])["settings"]
    failures = []
    for dataset in (dataset for dataset in OUTPUT_TABLES if dataset.name not in OF_EVENTS):
        output = str(dataset.output)
        before, now = last["rows"].get(dataset.name, 0), scores[output].rows.get(dataset.name, 0)
        was_skipped = {output, dataset.name} & set(last["skipped"])
        if scores[output].why_skipped(dataset.name) or was_skipped or before < MIN_VOLUME_ROWS:
            continue
        is_comparable = settings[output] == home.settings.in_digest()[output]
        if is_comparable and now < MIN_VOLUME_RATIO * before and not _is_accepted(home, dataset.name, as_of):
            rule = f"at least {MIN_VOLUME_RATIO:.0%} of the rows of the last release {last['release_id']}"
            failures.append(Failure(dataset.name, rule, now, (f"{before} rows then, {now} now",)))
    return failures


def _accepted(table: str, as_of: date) -> sa.ColumnElement[bool]:
    return sa.and_(acceptances.c.entity == table, acceptances.c.dt == as_of)


def _is_accepted(home: Home, table: str, as_of: date) -> bool:
    return home.records.first(sa.select(acceptances).where(_accepted(table, as_of))) is not None


def _rule_failures(
    home: Home, as_of: date, scores: Mapping[str, Scored], rules: Sequence[Rule], files: Files
) -> list[Failure]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"set threads = {home.threads}; set memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("set temp_directory = $folder", {"folder": str(home.root / ".spill")})
        for name, value in _variables(home, as_of, scores).items():
            plain = list(value) if isinstance(value, tuple) else value
            connection.execute(f"set variable {name} = $value", {"value": plain})
        for name, parts in files.items():
            _view(connection, name, parts)
        found = [_rule_failure(connection, rule) for rule in rules]
    return [failure for failure in found if failure]


def _variables(home: Home, as_of: date, scores: Mapping[str, Scored]) -> dict[str, Any]:
    return asdict(rules_of(home)) | {
        "as_of": as_of,
        "horizon": home.settings.demand.horizon,
        "period_days": home.settings.demand.period_days,
        "unserved": scores["recommendations"].unserved,
        "reviews_per_night": home.settings.risk.reviews_per_night,
    }


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> None:
    """The rows of a table under its name, features only of tonight; no rule reads a table that was skipped."""
    if files:
        where = "as_of = getvariable('as_of')" if name in AT_CUTOFFS else "true"
        connection.read_parquet([str(file) for file in files]).filter(where).create_view(name)


def _rule_failure(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Failure | None:
    broken = connection.sql(f"select *, count(*) over () as found from ({rule.sql}) order by all limit {SAMPLES}")
    rows = [dict(zip(broken.columns, row, strict=True)) for row in broken.fetchall()]
    if not rows:
        return None
    samples = [", ".join(f"{name} {value}" for name, value in row.items() if name != "found") for row in rows]
    return Failure(rule.table, rule.name, int(rows[0]["found"]), tuple(samples))
