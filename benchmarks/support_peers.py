"""Other ways to tell intents, as their packages come: fitted on the same texts, without any of our code."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BUCKETS = 2**18


class Wanted(NamedTuple):
    """What a peer is asked with. encoder: a folder in the Hugging Face format, for the peers that need one."""

    threads: int
    seed: int
    encoder: Path | None = None


Logits = Callable[[Sequence[str]], Floats]
"""[n] texts -> [n, C]; a peer's certainty is the greatest."""


def linear_svc(texts: Sequence[str], labels: NDArray[np.int64], wanted: Wanted) -> Logits:
    """scikit-learn's TfidfVectorizer (words to pairs, characters in words 2 to 5, sublinear) with LinearSVC."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    vectors = make_union(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5)),
    )
    model = make_pipeline(vectors, LinearSVC(random_state=wanted.seed)).fit(texts, labels)

    def logits(texts: Sequence[str]) -> Floats:
        found = np.asarray(model.decision_function(texts))
        return np.column_stack([-found, found]) if found.ndim == 1 else found

    return logits


def fasttext_bag(texts: Sequence[str], labels: NDArray[np.int64], wanted: Wanted) -> Logits:
    """torch's EmbeddingBag, the mean of 128 numbers of each hashed word, pair and character n-gram; 15 epochs."""
    import torch
    from torch import nn

    torch.set_num_threads(wanted.threads)
    torch.manual_seed(wanted.seed)
    bag, out = nn.EmbeddingBag(BUCKETS, 128, sparse=True), nn.Linear(128, int(labels.max()) + 1)
    nn.init.normal_(bag.weight, std=0.1)
    both = [torch.optim.SparseAdam(list(bag.parameters()), lr=3e-3), torch.optim.Adam(out.parameters(), lr=3e-3)]
    rows = [_buckets(text) for text in texts]

    def scores(part: Sequence[Any]) -> Any:
        starts = np.concatenate([[0], np.cumsum([len(row) for row in part])[:-1]])
        return out(bag(torch.from_numpy(np.concatenate(part)), torch.from_numpy(starts)))

    for _ in range(15):
        order = torch.randperm(len(rows))
        for batch in (order[at : at + 64] for at in range(0, len(rows), 64)):
            loss = nn.functional.cross_entropy(scores([rows[at] for at in batch]), torch.from_numpy(labels)[batch])
            for optimiser in both:
                optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimiser in both:
                optimiser.step()

    def logits(texts: Sequence[str]) -> Floats:
        with torch.inference_mode():
            return np.asarray(scores([_buckets(text) for text in texts]).numpy(), dtype=np.float64)

    return logits


def encoder_logistic(texts: Sequence[str], labels: NDArray[np.int64], wanted: Wanted) -> Logits:
    """transformers' AutoModel of `--encoder`, mean of its tokens, with scikit-learn's LogisticRegression (C 20)."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from transformers import AutoModel, AutoTokenizer

    if wanted.encoder is None:
        raise ValueError("the peer encoder_logistic was asked for without --encoder: name a folder with its files")
    torch.set_num_threads(wanted.threads)
    tokens = AutoTokenizer.from_pretrained(str(wanted.encoder), local_files_only=True)
    network = AutoModel.from_pretrained(str(wanted.encoder), local_files_only=True, use_safetensors=True).eval()

    def embedded(texts: Sequence[str]) -> Floats:
        found = []
        with torch.inference_mode():
            for at in range(0, len(texts), 32):
                part = tokens(
                    list(texts[at : at + 32]), padding=True, truncation=True, max_length=256, return_tensors="pt"
                )
                mask = part["attention_mask"][..., None]
                total = (network(**part).last_hidden_state * mask).sum(1)
                found.append(torch.nn.functional.normalize(total / mask.sum(1)).numpy())
        return np.concatenate(found)

    model = LogisticRegression(C=20.0, max_iter=1_000).fit(embedded(texts), labels)
    return lambda texts: np.asarray(model.decision_function(embedded(texts)))


def _buckets(text: str) -> NDArray[np.int64]:
    words = re.findall(r"\w+", text.lower())
    grams = words + [f"{first} {second}" for first, second in pairwise(words)]
    for word in words:
        marked = f"<{word}>"
        grams += [marked[at : at + n] for n in (3, 4, 5) for at in range(len(marked) - n + 1)]
    return np.array([zlib.crc32(gram.encode()) % BUCKETS for gram in grams or [""]], dtype=np.int64)


PEERS: dict[str, Callable[[Sequence[str], NDArray[np.int64], Wanted], Logits]] = {
    "linear_svc": linear_svc,
    "fasttext_bag": fasttext_bag,
    "encoder_logistic": encoder_logistic,
}
