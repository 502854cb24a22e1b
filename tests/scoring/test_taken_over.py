"""Lists that are taken over are byte for byte those of scoring all customers, whatever happened in between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from models.recommendations import PopularEver, SequenceTransformer
from models.recommendations.co_purchase import CoPurchase
from pipelines.home import Home
from pipelines.scoring import taken_over
from pipelines.scoring.taken_over import key_of, lists_of
from tests.models.generators import at_last_cutoff, sequence_frames

SIZES = {"dim": 16, "heads": 1, "hidden": 16, "length": 8}
RECIPE = {"epochs": 3, "batch_tokens": 64, "negatives": 8, "judged": 10}
Frames = dict[str, pd.DataFrame]
CUSTOMERS = 29
"""Of 30 who had bought something by the last cut-off."""


def fitted(words: int = 0, **options: Any) -> SequenceTransformer:
    features, targets = sequence_frames(customers=30)
    model = SequenceTransformer(top_k=5, sizes=SIZES | {"words": words}, recipe=RECIPE, **options)
    return model.fit(features, targets)


MODEL = fitted()


def night() -> Frames:
    """What a night's snapshot has: each product once, on the day it was first bought."""
    features = at_last_cutoff(sequence_frames(customers=30)[0])
    return {name: frame for name, frame in features.items() if name != "purchases"}


def a_day_later(features: Frames, buyers: int, day: int = 1) -> Frames:
    """The same a day on: the first customers bought one more product each, and all frames say another as_of."""
    bought = features["customer_products"]
    as_of = pd.Timestamp(bought["as_of"].iloc[0]) + pd.Timedelta(days=day)
    last = as_of - pd.Timedelta(days=1)
    new = bought.drop_duplicates("customer_id").head(buyers)
    had = bought.groupby("customer_id")["product_id"].agg(set)
    names = features["products"]["product_id"].tolist()
    product = [next(name for name in names if name not in had[customer]) for customer in new["customer_id"]]
    new = new.assign(product_id=product, times=1, first_bought_on=last.date(), last_bought_on=last.date())
    both = pd.concat([bought, new.astype({"product_id": bought["product_id"].dtype})], ignore_index=True)
    both = both.sort_values(["customer_id", "product_id"], ignore_index=True)
    return {
        **{name: frame.assign(as_of=as_of) for name, frame in features.items()},
        "customer_products": both.assign(as_of=as_of),
    }


def scored(home: Home, features: Frames, model: SequenceTransformer = MODEL, version: str = "v") -> tuple[int, int]:
    """How many customers were scored and taken over; the lists are those of scoring all."""
    lists, counts = lists_of(home, model, features, version)
    assert_frame_equal(lists, model.predict(features), check_exact=True)
    assert counts.keys() == {"scored_anew", "taken_over"}
    assert sum(counts.values()) == features["customer_products"]["customer_id"].nunique()
    return counts["scored_anew"], counts["taken_over"]


def file_of(home: Home) -> Path:
    return home.storage.path(key_of("v"))


def test_the_second_night_scores_those_who_bought(home: Home) -> None:
    first = night()
    assert scored(home, first) == (CUSTOMERS, 0)
    assert scored(home, first) == (0, CUSTOMERS)
    second = a_day_later(first, 4)
    assert scored(home, second) == (4, CUSTOMERS - 4)
    assert scored(home, first) == (4, CUSTOMERS - 4), "a backfill of the older night"
    assert scored(home, a_day_later(second, 6, 2)) == (6, CUSTOMERS - 6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, CUSTOMERS)), min_size=2, max_size=5))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nights_in_any_order_have_the_lists_of_scoring_all(home: Home, nights: list[tuple[int, int]]) -> None:
    for day, buyers in nights:
        scored(home, a_day_later(night(), buyers, day) if day else night())


def test_what_changes_for_all_has_all_scored(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first = night()
    scored(home, first)
    products = first["products"]
    gone = products.assign(is_active=products["is_active"] & (products["product_id"] != "p001"))
    assert scored(home, first | {"products": gone}) == (CUSTOMERS, 0)
    scored(home, first)
    assert scored(home, first, version="w") == (CUSTOMERS, 0)
    longer = SequenceTransformer.load(saved(MODEL, home.root / "model"))
    longer.top_k = 6
    assert scored(home, first, longer) == (CUSTOMERS, 0)
    longer.exclude_bought = False
    assert scored(home, first, longer) == (CUSTOMERS, 0)
    assert scored(home, first, longer) == (0, CUSTOMERS)
    monkeypatch.setattr(taken_over, "code_digest", lambda: "other code")
    assert scored(home, first, longer) == (CUSTOMERS, 0)


def saved(model: SequenceTransformer, folder: Path) -> Path:
    model.save(folder)
    return folder


def test_a_new_product_has_all_scored_where_the_model_can_tell_it(home: Home) -> None:
    first, tells = night(), fitted(words=50)
    row = first["products"].iloc[-1:].assign(product_id="p999", title="thing new")
    second = first | {"products": pd.concat([first["products"], row], ignore_index=True)}
    scored(home, first)
    assert scored(home, second) == (0, CUSTOMERS)
    scored(home, first, tells, "tells")
    assert scored(home, second, tells, "tells") == (CUSTOMERS, 0)
    other = second["products"].assign(title=second["products"]["title"].replace("thing new", "kettle"))
    assert scored(home, second | {"products": other}, tells, "tells") == (CUSTOMERS, 0)


def test_a_customer_of_whom_the_model_knows_nothing_is_taken_over_too(home: Home) -> None:
    """Without candidates of the network there is a popular list."""
    first = night()
    stranger = first["customer_products"].iloc[:1].assign(customer_id="stranger", product_id="never heard of")
    first["customer_products"] = pd.concat([first["customer_products"], stranger], ignore_index=True)
    assert scored(home, first) == (CUSTOMERS + 1, 0)
    assert scored(home, first) == (0, CUSTOMERS + 1)
    assert scored(home, night()) == (0, CUSTOMERS), "and is forgotten when gone"
    assert b"stranger" not in file_of(home).read_bytes()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "of another model"])
def test_a_damaged_file_has_all_scored(home: Home, damage: str) -> None:
    first = night()
    scored(home, first)
    file = file_of(home)
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    if damage == "missing":
        file.unlink()
    elif damage == "of another model":
        scored(home, first, version="w")
        file.write_bytes(home.storage.path(key_of("w")).read_bytes())
    else:
        file.write_bytes({"empty": b"", "cut": whole[:-9], "flipped": bytes(flipped)}[damage])
    assert scored(home, first) == (CUSTOMERS, 0)
    assert scored(home, first) == (0, CUSTOMERS)


def test_a_kill_while_the_file_is_written_leaves_the_older_one(home: Home) -> None:
    scored(home, night())
    before = file_of(home).read_bytes()
    child = os.fork()
    if not child:
        taken_over.write_parquet = lambda table, file: (file.write_bytes(b"half"), os._exit(9))  # type: ignore
        lists_of(home, MODEL, a_day_later(night(), 3), "v")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert file_of(home).read_bytes() == before
    assert scored(home, a_day_later(night(), 3)) == (3, CUSTOMERS - 3)


def test_nights_at_once_don_t_disturb_each_other(home: Home) -> None:
    """Each process finds a whole file, its own or another's."""
    children = []
    for buyers in range(4):
        features = a_day_later(night(), buyers, buyers + 1)
        if not (child := os.fork()):
            try:
                for _ in range(5):
                    scored(home, features)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert scored(home, a_day_later(night(), 0))[1] > 0


def test_models_that_count_the_day_s_purchases_score_all(home: Home) -> None:
    first = night()
    for model in (PopularEver(top_k=5), CoPurchase(top_k=5)):
        for _ in range(2):
            lists, counts = lists_of(home, model, first, model.name)
            assert counts == {"scored_anew": CUSTOMERS, "taken_over": 0}
            assert_frame_equal(lists, model.predict(first))
    assert list(home.storage.keys("candidates")) == []


def test_the_file_holds_pseudonyms_and_products_alone(home: Home) -> None:
    scored(home, night())
    kept = taken_over._read(home, "v")
    assert kept.columns.tolist() == taken_over.COLUMNS
    assert set(kept["customer_id"]) == set(night()["customer_products"]["customer_id"])
    assert kept["fingerprint"].str.fullmatch("[0-9a-f]{32}").all()
