"""Ten nights in three orders through Airflow's backfill, and one that fails in the middle; of the demo store too."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

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
from tests.landing import Landing
from tests.nights import store as small
from tests.nights.conftest import walk
from tests.nights.kills import until
from tests.nights.test_servers import free_port

pytestmark = [pytest.mark.night, pytest.mark.long]
COUNT, FAILING = 10, 4
FIRST = {"small": small.NIGHTS[0], "demo": date(2011, 10, 23)}
Say = Callable[[str], None]


class Served(NamedTuple):
    """A home with its servers, and the nights to run."""

    home: Home
    api: AirflowApi
    nights: list[date]


Serve = Callable[[str], Served]


@pytest.fixture(scope="module", params=FIRST)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[date]]:
    """A home with the champions of the first of ten nights, and nothing published."""
    root = tmp_path_factory.mktemp(request.param) / "trained"
    nights = [FIRST[request.param] + timedelta(days=day) for day in range(COUNT)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param == "demo":
            write_demo_store(root.parent / "landing")
            shutil.copy(PROJECT / "demo" / "settings.yaml", root.parent)
        else:
            small.write_store(Landing(root.parent / "landing"), until=nights[-1])
            (root.parent / "settings.yaml").write_text(f"{small.SETTINGS}validate: {{min_volume_ratio: 0}}\n")
        _enter(root, monkeypatch)
        steps = list(STEPS)
        walk(nights[0], steps=steps[: steps.index("train_first_champions") + 1])
    return root, nights


def _enter(root: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("NIGHTCART_HOME", str(root))
    monkeypatch.setenv("NIGHTCART_LANDING", str(root.parent / "landing"))
    monkeypatch.setenv("NIGHTCART_SETTINGS", str(root.parent / "settings.yaml"))
    for name in ("NIGHTCART_WAREHOUSE", "NIGHTCART_STORAGE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    return Home.open()


@pytest.fixture
def serve(trained: tuple[Path, list[date]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A copy of the trained home under a name, with its servers."""
    (root, nights), homes = trained, []

    def start(name: str) -> Served:
        shutil.copytree(root, root.parent / name)
        home = _enter(root.parent / name, monkeypatch)
        homes.append(home)
        return Served(home, api_of(home, up(home)[0]), nights)

    yield start
    for home in homes:
        down(home)


def test_ten_nights_in_any_order(serve: Serve, tell: Say) -> None:
    """The same outputs, and champions and aliases where they were; a clear repairs the one night that failed."""
    found = {}
    for name, run in {"forward": _forward, "reversed": _reversed, "shuffled": _shuffled}.items():
        served = serve(name)
        home, decided = served.home, _decisions(served.home)
        run(served)
        found[name] = _digests(home)
        assert _decisions(home) == decided
        current = home.records.current_release()
        assert current is not None
        assert current["as_of"] == served.nights[-1]
        tell(f"{name}: {len(found[name])} nights, digest of all outputs {digest_of(found[name])[:12]}")
        down(home)
    assert len(found["forward"]) == COUNT
    assert found["forward"] == found["reversed"] == found["shuffled"]


def _forward(served: Served) -> None:
    """One after the other; the fifth cannot write what it collects until its run is cleared."""
    home, api, nights = served
    failing = nights[FAILING]
    blocked = home.root / "storage" / "incoming" / str(failing)
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.touch()
    with pytest.raises(NightcartError, match=str(failing)):
        backfill(home, api, nights[0], nights[-1], False, 1, _quiet)
    assert [night for night in nights if is_published(home, night) is None] == [failing]
    before = _digests(home)
    blocked.unlink()
    (run,) = _runs(api, failing)
    api.ask("POST", f"dags/nightly/dagRuns/{run['dag_run_id']}/clear", {"dry_run": False, "only_failed": True})
    until(lambda: _runs(api, failing)[0]["state"] == "success")
    after = _digests(home)
    assert {night for night in after if after[night] != before.get(night)} == {str(failing)}


def _reversed(served: Served) -> None:
    backfill(served.home, served.api, served.nights[0], served.nights[-1], True, 1, _quiet)


def _shuffled(served: Served) -> None:
    """Pairs in any order, the two of a pair at the same time."""
    pairs = [served.nights[place : place + 2] for place in range(0, COUNT, 2)]
    random.Random(7).shuffle(pairs)
    for first, last in pairs:
        backfill(served.home, served.api, first, last, False, 2, _quiet)


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
