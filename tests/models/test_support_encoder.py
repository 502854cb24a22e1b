"""A pretrained encoder: read from a folder, checked, never from a hub; frozen and fine-tuned models that keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from models.metrics import value
from models.support import WITH_ENCODER, FineTunedEncoder, SentenceEncoder, metrics
from tests.models.generators import ticket_frames

HAS_EXTRA = True
try:
    import tokenizers  # noqa: F401
    import transformers  # noqa: F401
except ImportError:
    HAS_EXTRA = False
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="needs the extra: make setup-encoder")


@pytest.fixture
def encoder(tmp_path: Path) -> tuple[Path, str]:
    from tests.models.encoders import write_encoder

    return write_encoder(tmp_path / "encoder")


@pytest.mark.parametrize("kind", WITH_ENCODER)
def test_without_a_folder_the_fit_says_so(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"no sentence encoder: set support\.encoder"):
        kind().fit(*ticket_frames())


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found no model\.safetensors in .*, expected a folder in the Hugging Face"):
        SentenceEncoder(encoder=tmp_path).fit(*ticket_frames())


def test_other_weights_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ValueError, match=r"model\.safetensors has SHA-256 44136.*, expected 53aa5117.*download it"):
        SentenceEncoder(encoder=tmp_path).fit(*ticket_frames())


@needs_extra
def test_an_embedding_does_not_depend_on_the_batch_and_is_cached(encoder: tuple[Path, str], monkeypatch: Any) -> None:
    from models.support.encoder import encoder_of

    found = encoder_of(*encoder)
    texts = ["where is my parcel", "refund", "", "Wo ist meine Bestellung?", "我的包裹在哪里", "a " * 500, "\ud800"]
    together = found.embedded(texts)
    assert np.isfinite(together).all()
    assert np.linalg.norm(np.delete(together, 2, axis=0), axis=1) == pytest.approx(np.ones(len(texts) - 1), abs=1e-5)
    alone = np.concatenate([found._embed([text], 1, "cpu") for text in texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    monkeypatch.setattr(found, "_embed", None)  # nothing is embedded twice
    np.testing.assert_array_equal(found.embedded(texts[::-1]), together[::-1])


@needs_extra
def test_threads_change_no_bit(encoder: tuple[Path, str]) -> None:
    from models.support.encoder import encoder_of

    found = encoder_of(*encoder)
    texts = [f"parcel {place} is late" for place in range(100)]
    np.testing.assert_array_equal(found._embed(texts, 1, "cpu"), found._embed(texts, 2, "cpu"))


@needs_extra
@pytest.mark.parametrize("kind", WITH_ENCODER)
def test_a_model_keeps_its_encoder(kind: Any, encoder: tuple[Path, str], tmp_path: Path) -> None:
    folder, digest = encoder
    features, targets = ticket_frames()
    fitted = kind(encoder=folder, encoder_sha256=digest).fit(features, targets)
    fitted.save(tmp_path / "first")
    kind(encoder=folder, encoder_sha256=digest).fit(features, targets).save(tmp_path / "second")
    for file in folder.iterdir():
        file.unlink()
    loaded = kind.load(tmp_path / "first")
    assert_frame_equal(loaded.predict(features), fitted.predict(features))
    loaded.save(tmp_path / "again")
    first, second, again = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("first", "second", "again")
    )
    assert first == second == again
    unseen, truth = ticket_frames(seed=14)
    assert value(metrics.accuracy(metrics.with_labels(loaded.predict(unseen), truth))) > 0.9


@needs_extra
@pytest.mark.parametrize("name", ["encoder.safetensors", "encoder.json", "tokenizer.json", "embeddings.safetensors"])
def test_a_damaged_file_of_the_encoder_is_named(name: str, encoder: tuple[Path, str], tmp_path: Path) -> None:
    SentenceEncoder(encoder=encoder[0], encoder_sha256=encoder[1]).fit(*ticket_frames()).save(tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(b"\x93 nothing")
    with pytest.raises(ValueError, match=rf"cannot load model sentence_encoder from .*{name}: .*; restore"):
        SentenceEncoder.load(tmp_path / "model")


@needs_extra
def test_what_transformers_cannot_build_is_named(encoder: tuple[Path, str]) -> None:
    folder, digest = encoder
    config = json.loads((folder / "config.json").read_text("utf-8")) | {"model_type": "none_such"}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ValueError, match="found no encoder that transformers can build"):
        SentenceEncoder(encoder=folder, encoder_sha256=digest).fit(*ticket_frames())


@needs_extra
def test_fine_tuning_keeps_to_its_minutes(encoder: tuple[Path, str]) -> None:
    from models.support.fine_tuning import Recipe, epochs_within

    assert epochs_within(6, 10_600_000, 165_000, Recipe(), "cpu") < epochs_within(None, 1, 1, Recipe(), "cpu") == 3
    with pytest.raises(ValueError, match="too little time to fine-tune: 2 epochs"):
        FineTunedEncoder(encoder=encoder[0], encoder_sha256=encoder[1], minutes=1e-9).fit(*ticket_frames())


@needs_extra
def test_the_whole_text_of_a_ticket_counts_up_to_the_encoders_length(encoder: tuple[Path, str]) -> None:
    from models.support.encoder import encoder_of

    found = encoder_of(*encoder)
    assert len(found.ids(["ab " * 500])[0]) == 64  # positions of this encoder
    tickets = pd.DataFrame({"ticket_id": ["a"], "text": ["x " * 10_000], "messages": 1, "unanswered_messages": 1})
    model = SentenceEncoder(encoder=encoder[0], encoder_sha256=encoder[1]).fit(*ticket_frames())
    assert len(model.predict({"tickets": tickets})) == 1
