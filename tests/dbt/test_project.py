"""The dbt project: its unit tests pass, and its files keep the rules of the house."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.catalog import FEATURES, INTERMEDIATE, MARTS
from pipelines.contract import ENTITIES
from pipelines.features.dbt import PROJECT_DIR, run_dbt
from pipelines.features.sources_yml import FILE, sources_yml
from tests.features.conftest import new_home

TAKEN_AS_THEY_ARE = (
    "customers",
    "products",
    "payments",
    "chargebacks",
    "stock_levels",
    "tickets",
    "ticket_messages",
    "ticket_resolutions",
)
MODELS = sorted((PROJECT_DIR / "models").rglob("*.sql"))


def test_unit_tests_pass(tmp_path: Path) -> None:
    home = new_home(tmp_path)
    run_dbt(home, ["run", "--empty"], {})
    passed = run_dbt(home, ["test", "--select", "test_type:unit"], {})
    computed = {model.stem for model in MODELS} - {f"stg_store__{entity}" for entity in TAKEN_AS_THEY_ARE}
    assert {name.split(".")[2] for name in passed} == computed


def test_sources_are_generated_from_the_contract() -> None:
    assert FILE.read_text("utf-8") == sources_yml(), "run `python -m pipelines.features.sources_yml`"


def test_no_model_reads_a_personal_column() -> None:
    personal = [column.name for entity in ENTITIES.values() for column in entity.columns if not column.is_modelled]
    assert personal == ["email", "full_name", "phone"]
    for file in [*MODELS, FILE]:
        assert not [name for name in personal if name in file.read_text("utf-8")], file


def test_only_staging_reads_sources() -> None:
    assert {model.parent.name for model in MODELS if "source(" in model.read_text("utf-8")} == {"staging"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_each_model_has_its_yml_and_ends_alike(model: Path) -> None:
    described = yaml.safe_load(model.with_suffix(".yml").read_text("utf-8"))["models"]
    assert [entry["name"] for entry in described] == [model.stem]
    assert described[0]["description"]
    assert model.parent.name == "staging" or "\nselect * from " in model.read_text("utf-8")
    if model.parent.name in ("features", "marts"):
        assert described[0]["config"]["contract"]["enforced"]


@pytest.mark.parametrize("dataset", FEATURES + MARTS + INTERMEDIATE, ids=lambda dataset: dataset.name)
def test_the_catalogue_says_what_the_models_are(dataset: object) -> None:
    file = PROJECT_DIR / "models" / dataset.layer / f"{dataset.name}.yml"
    model = yaml.safe_load(file.read_text("utf-8"))["models"][0]
    columns = [column["name"] for column in model["columns"]]
    assert model["data_tests"][0]["unique_combination"]["arguments"]["columns"] == list(dataset.key)
    assert set(dataset.key) <= set(columns)
    assert not dataset.columns or columns == dataset.column_names


def test_no_python_package_shadows_dbt() -> None:
    assert not list(PROJECT_DIR.rglob("__init__.py"))
