"""The shelf: what is shared is what each would have made alone, and it stays within its limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from models.dates import rows_of
from models.recommendations import CONTESTANTS, PersonalLists, SequenceTransformer
from models.recommendations.frames import identity, with_purchases_of
from models.shelf import Shelf, size_of
from tests.models.generators import at_last_cutoff, lists_frames

SHARING = [kind for kind in CONTESTANTS if issubclass(kind, PersonalLists) and kind is not SequenceTransformer]


@pytest.mark.parametrize("exclude_bought", [False, True])
def test_contestants_that_share_learn_and_list_what_each_does_alone(exclude_bought: bool, tmp_path: Path) -> None:
    features, targets = lists_frames(customers=60, cutoffs=4)
    night, shelf = at_last_cutoff(features), Shelf()
    for turn in range(2):  # the second finds all on the shelf
        for kind in SHARING:
            lists = []
            for given in (shelf, None):
                model: Any = kind(top_k=5, exclude_bought=exclude_bought)
                model.shelf = given
                lists.append(model.fit(features, targets).predict(night))
                model.save(tmp_path / f"{kind.name}{turn}{given is None}")
            assert_frame_equal(*lists)
            alone, shared = (tmp_path / f"{kind.name}{turn}{is_alone}" for is_alone in (True, False))
            assert {file.name: file.read_bytes() for file in alone.iterdir()} == {
                file.name: file.read_bytes() for file in shared.iterdir()
            }


def test_a_candidate_is_looked_for_once() -> None:
    night, shelf, asked = at_last_cutoff(lists_frames()[0]), Shelf(), []

    class Counting(SHARING[0]):  # type: ignore[misc, valid-type]
        def candidates(self, features: Any) -> pd.DataFrame:
            asked.append(identity(features))
            return super().candidates(features)

    for customers in (["c000", "c001"], ["c001"], ["c000", "c001"]):
        model = Counting(top_k=5, exclude_bought=False)
        model.shelf = shelf
        model.predict(with_purchases_of(night, pd.Series(customers)))
    assert len(asked) == len(set(asked)) == 2


def test_the_oldest_go_where_the_limit_is_reached() -> None:
    shelf, made = Shelf(limit=200), []

    def of(name: str, size: int) -> Any:
        return shelf.once(name, lambda: made.append(name) or np.zeros(size, np.int8))

    for name, size in (("a", 90), ("b", 90), ("a", 90), ("c", 90), ("a", 90), ("b", 90), ("too large", 201)):
        assert size_of(of(name, size)) == size
    assert made == ["a", "b", "c", "b", "too large"]
    assert shelf.size == 180


def test_rows_that_lie_together_are_the_same_as_those_that_do_not() -> None:
    frame = pd.DataFrame({"of": list("abcde")})
    for kept in ([0, 1, 1, 0, 0], [1, 0, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]):
        mask = np.array(kept, bool)
        assert_frame_equal(rows_of(frame, mask), frame[mask].reset_index(drop=True))
    assert rows_of(frame.iloc[:0], np.zeros(0, bool)).empty
