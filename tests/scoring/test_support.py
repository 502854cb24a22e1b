"""Suggested answers: of the source's customer and order nothing is left."""

from __future__ import annotations

import pytest

from pipelines.scoring.support import _reply


@pytest.mark.parametrize(
    ("reply", "source", "own", "expected"),
    [
        ("Dear Sue, order 536365 is on its way.", "536365", "540001", "Dear customer, order 540001 is on its way."),
        ("Hi Mr. Smith! It is sent.", None, None, "Hi customer! It is sent."),
        ("Good morning Anne-Marie\nIt is sent.", None, "540001", "Good morning customer\nIt is sent."),
        ("Order 536365 is late.", "536365", None, "your order is late."),
        ("It is sent. Hi to Sue, too.", None, None, "It is sent. Hi to Sue, too."),
        (None, "536365", "540001", None),
    ],
)
def test_a_reply_is_about_this_customer(reply: object, source: object, own: object, expected: str | None) -> None:
    assert _reply(reply, source, own) == expected
