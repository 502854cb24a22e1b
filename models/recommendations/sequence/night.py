"""What is asked of the network on a night, and a digest of it for each customer: equal digests, equal candidates."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.recommendations.sequence.network import Network
from models.recommendations.sequence.packing import Sequences

BYTES = 16


class Night(NamedTuple):
    """U customers, over N products."""

    network: Network
    customers: pd.Index
    products: pd.Index
    asked: Sequences
    seen: Sequences | None
    """What is left out."""
    shown: NDArray[np.bool_]  # [N]

    def fingerprints(self, settings: bytes) -> pd.Series:
        """By customer, hexadecimal: of all but the network's weights."""
        shared = [settings, self.shown.tobytes(), self.network.content.cpu().numpy().tobytes()]
        own = [self.asked, *([] if self.seen is None else [self.seen])]
        return pd.Series(digests(shared, own), index=self.customers, dtype="str")


def digests(shared: Sequence[bytes], own: Sequence[Sequences]) -> list[str]:
    """[U] hexadecimal. shared: the same for all. own: sequences of the same U users."""
    base = blake2b(digest_size=BYTES)
    for part in shared:
        base.update(len(part).to_bytes(8, "little") + part)
    found = [base.copy() for _ in range(len(own[0]))]
    for sequences in own:
        for user, (start, end) in enumerate(pairwise(sequences.starts.tolist())):
            found[user].update((end - start).to_bytes(8, "little") + sequences.items[start:end].tobytes())
    return [digest.hexdigest() for digest in found]
