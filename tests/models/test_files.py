"""Settings files of models: what is refused, and how it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.demand import RecentMean, XGBoostQuantiles
from models.files import SETTINGS_FILE, read_settings
from models.recommendations import PopularRecent
from tests.models.generators import demand_frames


def _change(folder: Path, **changed: Any) -> None:
    path = folder / SETTINGS_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_a_settings_file_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[1]")
    with pytest.raises(ValueError, match="found a list, expected an object"):
        read_settings(tmp_path, "any")


def test_a_value_of_another_type_is_named(tmp_path: Path) -> None:
    RecentMean(horizon=3, period_days=7).save(tmp_path)
    _change(tmp_path, horizon="three")
    with pytest.raises(ValueError, match="horizon is 'three', expected int"):
        RecentMean.load(tmp_path)


def test_a_half_life_may_be_a_whole_number_and_not_below_zero(tmp_path: Path) -> None:
    PopularRecent().save(tmp_path)
    _change(tmp_path, half_life_days=7)
    assert PopularRecent.load(tmp_path).half_life_days == 7.0
    _change(tmp_path, half_life_days=-7.0)
    with pytest.raises(ValueError, match=r"cannot load model popular_recent .*half_life_days is -7.0"):
        PopularRecent.load(tmp_path)


def test_an_unknown_part_of_the_recipe_is_refused(tmp_path: Path) -> None:
    XGBoostQuantiles(horizon=3, period_days=7, threads=1).fit(*demand_frames()).save(tmp_path)
    _change(tmp_path, recipe={"leaves": 3})
    with pytest.raises(ValueError, match=r"cannot load model xgboost_quantiles .*leaves"):
        XGBoostQuantiles.load(tmp_path)
