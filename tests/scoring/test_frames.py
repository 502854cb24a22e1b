"""Which rows a model learns from, is judged on and scores: never what came after, and no outcome known later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd

from pipelines.scoring.frames import AtCutoffs, OfEvents
from pipelines.training.cutoffs import Cutoffs

DAY = timedelta(days=1)
AS_OF = date(2024, 6, 1)


class Lists(AtCutoffs):
    features: Mapping[str, str] = {"bought": "features_bought"}
    described: Mapping[str, str] = {"customers": "features_customers"}
    targets = "features_targets"


class Payments(OfEvents):
    features: Mapping[str, str] = {"payments": "features_payments"}
    targets = "features_payment_targets"


def test_at_cutoffs_by_as_of_and_known_as_of() -> None:
    days = [AS_OF - 28 * DAY * back for back in (2, 1, 0)]
    known = [(cut, up_to) for cut in days for up_to in days if cut < up_to]
    frames = {
        "features_bought": pd.DataFrame({"as_of": pd.to_datetime(days)}),
        "features_targets": pd.DataFrame(known, columns=["as_of", "known_as_of"]).apply(pd.to_datetime),
    }
    cutoffs, output = Cutoffs(tuple(days[:2]), tuple(days[1:2])), Lists()
    features, targets = output.learning(frames, cutoffs, days[1])
    assert features["bought"]["as_of"].dt.date.tolist() == days[:1]
    assert targets.to_dict("list") == {"as_of": [pd.Timestamp(days[0])], "known_as_of": [pd.Timestamp(days[1])]}
    features, truth = output.judging(frames, days[1], AS_OF)
    assert features["bought"]["as_of"].dt.date.tolist() == truth["as_of"].dt.date.tolist() == [days[1]]
    assert output.tonight(frames, AS_OF)["bought"]["as_of"].dt.date.tolist() == [AS_OF]


def test_what_tells_segments_apart_is_there_where_models_are_judged_and_nowhere_else() -> None:
    days = [AS_OF - 28 * DAY * back for back in (2, 1, 0)]
    rows = pd.DataFrame({"as_of": pd.to_datetime(days)})
    frames = dict.fromkeys(("features_bought", "features_customers"), rows)
    frames["features_targets"] = rows.assign(known_as_of=pd.Timestamp(AS_OF))
    output = Lists()
    judged = output.judging(frames, days[1], AS_OF)[0]
    assert judged["customers"]["as_of"].dt.date.tolist() == [days[1]]
    assert set(output.learning(frames, Cutoffs(tuple(days[:2]), ()), AS_OF)[0]) == {"bought"}
    assert set(output.tonight(frames, AS_OF)) == {"bought"}
    del frames["features_customers"]  # a release that was made before
    assert set(output.judging(frames, days[1], AS_OF)[0]) == {"bought"}


def test_events_up_to_the_cut_off_teach_and_those_of_the_window_after_judge() -> None:
    nights = [AS_OF + ahead * DAY for ahead in range(-2, 32)]
    known = [(number, up_to) for number in range(len(nights)) for up_to in (AS_OF, AS_OF + 60 * DAY)]
    frames = {
        "features_payments": pd.DataFrame({"payment_id": range(len(nights)), "as_of": nights}),
        "features_payment_targets": pd.DataFrame(known, columns=["payment_id", "known_as_of"]),
    }
    output = Payments()
    features, targets = output.learning(frames, Cutoffs((), (AS_OF,)), AS_OF)
    assert features["payments"]["as_of"].tolist() == nights[:3]
    assert set(targets["known_as_of"]) == {AS_OF}
    features, truth = output.judging(frames, AS_OF, AS_OF + 60 * DAY)
    assert features["payments"]["as_of"].tolist() == nights[3:31]
    assert set(truth["known_as_of"]) == {AS_OF + 60 * DAY}
    assert len(output.tonight(frames, AS_OF)["payments"]) == len(nights)
