"""Where answers of the language model lie, and what each night asked for: `nightcart prune` goes by it."""

from __future__ import annotations

from datetime import date

NIGHTS, ANSWERS = "drafts", "answers"
"""Folders of what each night asked for, with its failures, and of the answers by the digest of what was asked."""


def asked_key(as_of: date) -> str:
    """Where the digests of what a night asked for lie."""
    return f"{NIGHTS}/{as_of}/asked.json"


def failure_key(as_of: date, digest: str) -> str:
    """Where a night keeps why no answer came."""
    return f"{NIGHTS}/{as_of}/{digest}.json"


def answer_key(digest: str) -> str:
    """Where the answer to what has that digest lies."""
    return f"{ANSWERS}/{digest}.json"
