"""A sentence encoder small enough for tests: a transformer of random weights and a tokenizer of single characters."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "vocab_size": 300,
}


def write_encoder(folder: Path) -> tuple[Path, str]:
    """The files of an encoder, the same each time; gives the folder and the SHA-256 of its weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoConfig, AutoModel

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    letters = [chr(place) for place in range(33, 127)]
    vocabulary = {letter: 1 + place for place, letter in enumerate(letters)} | {"[UNK]": 0}
    tokens = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokens.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")]
    )
    tokens.save(str(folder / "tokenizer.json"))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        told = {key: value for key, value in CONFIG.items() if key != "model_type"}
        network = AutoModel.from_config(AutoConfig.for_model(CONFIG["model_type"], **told))
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / "model.safetensors"
    )
    return folder, hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
