"""A digest of each customer's events and of what is the same for all: equal digests, equal candidates."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

from models.recommendations.sequence.packing import Sequences

BYTES = 16


def fingerprints(shared: Sequence[bytes], own: Sequence[Sequences]) -> list[str]:
    """[U] hexadecimal. shared: the same for all. own: sequences of the same U users."""
    base = blake2b(digest_size=BYTES)
    for part in shared:
        base.update(len(part).to_bytes(8, "little") + part)
    found = [base.copy() for _ in range(len(own[0]))]
    for sequences in own:
        for user, (start, end) in enumerate(pairwise(sequences.starts.tolist())):
            found[user].update((end - start).to_bytes(8, "little") + sequences.items[start:end].tobytes())
    return [digest.hexdigest() for digest in found]
