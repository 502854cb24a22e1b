"""What names a release, and when a night counts as published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipelines.contract import OUTPUTS
from pipelines.errors import NightcartError
from pipelines.home import Home
from pipelines.publishing.release import is_published, last_release, release_id_of, scores_of
from pipelines.settings import Settings
from tests.publishing.generators import AS_OF, HORIZON, TOP_K, crown, night, publish_night


def test_the_same_inputs_give_the_same_id() -> None:
    one = release_id_of(AS_OF, ["a", "b"], {"demand": "x", "recommendations": None}, "inputs")
    assert one == release_id_of(AS_OF, ["b", "a"], {"recommendations": None, "demand": "x"}, "inputs")
    assert one.startswith("2011-11-01-")
    assert len(one) == len("2011-11-01-1a2b3c4d")


@pytest.mark.parametrize(
    "other",
    [
        (AS_OF, ["a"], {"demand": "x"}, "inputs"),
        (AS_OF, ["a", "b"], {"demand": "y"}, "inputs"),
        (AS_OF, ["a", "b"], {"demand": "x"}, "others"),
        (date(2011, 11, 2), ["a", "b"], {"demand": "x"}, "inputs"),
    ],
    ids=["snapshot", "model", "settings or code", "night"],
)
def test_each_input_counts(other: tuple[date, list[str], dict[str, str | None], str]) -> None:
    assert release_id_of(*other) != release_id_of(AS_OF, ["a", "b"], {"demand": "x"}, "inputs")


def test_a_night_is_published_until_settings_or_champion_change(home: Home) -> None:
    assert is_published(home, AS_OF) is None
    published = publish_night(home)
    found = is_published(home, AS_OF)
    assert found is not None
    assert found["release_id"] == published["release_id"]
    assert is_published(_with_other_settings(home), AS_OF) is None
    crown(home, "demand", "recent_mean-000000000000", effective_from=date(2011, 10, 20))
    assert is_published(home, AS_OF) is None


def test_a_night_published_anew_counts_by_what_was_published_last(home: Home) -> None:
    publish_night(home)
    other = _with_other_settings(home)
    publish_night(other)
    assert is_published(home, AS_OF) is None
    assert is_published(other, AS_OF) is not None


def test_scores_of_other_inputs_are_refused(home: Home) -> None:
    night(home)
    assert set(scores_of(home, AS_OF)) == set(OUTPUTS)
    with pytest.raises(NightcartError, match=r"expected release 2011-11-01-.* have changed since"):
        scores_of(_with_other_settings(home), AS_OF)


def test_a_single_table_may_be_skipped(home: Home) -> None:
    night(home, skip={"reorder_plan": "no stock", "risk": "no chargebacks"})
    scores = scores_of(home, AS_OF)
    assert scores["demand"].skipped is None
    assert scores["demand"].why_skipped("reorder_plan") == "no stock"
    assert scores["demand"].why_skipped("demand_forecasts") is None
    assert scores["risk"].why_skipped("risk_flags") == "no chargebacks"


def test_the_last_release_is_of_the_nearest_night_before(home: Home) -> None:
    for day in (date(2011, 10, 30), date(2011, 10, 31), date(2011, 11, 3)):
        publish_night(home, day)
    last = last_release(home, AS_OF)
    assert last is not None
    assert last["as_of"] == date(2011, 10, 31)


def _with_other_settings(home: Home) -> Home:
    sections = {"recommendations": {"top_k": TOP_K}, "demand": {"horizon": HORIZON}, "compute": {"threads": 1}}
    return replace(home, settings=Settings(**sections, gate={"minimum_effect": 0.1}))  # type: ignore[arg-type]
