"""Lists by country and channel: where enough customers say so, and near the list of all where few do."""

from __future__ import annotations

import pandas as pd

from models.recommendations.segments import LEAST_CUSTOMERS, segment_lists

DEFAULT = pd.DataFrame({"rank": [1, 2, 3], "product_id": ["a", "b", "c"], "score": [60.0, 30.0, 10.0]})


def segment(country: str, customers: dict[str, int], of: int) -> pd.DataFrame:
    rows = [(country, "", product, count, of) for product, count in customers.items()]
    return pd.DataFrame(rows, columns=["country", "channel", "product_id", "customers", "segment_customers"])


def lists(segments: pd.DataFrame, top_k: int = 3) -> dict[tuple[str, str], list[str]]:
    found = segment_lists(DEFAULT, segments, top_k)
    assert list(found.columns) == ["country", "channel", "rank", "product_id", "score"]
    return {key: part["product_id"].tolist() for key, part in found.groupby(["country", "channel"])}


def test_a_large_segment_has_a_list_of_its_own() -> None:
    found = lists(segment("FR", {"c": 300, "b": 100}, 400))
    assert found == {("", ""): ["a", "b", "c"], ("FR", ""): ["c", "b", "a"]}


def test_a_small_one_is_served_that_of_all() -> None:
    assert lists(segment("FR", {"c": LEAST_CUSTOMERS - 1}, LEAST_CUSTOMERS - 1)) == {("", ""): ["a", "b", "c"]}


def test_few_purchases_hardly_move_the_list_of_all() -> None:
    assert lists(segment("FR", {"c": 10}, LEAST_CUSTOMERS), 2)["FR", ""] == ["a", "b"]


def test_without_segments_there_is_one_list() -> None:
    assert lists(segment("FR", {}, 0), 2) == {("", ""): ["a", "b"]}
