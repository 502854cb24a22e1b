"""The expectation suites of the entities, in Great Expectations' own files. What the contract says is generated.

`python -m pipelines.validate.suites` writes them anew; expectations added by hand stay, after the generated ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.contract import ENTITIES, Column, Entity
from pipelines.home import PROJECT

FOLDER = PROJECT / "expectations" / "sources"
GENERATED = "contract"  # `meta.from` of a generated expectation
END_OF_DT = "_end_of_dt"  # 00:00 after the partition's day: what happened later is in the future
Expectation = dict[str, Any]


def expectations_of(entity: Entity) -> list[Expectation]:
    """What the contract says about an entity, as expectations; each names its rule, its column and what is expected."""
    rows = _expectation("table_row_count_to_be_between", "rows", None, "at least one row", {"min_value": 1})
    found = [rows, *(expectation for column in entity.columns for expectation in _of_column(column))]
    if entity.happened:
        rule, expected = f"not_in_future({entity.happened})", "a time within the day of its partition or before"
        pair = {"column_A": END_OF_DT, "column_B": entity.happened, "or_equal": False}
        kwargs = pair | {"ignore_row_if": "either_value_is_missing"}
        kind = "column_pair_values_a_to_be_greater_than_b"
        found.append(_expectation(kind, rule, entity.happened, expected, kwargs))
    return found


def _of_column(column: Column) -> list[Expectation]:
    if column.personal:
        return []  # what a personal column must hold is told at collect
    name = column.name
    checks: list[tuple[str, str, str, dict[str, Any]]] = []  # kind, rule, what is expected, how it is asked
    if not column.nullable:
        checks.append(("not_be_null", "not_null", "a value", {}))
    if column.allowed:
        checks.append(("be_in_set", "allowed", f"one of {', '.join(column.allowed)}", {"value_set": [*column.allowed]}))
    if column.above is not None:
        bound = {"min_value": column.above, "strict_min": True}
        checks.append(("be_between", f"above_{column.above:g}", f"more than {column.above:g}", bound))
    if column.at_least is not None:
        bound = {"min_value": column.at_least}
        checks.append(("be_between", f"at_least_{column.at_least:g}", f"{column.at_least:g} or more", bound))
    return [
        _expectation(f"column_values_to_{kind}", f"{rule}({name})", name, expected, {"column": name} | kwargs)
        for kind, rule, expected, kwargs in checks
    ]


def _expectation(kind: str, rule: str, column: str | None, expected: str, kwargs: dict[str, Any]) -> Expectation:
    meta = {"from": GENERATED, "rule": rule, "column": column, "expected": expected}
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": meta}


def suite_of(entity: Entity, by_hand: list[Expectation] | None = None) -> dict[str, Any]:
    """The suite of an entity as its file holds it."""
    expectations = expectations_of(entity) + (by_hand or [])
    return {"name": entity.name, "expectations": expectations, "meta": {"doc": entity.doc}}


def file_of(entity: str, folder: Path = FOLDER) -> Path:
    """The file of an entity's suite."""
    return folder / f"{entity}.json"


def read_suite(entity: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The suite of an entity from its file."""
    content: dict[str, Any] = json.loads(file_of(entity, folder).read_text("utf-8"))
    return content


def text_of(entity: Entity, folder: Path = FOLDER) -> str:
    """What the file of an entity's suite should say: the contract's part anew, what was added by hand kept."""
    file = file_of(entity.name, folder)
    kept = read_suite(entity.name, folder)["expectations"] if file.exists() else []
    by_hand = [expectation for expectation in kept if expectation["meta"].get("from") != GENERATED]
    return json.dumps(suite_of(entity, by_hand), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all suites."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for entity in ENTITIES.values():
        file_of(entity.name).write_text(text_of(entity), "utf-8")


if __name__ == "__main__":
    main()
