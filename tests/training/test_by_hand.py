"""By hand: who serves changes from the next night on, goes back step by step, and never under a night that has run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from models.demand import RecentMean, SeasonalNaive
from pipelines.errors import NothingToDo, StorageFault, UsageFault
from pipelines.home import Home
from pipelines.records import Row, champions, nights
from pipelines.training.aliases import CHALLENGER, CHAMPION, mark, mirror, registered
from pipelines.training.by_hand import demote, line_of, promote, versions_of
from pipelines.training.champions import (
    Rival,
    champion_of,
    crown,
    decisions_of,
    night_after,
    rivals,
    store_model,
    succeed,
)
from pipelines.training.tracking import tracking
from tests.models.generators import demand_frames

DAY = timedelta(days=1)
FIRST, NEWEST = date(2011, 11, 1), date(2011, 11, 6)


@pytest.fixture
def versions(home: Home) -> list[Row]:
    """Two versions of which the second serves, after nights up to the newest."""
    stored = []
    for periods, trained in ((2, FIRST), (3, FIRST + 3 * DAY)):
        model = RecentMean(horizon=periods, period_days=7).fit(*demand_frames())
        stored.append(store_model(home, "demand", model, trained))
    crown(home, "demand", stored[0], FIRST, "train_first_champions", "the first")
    crown(home, "demand", stored[1], FIRST + 4 * DAY, "train", "better")
    run(home, *(FIRST + number * DAY for number in range(6)))
    return stored


def run(home: Home, *as_ofs: date) -> None:
    """Say that nights have begun."""
    with home.records.begin() as connection:
        connection.execute(sa.insert(nights), [{"as_of": as_of, "attempt": 1} for as_of in as_ofs])


def served(home: Home, *as_ofs: date) -> list[str]:
    found = [champion_of(home, "demand", as_of) for as_of in as_ofs]
    return [row["model_version"] if row else "nobody" for row in found]


ALL_NIGHTS = [FIRST + number * DAY for number in range(6)]


def test_a_promotion_is_for_the_next_night(home: Home, versions: list[Row]) -> None:
    old, new = (row["model_version"] for row in versions)
    before = served(home, *ALL_NIGHTS)
    told = promote(home, "demand", old, "ann", "calmer", is_dry_run=True)
    assert (told["effective_from"], told["over"]) == (NEWEST + DAY, new)
    assert len(decisions_of(home, "demand")) == 2
    promote(home, "demand", old, "ann", "calmer")
    assert served(home, NEWEST + DAY) == [old]
    assert served(home, *ALL_NIGHTS) == before
    last = decisions_of(home, "demand")[-1]
    assert (last["decided_by"], last["reason"], last["trained_as_of"]) == ("nightcart promote (ann)", "calmer", FIRST)
    with pytest.raises(NothingToDo, match="serves demand already"):
        promote(home, "demand", old, "ann", "again")


def test_errors_say_which_versions_there_are(home: Home, versions: list[Row]) -> None:
    with pytest.raises(UsageFault) as fault:
        promote(home, "demand", "recent_mean-000000000000", "ann", "calmer")
    assert all(row["model_version"] in fault.value.hint for row in versions)
    with pytest.raises(UsageFault, match="the reason is empty"):
        promote(home, "demand", versions[0]["model_version"], "ann", " ")
    with pytest.raises(UsageFault, match="no output"):
        promote(home, "toys", "x", "ann", "calmer")
    home.storage.path(f"models/demand/{versions[0]['model_version']}/settings.json").write_text("{}")
    with pytest.raises(StorageFault, match="has digest"):
        promote(home, "demand", versions[0]["model_version"], "ann", "calmer")
    assert len(decisions_of(home, "demand")) == 2


def test_demotions_go_back_one_by_one(home: Home, versions: list[Row]) -> None:
    old, new = (row["model_version"] for row in versions)
    demote(home, "demand", "ann", "too low")
    assert served(home, NEWEST, NEWEST + DAY) == [new, old]
    told = demote(home, "demand", "ann", "too high", is_dry_run=True)
    assert told["model"] == SeasonalNaive.name
    promote(home, "demand", new, "ann", "it was right")
    demote(home, "demand", "ann", "it was not")
    assert served(home, NEWEST + DAY) == [old]
    assert [row["model_version"] for row in line_of(decisions_of(home, "demand"))] == [old]


def test_nothing_to_go_back_to(home: Home) -> None:
    with pytest.raises(NothingToDo, match="no champion"):
        demote(home, "demand", "ann", "why not")
    model = SeasonalNaive(horizon=2, period_days=7).fit(*demand_frames())
    crown(home, "demand", store_model(home, "demand", model, FIRST), FIRST, "train_first_champions", "the first")
    with pytest.raises(NothingToDo, match="the baseline seasonal_naive serves"):
        demote(home, "demand", "ann", "why not")


def test_a_promotion_during_a_night_waits_for_the_next(home: Home, versions: list[Row]) -> None:
    run(home, NEWEST + DAY)  # it has begun, nothing of it has ended
    told = promote(home, "demand", versions[0]["model_version"], "ann", "calmer")
    assert told["effective_from"] == NEWEST + 2 * DAY
    assert served(home, NEWEST + DAY) == [versions[1]["model_version"]]


def test_a_decision_that_is_still_to_come_is_taken_over(home: Home, versions: list[Row]) -> None:
    later = versions[1] | {"model_version": "recent_mean-later"}
    crown(home, "demand", later, NEWEST + 5 * DAY, "train", "of a night to come")
    told = promote(home, "demand", versions[0]["model_version"], "ann", "calmer")
    assert (told["effective_from"], told["over"]) == (NEWEST + 5 * DAY, "recent_mean-later")


def test_of_two_trainings_at_once_one_wins(home: Home, versions: list[Row]) -> None:
    start = night_after(home, NEWEST)
    over = champion_of(home, "demand", start)
    others = [versions[0] | {"model_version": f"recent_mean-{number}"} for number in range(8)]

    def finish(version: Row) -> bool:
        return succeed(home, "demand", version, start, "train", "better", over)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(finish, others))
    assert sum(won) == 1
    assert len(decisions_of(home, "demand")) == 3
    assert finish(others[won.index(True)])  # the winner again: the same decision
    assert len(decisions_of(home, "demand")) == 3


def test_a_training_of_an_older_night_changes_no_night_that_has_run(home: Home) -> None:
    assert night_after(home, FIRST) == FIRST + DAY
    run(home, FIRST, NEWEST)
    assert night_after(home, FIRST) == NEWEST + DAY
    assert night_after(home, NEWEST + 3 * DAY) == NEWEST + 4 * DAY


def test_a_training_run_again_meets_whom_it_met_then(home: Home, versions: list[Row]) -> None:
    old, new = (version["model_version"] for version in versions)
    again, now = rivals(home, "demand", FIRST + 3 * DAY, "train")
    assert again.serving is not None and now.serving is not None
    assert (again.start, again.serving["model_version"], again.again) == (FIRST + 4 * DAY, old, new)
    assert (now.start, now.serving["model_version"], now.again) == (NEWEST + DAY, new, None)
    assert succeed(home, "demand", versions[1], again.start, "train", "better", again.serving)
    assert len(decisions_of(home, "demand")) == 2
    assert [rival.again for rival in rivals(home, "demand", NEWEST, "train")] == [None]
    assert [rival.again for rival in rivals(home, "demand", FIRST + 3 * DAY, "ann")] == [None]
    assert rivals(home, "risk", FIRST, "train") == [Rival(FIRST, None)]


def test_aliases_follow_the_decisions_not_the_order_of_trainings(home: Home, versions: list[Row]) -> None:
    import mlflow

    old, new = versions
    with tracking(home, "demand"):
        client = mlflow.MlflowClient()
        client.create_registered_model(registered("demand"))
        for version in (new, old):  # a backfill trains the older one last
            number = client.create_model_version(registered("demand"), str(home.root)).version
            mark("demand", number, version["model_version"], version["trained_as_of"])
        assert mirror(home, "demand")

        def at(alias: str) -> str:
            return str(client.get_model_version_by_alias(registered("demand"), alias).tags["model_version"])

        assert (at(CHAMPION), at(CHALLENGER)) == (new["model_version"], new["model_version"])
        before = [row["id"] for row in home.records.rows(sa.select(champions))]
        crown(home, "demand", old | {"trained_as_of": FIRST - 9 * DAY}, FIRST - 9 * DAY, "train_first_champions", "x")
        assert mirror(home, "demand")
        assert (at(CHAMPION), at(CHALLENGER)) == (new["model_version"], new["model_version"])
        assert promote(home, "demand", old["model_version"], "ann", "calmer")["is_in_mlflow"]
        assert (at(CHAMPION), at(CHALLENGER)) == (old["model_version"], new["model_version"])
    assert set(before) < {row["id"] for row in home.records.rows(sa.select(champions))}
    assert list(versions_of(home, "demand")) == [new["model_version"], old["model_version"]]
