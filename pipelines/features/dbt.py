"""Runs dbt inside this process, with its files in the home, and turns its failures into one error."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.errors import NightcartError
from pipelines.home import PROJECT, Home
from pipelines.storage import digest_of, sha256_of

PROJECT_DIR = PROJECT / "dbt"
VARIABLES = "NIGHTCART_DBT_VARS"  # not --vars: dates that change would have dbt parse the whole project each night
FAILED = ("error", "fail", "runtime error")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """dbt's profile reads the environment: set the variables for the length of a run."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def log_folder(home: Home) -> Path:
    """Where dbt's log of a home lies."""
    return home.root / "logs" / "dbt"


def project_digest() -> str:
    """The SHA-256 over dbt's own files: tables that other SQL wrote are not to be built upon."""
    files = sorted(file for kind in ("*.sql", "*.yml") for file in PROJECT_DIR.rglob(kind))
    return digest_of({file.relative_to(PROJECT_DIR).as_posix(): sha256_of(file) for file in files})


def dates(days: Sequence[date]) -> list[str]:
    """Dates as dbt's variables hold them: sorted, once each."""
    return sorted({day.isoformat() for day in days})


def run_dbt(home: Home, command: Sequence[str], variables: Mapping[str, Any]) -> list[str]:
    """Run one dbt command; the caller holds the warehouse's slot. Returns the ids of what ran.

    Raises:
        NightcartError: a model or a test failed; each is named with its message, and so is the log.
    """
    from dbt.cli.main import dbtRunner

    arguments = [*command, "--project-dir", str(PROJECT_DIR)]
    arguments += ["--profiles-dir", str(PROJECT_DIR), "--target-path", str(home.root / "dbt")]
    arguments += ["--log-path", str(log_folder(home)), "--log-level", "warn", "--log-level-file", "info"]
    arguments += ["--no-use-colors", "--no-use-colors-file", "--quiet", "--no-write-json"]
    try:
        with _environment({**home.warehouse.dbt_environment(), VARIABLES: json.dumps(variables)}):
            outcome = dbtRunner().invoke(arguments)
    finally:
        home.warehouse.release_dbt()
    if not outcome.success:
        raise NightcartError(_failures(outcome), f"the whole log is {log_folder(home) / 'dbt.log'}")
    run: Any = outcome.result
    return [str(result.node.unique_id) for result in run.results]


def _failures(outcome: Any) -> str:
    """Each failed model and test with its message."""
    results = getattr(outcome.result, "results", None) or []
    failed = [result for result in results if str(result.status) in FAILED]
    lines = [f"{result.node.name}: {_message(str(result.message))}" for result in failed]
    return "dbt failed: " + ("; ".join(lines) or str(outcome.exception))


def _message(text: str) -> str:
    """dbt's message on one line, without its first, which only names the model again."""
    lines = text.strip().splitlines()
    return " ".join(" ".join(lines[1:] if len(lines) > 1 else lines).split())
