"""Exact top-k of implicit and faiss, timed; run as a script by the interpreter of the peers.

`python top_k_peers.py ARRAYS.npz RESULT.npz K`: ARRAYS hold sought [U, d], items [N, d], seen and starts (what each
user has seen, one after the other). RESULT holds for each package its CPU seconds and items [U, k]. One thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
from implicit.cpu.topk import topk
from numpy.typing import NDArray
from scipy import sparse

Arrays = dict[str, NDArray[Any]]
ROUNDS = 3
"""Times each is run; the fastest counts."""
CHUNK = 256


def implicit_topk(given: Arrays, k: int) -> NDArray[Any]:
    """implicit's topk, seen items filtered by itself."""
    shape = (len(given["sought"]), len(given["items"]))
    seen = sparse.csr_matrix((np.ones(len(given["seen"]), np.float32), given["seen"], given["starts"]), shape=shape)
    found = topk(given["items"], given["sought"], k, filter_query_items=seen, num_threads=1)[0]
    return np.asarray(found)


def faiss_flat(given: Arrays, k: int) -> NDArray[Any]:
    """faiss' IndexFlatIP; it has no filter by user, so as many more are asked as a user has seen at most."""
    index = faiss.IndexFlatIP(given["items"].shape[1])
    index.add(given["items"])
    most, starts, found = int(np.diff(given["starts"]).max()), given["starts"], []
    for first in range(0, len(given["sought"]), CHUNK):
        _, items = index.search(given["sought"][first : first + CHUNK], k + most)
        for user, row in enumerate(items, start=first):
            kept = row[~np.isin(row, given["seen"][starts[user] : starts[user + 1]])]
            found.append(kept[:k])
    return np.stack(found)


def timed(run: Callable[[Arrays, int], NDArray[Any]], given: Arrays, k: int) -> tuple[float, NDArray[Any]]:
    """The fewest CPU seconds of some runs, and what was found."""
    seconds, found = [], np.zeros(0)
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = run(given, k)
        seconds.append(time.process_time() - begun)
    return min(seconds), found


if __name__ == "__main__":
    source, target, asked = sys.argv[1:]
    faiss.omp_set_num_threads(1)
    arrays = dict(np.load(source))
    result: Arrays = {}
    for contestant in (implicit_topk, faiss_flat):
        spent, result[contestant.__name__] = timed(contestant, arrays, int(asked))
        result[f"{contestant.__name__}_seconds"] = np.array(spent)
    np.savez(target, **result)  # type: ignore[arg-type]
