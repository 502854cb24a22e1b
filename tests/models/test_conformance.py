"""Every model class keeps the protocol: one test file runs over all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from models import demand, recommendations, risk, support
from models.recommendations.sequence_transformer import SequenceTransformer
from tests.models.generators import (
    at_last_cutoff,
    demand_frames,
    lists_frames,
    payments_frames,
    popularity_frames,
    sequence_frames,
    ticket_frames,
)


@dataclass(frozen=True)
class Family:
    """What the models of one output share: settings, frames, the key and the types of what they predict."""

    models: tuple[Any, ...]
    settings: dict[str, Any] | Callable[[], dict[str, Any]]
    frames: Any
    key: list[str]
    types: dict[str, str]
    marks: tuple[pytest.MarkDecorator, ...] = ()


@cache
def with_encoder() -> dict[str, Any]:
    """Settings of the models of tickets that need a pretrained encoder, with a small one."""
    from tests.models.encoders import write_encoder

    folder, digest = write_encoder(Path(tempfile.mkdtemp(prefix="encoder")))
    return TICKETS | {"encoder": folder, "encoder_sha256": digest}


LIST_KEY = ["as_of", "customer_id", "rank"]
LIST_TYPES = {"as_of": "datetime64[us]", "customer_id": "str", "rank": "int64", "product_id": "str", "score": "float64"}
UNITS = ("units_mean", "units_p10", "units_p50", "units_p90")
WITH_REASON = {"reason": "str", "reason_product_id": "str"}
LISTS = {"top_k": 5, "exclude_bought": True, "seed": 7}
TICKETS = {"automatic_accuracy": 0.9, "seed": 7}
TICKET_TYPES = {"ticket_id": "str", "intent": "str", "intent_probability": "float64", "urgency": "str"}
TICKET_TYPES |= {"urgency_reason": "str", "needs_human": "bool"}
HAS_EXTRA = all(find_spec(package) for package in ("tokenizers", "transformers"))
NEEDS_EXTRA = pytest.mark.skipif(not HAS_EXTRA, reason="needs the extra: make setup-encoder")
POPULAR = recommendations.CONTESTANTS[:2]
FAMILIES = (
    Family(
        demand.CONTESTANTS,
        {"horizon": 3, "period_days": 7, "threads": 1, "seed": 7, "device": "cpu"},
        demand_frames,
        ["as_of", "product_id", "horizon"],
        {"as_of": "datetime64[us]", "product_id": "str", "horizon": "int64"} | dict.fromkeys(UNITS, "float64"),
    ),
    Family(POPULAR, LISTS, popularity_frames, LIST_KEY, LIST_TYPES | {"reason": "str"}),
    Family(
        tuple(model for model in recommendations.CONTESTANTS[2:] if model is not SequenceTransformer),
        LISTS | {"exclude_bought": False},
        partial(lists_frames, customers=60, cutoffs=4),
        LIST_KEY,
        LIST_TYPES | WITH_REASON,
    ),
    Family(
        (SequenceTransformer,),
        LISTS
        | {
            "sizes": {"dim": 16, "heads": 2, "hidden": 16, "length": 8, "words": 50},
            "recipe": {"epochs": 2, "batch_tokens": 64, "negatives": 8, "judged": 10},
        },
        sequence_frames,
        LIST_KEY,
        LIST_TYPES | WITH_REASON,
    ),
    Family(
        risk.CONTESTANTS,
        {"threads": 1, "seed": 7, "device": "cpu"},
        payments_frames,
        ["payment_id"],
        {"payment_id": "str", "fraud_probability": "float64"} | {f"reason_{place}": "str" for place in (1, 2, 3)},
    ),
    Family(support.CONTESTANTS, TICKETS, ticket_frames, ["ticket_id"], TICKET_TYPES),
    Family(support.WITH_ENCODER, with_encoder, ticket_frames, ["ticket_id"], TICKET_TYPES, (NEEDS_EXTRA,)),
)
ALL = [model for family in FAMILIES for model in family.models]
NEED_NOTHING = {"seasonal_naive", "recent_mean", "tsb", "popular_ever"}
CASES = [
    pytest.param(model, family.settings, family.frames, id=model.name, marks=family.marks)
    for family in FAMILIES
    for model in family.models
]
each = pytest.mark.parametrize(("model", "settings", "frames"), CASES, indirect=["settings"])
Frames = Callable[..., tuple[dict[str, pd.DataFrame], pd.DataFrame]]


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Any:
    """Those of a family, written now where they need files."""
    return request.param() if callable(request.param) else request.param


def _fitted(model: Any, settings: dict[str, Any], frames: Frames) -> Any:
    return model(**settings).fit(*frames())


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@each
def test_a_loaded_model_predicts_what_the_saved_one_did(
    model: Any, settings: dict[str, Any], frames: Frames, tmp_path: Path
) -> None:
    fitted = _fitted(model, settings, frames)
    fitted.save(tmp_path / "model")
    loaded = model.load(tmp_path / "model")
    night = at_last_cutoff(frames()[0])
    assert_frame_equal(loaded.predict(night), fitted.predict(night))
    loaded.save(tmp_path / "again")
    assert _files(tmp_path / "again") == _files(tmp_path / "model")


@each
def test_a_refit_saves_the_same_bytes(model: Any, settings: dict[str, Any], frames: Frames, tmp_path: Path) -> None:
    twice = _fitted(model, settings, frames)
    twice.save(tmp_path / "first")
    twice.fit(*frames()).save(tmp_path / "second")
    _fitted(model, settings, frames).save(tmp_path / "third")
    assert _files(tmp_path / "first") == _files(tmp_path / "second") == _files(tmp_path / "third")


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage"])
@each
def test_a_damaged_file_is_named(
    model: Any, settings: dict[str, Any], frames: Frames, damage: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    _fitted(model, settings, frames).save(folder)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "garbage": b"\x93 no model"}[damage])
        with pytest.raises(ValueError, match=rf"cannot load model {model.name} from .*{path.name}: .*; restore"):
            model.load(folder)
        path.write_bytes(whole)


@each
def test_another_models_folder_is_refused(model: Any, settings: dict[str, Any], frames: Frames, tmp_path: Path) -> None:
    other = next(one for one in ALL if one is not model)
    _fitted(model, settings, frames).save(tmp_path)
    with pytest.raises(ValueError, match=f"it belongs to the model '{model.name}'"):
        other.load(tmp_path)


@each
def test_columns_and_types_and_order(model: Any, settings: dict[str, Any], frames: Frames) -> None:
    predicted = _fitted(model, settings, frames).predict(frames()[0])
    family = next(one for one in FAMILIES if model in one.models)
    assert {name: str(kind) for name, kind in predicted.dtypes.items()} == family.types
    assert list(predicted.columns) == list(family.types)
    key = family.key
    assert_frame_equal(predicted, predicted.sort_values(key, ignore_index=True))
    assert not predicted.duplicated(key).any()


@each
def test_a_night_with_nothing_in_scope_gives_the_same_columns_without_rows(
    model: Any, settings: dict[str, Any], frames: Frames
) -> None:
    fitted = _fitted(model, settings, frames)
    full = fitted.predict(at_last_cutoff(frames()[0]))
    empty = fitted.predict({name: frame.iloc[:0] for name, frame in frames()[0].items()})
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    assert [str(kind) for kind in empty.dtypes] == [str(kind) for kind in full.dtypes]


@each
def test_without_targets_a_model_says_so_or_needs_none(model: Any, settings: dict[str, Any], frames: Frames) -> None:
    features, targets = frames()
    if model.name not in NEED_NOTHING:
        with pytest.raises(ValueError, match="too little data"):
            model(**settings).fit(features, targets.iloc[:0])
    else:
        assert len(model(**settings).fit(features, targets.iloc[:0]).predict(features)) > 0


@each
def test_dates_may_be_datetimes_or_python_dates(model: Any, settings: dict[str, Any], frames: Frames) -> None:
    features, targets = frames()
    stamped = {name: _stamped(frame) for name, frame in features.items()}
    expected = model(**settings).fit(features, targets).predict(features)
    assert_frame_equal(model(**settings).fit(stamped, _stamped(targets)).predict(stamped), expected)


def _stamped(frame: pd.DataFrame) -> pd.DataFrame:
    dates = [name for name in frame.columns if name == "as_of" or name.endswith(("_on", "_as_of"))]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in dates})
