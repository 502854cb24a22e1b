import json
from pathlib import Path

from pipelines.contract import ENTITIES, ORDER_LINES
from pipelines.validate.suites import FOLDER, expectations_of, file_of, suite_of, text_of


def test_the_files_say_what_the_contract_says() -> None:
    for entity in ENTITIES.values():
        hint = "run `python -m pipelines.validate.suites`"
        assert file_of(entity.name).read_text("utf-8") == text_of(entity), hint
    assert sorted(file.stem for file in FOLDER.glob("*.json")) == sorted(ENTITIES)


def test_expectations_added_by_hand_are_kept(tmp_path: Path) -> None:
    by_hand = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "quantity", "max_value": 1_000_000},
        "meta": {"rule": "at_most(quantity)", "column": "quantity", "expected": "a million at most"},
    }
    old = suite_of(ORDER_LINES, [by_hand])
    old["expectations"] = old["expectations"][2:]
    file_of("order_lines", tmp_path).write_text(json.dumps(old), "utf-8")
    assert json.loads(text_of(ORDER_LINES, tmp_path))["expectations"] == [*expectations_of(ORDER_LINES), by_hand]


def test_every_rule_of_an_entity_has_its_own_name() -> None:
    for entity in ENTITIES.values():
        rules = [expectation["meta"]["rule"] for expectation in expectations_of(entity)]
        assert len(set(rules)) == len(rules)


def test_nothing_personal_is_looked_at() -> None:
    personal = {column.name for entity in ENTITIES.values() for column in entity.columns if column.personal}
    assert personal
    for entity in ENTITIES.values():
        assert not personal & {str(e["meta"]["column"]) for e in expectations_of(entity)}
