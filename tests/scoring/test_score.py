"""Scoring: a corrupt model stops it and leaves nothing; once restored, the same release comes, byte for byte."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from models.demand import XGBoostQuantiles
from models.recommendations import PopularRecent, SequenceTransformer
from pipelines.cli import main
from pipelines.errors import StorageFault
from pipelines.home import Home
from pipelines.records import steps
from pipelines.steps import run_step
from pipelines.training.champions import crown, store_model
from tests.landing import DAY, Landing
from tests.models.generators import demand_frames, sequence_frames

FIRST = date(2024, 3, 4)
AS_OF = FIRST + 5 * DAY


@pytest.fixture
def scored(home: Home, landing: Landing) -> Home:
    """A home whose night is about to be scored, by models from elsewhere."""
    landing.write_store(FIRST, 5)
    for step in ("collect", "validate", "load", "build_features"):
        run_step(step, AS_OF)
    demand = XGBoostQuantiles(horizon=3, period_days=7, threads=1).fit(*demand_frames())
    for output, model in (("demand", demand), ("recommendations", PopularRecent())):
        crown(home, output, store_model(home, output, model, AS_OF), AS_OF, "a test", "because")
    return home


def releases_of(home: Home) -> dict[str, bytes]:
    return {key: home.storage.path(key).read_bytes() for key in home.storage.keys("releases")}


def test_a_corrupt_model_stops_scoring_until_it_is_restored(
    scored: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run_step("score_demand", AS_OF)
    whole = releases_of(scored)
    scored.storage.remove("releases")
    (file,) = (scored.storage.root / "models" / "demand").glob("*/mean.ubj")
    good = file.read_bytes()
    flip(file)

    with pytest.raises(StorageFault, match=r"mean\.ubj") as fault:
        run_step("score_demand", AS_OF)
    assert fault.value.exit_code == 1
    monkeypatch.setattr(sys, "argv", ["nightcart", "step", "score_demand", str(AS_OF)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "mean.ubj has digest" in said
    assert "what to do: restore models/demand/" in said
    assert releases_of(scored) == {}
    failed = scored.records.rows(steps.select().where(steps.c.step == "score_demand"))
    assert [(row["status"], row["exit_code"]) for row in failed] == [("failed", 1)]

    file.write_bytes(good)
    assert run_step("score_demand", AS_OF) == first
    assert releases_of(scored) == whole != {}


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_what_is_taken_over_gives_the_same_release(scored: Home) -> None:
    sizes = {"dim": 16, "heads": 1, "hidden": 16, "length": 8, "words": 50}
    model = SequenceTransformer(sizes=sizes, recipe={"epochs": 1, "negatives": 8, "judged": 10})
    stored = store_model(scored, "recommendations", model.fit(*sequence_frames()), AS_OF)
    crown(scored, "recommendations", stored, AS_OF, "a test", "because")
    first = run_step("score_recommendations", AS_OF)
    assert (first["scored_anew"], first["taken_over"]) == (1, 0)
    (recommendations, default) = sorted(whole := releases_of(scored))
    rows = pq.read_table(scored.storage.path(recommendations)).to_pylist()
    assert {row["reason"] for row in rows} <= {"next_in_sequence", "like_recent"}
    assert default.endswith("recommendations_default.parquet")
    again = run_step("score_recommendations", AS_OF)
    assert again == first | {"scored_anew": 0, "taken_over": 1}
    assert releases_of(scored) == whole


def test_other_outputs_are_scored_all_the_same(scored: Home) -> None:
    """One model's corrupt file is no other's; both outputs belong to one release."""
    demand = run_step("score_demand", AS_OF)
    (file,) = (scored.storage.root / "models" / "demand").glob("*/settings.json")
    file.unlink()
    recommendations = run_step("score_recommendations", AS_OF)
    assert recommendations["release_id"] == demand["release_id"]
    assert {key.rsplit("/", 1)[1] for key in releases_of(scored)} == {
        "demand_forecasts.parquet",
        "demand_totals.parquet",
        "reorder_plan.parquet",
        "recommendations.parquet",
        "recommendations_default.parquet",
    }
    forecasts = pq.read_table(scored.storage.path(f"releases/{demand['release_id']}/demand_forecasts.parquet"))
    assert set(forecasts["model_version"].to_pylist()) == {demand["model_version"]}
    assert recommendations["skipped"] is None and recommendations["unserved"] == 0
