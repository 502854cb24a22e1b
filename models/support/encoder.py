"""A sentence encoder from a local folder in the Hugging Face format: digest checked, safetensors, never from a hub."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch.nn import functional

from models.recommendations.sequence.runtime import in_threads, on_device

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights of all-MiniLM-L6-v2 (Wang et al. 2020; Apache-2.0)."""
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
MOST_TOKENS = 256
"""Of a text, the first: as all-MiniLM-L6-v2 was trained."""
BATCH = 32
MOST_CACHED = 50_000
"""Embeddings that an encoder keeps, by the digest of their text; the oldest go."""
UNUSED = ("pooler.",)
"""Weights that the mean of tokens does without."""
Vectors = NDArray[np.float32]


class Files(NamedTuple):
    """What an encoder is made of, as bytes."""

    weights: bytes
    config: bytes
    tokenizer: bytes


class Encoder:
    """The mean of a transformer's last states, of length 1 (Reimers and Gurevych 2019).

    files: as read; source: what errors call them. Raises ValueError where they hold no encoder that transformers
    knows, or where the extra `encoder` is not installed.
    """

    def __init__(self, files: Files, source: str) -> None:
        self.files = files
        self.tokens = _tokenizer(files.tokenizer, source)
        self.network = _network(files, source)
        self.dim = int(self.network.config.hidden_size)
        most = getattr(self.network.config, "max_position_embeddings", MOST_TOKENS)
        self.tokens.enable_truncation(min(MOST_TOKENS, int(most)))
        self.tokens.no_padding()
        self._cache: OrderedDict[bytes, Vectors] = OrderedDict()

    def embedded(self, texts: Sequence[str], *, threads: int = 1, device: str = "cpu") -> Vectors:
        """[n] texts -> [n, D]; of a text seen before, what is cached."""
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in self._cache}
        made = dict(zip(new, self._embed(list(new.values()), threads, device), strict=True)) if new else {}
        found = [made[digest] if digest in made else self._cache[digest] for digest in digests]
        self._cache.update(made)
        while len(self._cache) > MOST_CACHED:
            self._cache.popitem(last=False)
        return np.stack(found) if found else np.zeros((0, self.dim), np.float32)

    def _embed(self, texts: list[str], threads: int, device: str) -> Vectors:
        with on_device(device, threads) as where, torch.inference_mode():
            network = self.network.to(where).eval()
            batches = self.batches(texts)

            def states(rows: NDArray[np.int64]) -> Vectors:
                with torch.inference_mode():
                    found = pooled(network, self.ids([texts[row] for row in rows]), where)
                    return np.asarray(found.cpu().numpy(), dtype=np.float32)

            parts = in_threads(states, batches)
            network.to("cpu")
        found = np.zeros((len(texts), self.dim), np.float32)
        for rows, part in zip(batches, parts, strict=True):
            found[rows] = part
        return found

    def batches(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Rows of up to 32 texts of like length."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, with the marks that the encoder was trained with."""
        return [found.ids for found in self.tokens.encode_batch([_clean(text) for text in texts])]

    def stored(self) -> Files:
        """The files with the weights as they are now."""
        tensors = {name: tensor.contiguous() for name, tensor in sorted(self.network.state_dict().items())}
        return self.files._replace(weights=save_tensors(tensors))


def pooled(network: Any, ids: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    """n rows of tokens -> [n, D], rows of length 1."""
    longest = max(max(map(len, ids)), 1)
    tokens = torch.zeros(len(ids), longest, dtype=torch.int64)
    mask = torch.zeros(len(ids), longest, dtype=torch.int64)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = torch.tensor(one, dtype=torch.int64)
        mask[row, : len(one)] = 1
    mask = mask.to(device)
    states = network(input_ids=tokens.to(device), attention_mask=mask).last_hidden_state  # [n, L, D]
    total = (states * mask[..., None]).sum(dim=1)
    return functional.normalize(total / mask.sum(dim=1, keepdim=True).clamp(min=1))


@lru_cache(maxsize=1)
def encoder_of(folder: Path, sha256: str | None = None) -> Encoder:
    """The encoder in a folder, loaded once in a process; sha256: of its weights, by default all-MiniLM-L6-v2's.

    Raises ValueError where a file is missing or the weights are others.
    """
    found = {}
    for name in (WEIGHTS, CONFIG, TOKENIZER):
        if not (folder / name).is_file():
            raise ValueError(
                f"support.encoder: found no {name} in {folder}, expected a folder in the Hugging Face format"
            )
        found[name] = (folder / name).read_bytes()
    digest, expected = hashlib.sha256(found[WEIGHTS]).hexdigest(), sha256 or MINILM_SHA256
    if digest != expected:
        raise ValueError(
            f"support.encoder: {folder / WEIGHTS} has SHA-256 {digest}, expected {expected}: download it again, or "
            "set support.encoder_sha256 where it is an encoder of your own"
        )
    return Encoder(Files(*(found[name] for name in (WEIGHTS, CONFIG, TOKENIZER))), str(folder))


def restored(files: Files, source: str) -> Encoder:
    """An encoder from the files of a model."""
    return Encoder(files, source)


def _tokenizer(raw: bytes, source: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ValueError(_MISSING.format(source=source, error=error)) from error
    try:
        return Tokenizer.from_str(raw.decode("utf-8"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise ValueError(f"{source}: {TOKENIZER} holds no tokenizer: {error}") from error


def _network(files: Files, source: str) -> Any:
    """The transformer that the configuration names, without its heads, with the weights."""
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError as error:
        raise ValueError(_MISSING.format(source=source, error=error)) from error
    told: Mapping[str, Any] = json.loads(files.config)
    try:
        config = AutoConfig.for_model(told["model_type"], **{k: v for k, v in told.items() if k != "model_type"})
        with torch.random.fork_rng():
            network = AutoModel.from_config(config)
        missing, _ = network.load_state_dict(load_tensors(files.weights), strict=False)
    except (KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{source}: found no encoder that transformers can build: {error}") from error
    if lacking := [name for name in missing if not name.startswith(UNUSED)]:
        raise ValueError(f"{source}: the weights lack {lacking[0]}, expected all but the pooler's")
    return network.eval()


def _clean(text: str) -> str:
    """Halves of surrogate pairs, which tokenizers refuse, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


_MISSING = "{source}: an encoder needs the packages of the extra `encoder` ({error}): run `make setup-encoder`"
