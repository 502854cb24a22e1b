"""The suites in `expectations/outputs/`: what the catalogue says of a table is generated, what people add is kept.

`python -m pipelines.publishing.suites` writes the generated part anew; a test fails when it is out of date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.catalog import OUTPUT_TABLES, Dataset
from pipelines.home import PROJECT

FOLDER = PROJECT / "expectations" / "outputs"
GENERATED = {"from": "catalogue"}
Expectation = dict[str, Any]


def suite_file(table: str) -> Path:
    """Where the suite of an output table lies."""
    return FOLDER / f"{table}.json"


def suite_of(dataset: Dataset, current: dict[str, Any]) -> dict[str, Any]:
    """The suite with its generated part anew and its other expectations kept."""
    meta = current.get("meta", {"nullable": []})
    own = [rule for rule in current.get("expectations", []) if rule.get("meta", {}).get("from") != GENERATED["from"]]
    return {"name": dataset.name, "expectations": generated(dataset, meta["nullable"]) + own, "meta": meta}


def generated(dataset: Dataset, nullable: list[str]) -> list[Expectation]:
    """What the catalogue says: these columns in this order, a row where one is due, nulls only where they may be."""
    rules: list[Expectation] = [
        {"type": "expect_table_columns_to_match_ordered_list", "kwargs": {"column_list": dataset.column_names}},
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": {"$PARAMETER": "least_rows"}}},
    ]
    rules += [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": name}}
        for name in dataset.column_names
        if name not in nullable
    ]
    return [rule | {"meta": GENERATED} for rule in rules]


def read_suite(table: str) -> dict[str, Any]:
    """The committed suite of an output table; without rules of people's own where there is none yet."""
    file = suite_file(table)
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def as_text(suite: dict[str, Any]) -> str:
    """The suite as it is committed."""
    return json.dumps(suite, indent=2) + "\n"


def write_suites() -> None:
    """Write the suite of every output table."""
    for dataset in OUTPUT_TABLES:
        suite_file(dataset.name).write_text(as_text(suite_of(dataset, read_suite(dataset.name))), "utf-8")


if __name__ == "__main__":
    write_suites()
