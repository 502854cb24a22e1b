"""Champions: the last decision in effect serves, and only with the files that were stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.demand import XGBoostQuantiles
from pipelines.errors import StorageFault
from pipelines.home import Home
from pipelines.records import Row, champions
from pipelines.scoring.outputs import output_of
from pipelines.storage import sha256_of
from pipelines.training.champions import champion_of, crown, load_model, store_model
from tests.models.generators import AS_OF, demand_frames

DEMAND = output_of("demand")
FILES = ("settings.json", "mean.ubj", "quantiles.ubj", "root.ubj", "digests.json")


@pytest.fixture(scope="module")
def model() -> XGBoostQuantiles:
    """A small model, fitted once."""
    return XGBoostQuantiles(horizon=3, period_days=7, threads=1).fit(*demand_frames())


@pytest.fixture
def stored(home: Home, model: XGBoostQuantiles) -> Row:
    """The version of the model in the home's store."""
    return store_model(home, "demand", model, AS_OF)


@pytest.fixture
def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own reader must not be asked."""

    def load(folder: Path) -> None:
        raise AssertionError(f"{folder} was parsed before it was checked")

    monkeypatch.setattr(XGBoostQuantiles, "load", load)


def folder_of(home: Home, stored: Row) -> Path:
    return home.storage.root / "models" / "demand" / stored["model_version"]


def test_a_stored_model_predicts_as_before(home: Home, model: XGBoostQuantiles, stored: Row) -> None:
    features, _ = demand_frames()
    loaded = load_model(home, DEMAND, stored)
    pd.testing.assert_frame_equal(loaded.predict(features), model.predict(features))
    assert stored["model"] == "xgboost_quantiles"
    before = {file.name: sha256_of(file) for file in folder_of(home, stored).iterdir()}
    assert store_model(home, "demand", loaded, AS_OF) == stored
    assert {file.name: sha256_of(file) for file in folder_of(home, stored).iterdir()} == before
    assert before.keys() == set(FILES)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
@pytest.mark.usefixtures("no_parsing")
def test_a_corrupt_file_is_named_before_it_is_parsed(
    home: Home, stored: Row, name: str, damage: Callable[[Path], None]
) -> None:
    damage(folder_of(home, stored) / name)
    with pytest.raises(StorageFault) as fault:
        load_model(home, DEMAND, stored)
    assert f"{stored['model_version']}/{name}" in str(fault.value)
    assert f"restore models/demand/{stored['model_version']}/" in fault.value.hint
    assert "nightcart train demand" in fault.value.hint
    assert fault.value.exit_code == 1


@pytest.mark.usefixtures("no_parsing")
def test_no_byte_of_a_model_can_change_unseen(home: Home, stored: Row) -> None:
    """Bytes all over each file, one at a time."""
    for name in FILES:
        file = folder_of(home, stored) / name
        whole = file.read_bytes()
        for at in range(0, len(whole), max(1, len(whole) // 25)):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
            with pytest.raises(StorageFault, match=stored["model_version"]):
                load_model(home, DEMAND, stored)
        file.write_bytes(whole)


def test_a_contestant_that_is_no_more_is_named(home: Home, stored: Row) -> None:
    with pytest.raises(StorageFault, match="no contestant of demand is called oracle"):
        load_model(home, DEMAND, stored | {"model": "oracle"})


def decide(home: Home, output: str, version: str, effective_from: date) -> None:
    about = {"model": version.split("-")[0], "model_version": version, "trained_as_of": effective_from}
    crown(home, output, about, effective_from, "a test", "because")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One home for all random decisions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIGHTCART_HOME", str(tmp_path_factory.mktemp("decisions")))
        yield Home.open()


decisions = st.tuples(st.sampled_from(["demand", "recommendations"]), st.sampled_from("abcd"), st.integers(0, 6))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(decisions, max_size=12), night=st.integers(-1, 8))
def test_the_last_decision_in_effect_serves(shared: Home, made: list[tuple[str, str, int]], night: int) -> None:
    with shared.records.begin() as connection:
        connection.execute(sa.delete(champions))
    for output, version, ahead in made:
        decide(shared, output, f"{version}-1", AS_OF + timedelta(days=ahead))
    for output in ("demand", "recommendations"):
        in_effect = [(ahead, at, version) for at, (of, version, ahead) in enumerate(made) if of == output]
        expected = max((found for found in in_effect if found[0] <= night), default=None)
        champion = champion_of(shared, output, AS_OF + timedelta(days=night))
        assert (champion and champion["model_version"]) == (expected and f"{expected[2]}-1")
        assert champion is None or champion["effective_from"] <= AS_OF + timedelta(days=night)
    with shared.records.begin() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(champions)).scalar()
    assert count == len(set(made))


def test_the_same_decision_twice_is_one(home: Home) -> None:
    for _ in range(2):
        decide(home, "demand", "a-1", AS_OF)
    decide(home, "demand", "a-1", AS_OF + timedelta(days=1))
    decide(home, "recommendations", "a-1", AS_OF)
    rows = home.records.rows(sa.select(champions.c.output, champions.c.effective_from))
    assert len(rows) == 3
