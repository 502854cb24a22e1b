"""Ten nights of the demo store in three orders through Airflow's backfill, and one that fails in the middle."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo.store import write_demo_store
from pipelines.airflow_api import AirflowApi
from pipelines.backfill import backfill
from pipelines.errors import NightcartError
from pipelines.home import PROJECT, Home
from pipelines.publishing.release import is_published
from pipelines.records import champions, releases
from pipelines.servers import api_of, down, up
from pipelines.steps import STEPS
from pipelines.storage import digest_of, sha256_of
from tests.nights.conftest import walk
from tests.nights.kills import until
from tests.nights.test_servers import free_port

pytestmark = [pytest.mark.night, pytest.mark.long]
NIGHTS = [date(2011, 10, 23) + timedelta(days=day) for day in range(10)]
FAILING = NIGHTS[4]
Say = Callable[[str], None]
Serve = Callable[[str], tuple[Home, AirflowApi]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the demo store with the champions of its first night, and nothing published."""
    root = tmp_path_factory.mktemp("ten") / "trained"
    with pytest.MonkeyPatch.context() as monkeypatch:
        write_demo_store(root.parent / "landing")
        _enter(root, monkeypatch)
        steps = list(STEPS)
        walk(NIGHTS[0], steps=steps[: steps.index("train_first_champions") + 1])
    return root


def _enter(root: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("NIGHTCART_HOME", str(root))
    monkeypatch.setenv("NIGHTCART_LANDING", str(root.parent / "landing"))
    monkeypatch.setenv("NIGHTCART_SETTINGS", str(PROJECT / "demo" / "settings.yaml"))
    for name in ("NIGHTCART_WAREHOUSE", "NIGHTCART_STORAGE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    return Home.open()


@pytest.fixture
def serve(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A copy of the trained home under a name, with its servers."""
    served: list[Home] = []

    def start(name: str) -> tuple[Home, AirflowApi]:
        shutil.copytree(trained, trained.parent / name)
        home = _enter(trained.parent / name, monkeypatch)
        served.append(home)
        return home, api_of(home, up(home)[0])

    yield start
    for home in served:
        down(home)


def test_ten_nights_in_any_order(serve: Serve, tell: Say) -> None:
    """The same outputs, and champions and aliases where they were; a clear repairs the one night that failed."""
    found = {}
    for name, run in {"forward": _forward, "reversed": _reversed, "shuffled": _shuffled}.items():
        home, api = serve(name)
        decided = _decisions(home)
        run(home, api)
        found[name] = _digests(home)
        assert _decisions(home) == decided
        current = home.records.current_release()
        assert current is not None
        assert current["as_of"] == NIGHTS[-1]
        tell(f"{name}: {len(found[name])} nights, digest of all outputs {digest_of(found[name])[:12]}")
        down(home)
    assert len(found["forward"]) == len(NIGHTS)
    assert found["forward"] == found["reversed"] == found["shuffled"]


def _forward(home: Home, api: AirflowApi) -> None:
    """One after the other; the fifth cannot write what it collects until its run is cleared."""
    blocked = home.root / "storage" / "incoming" / str(FAILING)
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.touch()
    with pytest.raises(NightcartError, match=str(FAILING)):
        backfill(home, api, NIGHTS[0], NIGHTS[-1], False, 1, _quiet)
    assert [night for night in NIGHTS if is_published(home, night) is None] == [FAILING]
    before = _digests(home)
    blocked.unlink()
    (run,) = _runs(api, FAILING)
    api.ask("POST", f"dags/nightly/dagRuns/{run['dag_run_id']}/clear", {"dry_run": False, "only_failed": True})
    until(lambda: _runs(api, FAILING)[0]["state"] == "success")
    after = _digests(home)
    assert {night for night in after if after[night] != before.get(night)} == {str(FAILING)}


def _reversed(home: Home, api: AirflowApi) -> None:
    backfill(home, api, NIGHTS[0], NIGHTS[-1], True, 1, _quiet)


def _shuffled(home: Home, api: AirflowApi) -> None:
    """Pairs in any order, the two of a pair at the same time."""
    pairs = [NIGHTS[place : place + 2] for place in range(0, len(NIGHTS), 2)]
    random.Random(7).shuffle(pairs)
    for first, last in pairs:
        backfill(home, api, first, last, False, 2, _quiet)


def _quiet(states: dict[date, str]) -> None:
    """Nobody looks."""


def _runs(api: AirflowApi, night: date) -> list[dict[str, Any]]:
    day = f"logical_date_gte={night}T00:00:00Z&logical_date_lte={night}T23:59:59Z"
    found: list[dict[str, Any]] = api.get(f"dags/nightly/dagRuns?run_type=backfill&{day}")["dag_runs"]
    return found


def _digests(home: Home) -> dict[str, str]:
    """The digest of each night's outputs, as they lie in the store."""
    rows = home.records.rows(sa.select(releases.c.as_of, releases.c.release_id).order_by(releases.c.as_of))
    return {str(row["as_of"]): _digest(home, row["release_id"]) for row in rows}


def _digest(home: Home, release_id: str) -> str:
    keys = [key for key in home.storage.keys("releases") if key.startswith(f"releases/{release_id}/")]
    return digest_of({key: sha256_of(home.storage.path(key)) for key in keys})


def _decisions(home: Home) -> dict[str, Any]:
    """The record `champions`, and MLflow's aliases by registered model."""
    from mlflow import MlflowClient

    client = MlflowClient(home.places.mlflow)
    aliases = {model.name: dict(model.aliases) for model in client.search_registered_models()}
    decided = home.records.rows(sa.select(champions).order_by(champions.c.id))
    return {"champions": decided, "aliases": aliases}
