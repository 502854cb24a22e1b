"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LISTS = {"catalog.py"}  # data, read from top to bottom
FORBIDDEN = {
    "pipelines": {"airflow"},
    "models": {"pipelines", "duckdb", "sqlalchemy", "boto3", "mlflow", "airflow"},
    "benchmarks": {"duckdb", "sqlalchemy", "airflow"},
    "demo": {"airflow", "mlflow"},
}


def modules(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted((PROJECT / folder).rglob("*.py")):
        yield file, ast.parse(file.read_text("utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_rooms_import_only_what_they_may(folder: str) -> None:
    found = {str(file): imported(tree) & FORBIDDEN[folder] for file, tree in modules(folder)}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize("folder", ["pipelines", "models", "benchmarks", "demo", "dags"])
def test_functions_and_files_are_short(folder: str) -> None:
    long = []
    for file, tree in modules(folder):
        if (lines := len(file.read_text("utf-8").splitlines())) > 250 and file.name not in LISTS:
            long.append(f"{file.name}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and folder != "dags":
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 45:
                    long.append(f"{file.name}:{node.lineno} {node.name}: {length} lines")
    assert long == []


def test_only_the_records_read_the_clock() -> None:
    clocks = ("datetime.now", "datetime.utcnow", "date.today", "time.time(")
    found = [
        str(file.relative_to(PROJECT))
        for folder in ("pipelines", "models")
        for file, _ in modules(folder)
        if any(clock in file.read_text("utf-8") for clock in clocks)
    ]
    assert found == ["pipelines/records.py"]


def test_only_settings_read_the_environment() -> None:
    found = {
        str(file.relative_to(PROJECT))
        for folder in ("pipelines", "models")
        for file, _ in modules(folder)
        if "os.environ.get(" in file.read_text("utf-8") or "os.getenv" in file.read_text("utf-8")
    }
    assert found <= {"pipelines/features/dbt.py"}, "dbt's profile reads the environment, which is put back after a run"


def test_no_package_shadows_dbt_or_docker() -> None:
    assert [str(file) for folder in ("dbt", "docker") for file in (PROJECT / folder).rglob("__init__.py")] == []


def test_models_are_stored_without_pickle() -> None:
    found = [
        file.name for folder in ("pipelines", "models") for file, tree in modules(folder) if "pickle" in imported(tree)
    ]
    assert found == []
