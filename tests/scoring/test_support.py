"""Support as an output: who competes, and with what."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.support import CONTESTANTS, WITH_ENCODER, KeywordRule
from pipelines.scoring import support
from pipelines.scoring.support import EXTRA, SupportOutput, encoder_folder
from pipelines.sections import Support
from pipelines.settings import Settings


def test_the_extras_encoder_is_found_without_running_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert encoder_folder(None) is None
    assert encoder_folder("/somewhere") == "/somewhere"
    (tmp_path / EXTRA / "model").mkdir(parents=True)
    (tmp_path / EXTRA / "__init__.py").write_text("raise RuntimeError('its code ran')", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(support, "TRANSFORMERS", "no_such_package")
    assert encoder_folder("auto") is None  # the files alone are no use
    monkeypatch.setattr(support, "TRANSFORMERS", "json")
    assert encoder_folder("auto") == str(tmp_path / EXTRA / "model")
    assert EXTRA not in sys.modules


def test_without_the_extra_there_is_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "EXTRA", "no_such_package")
    assert encoder_folder("auto") is None


def test_only_models_with_an_encoder_are_given_one() -> None:
    settings = Settings(support=Support(encoder="/somewhere", automatic_accuracy=0.9))
    home: Any = SimpleNamespace(settings=settings, threads=2, device="cpu")
    output = SupportOutput()
    assert output.contestants() == (*CONTESTANTS, *WITH_ENCODER)
    for kind in output.contestants():
        arguments = output.arguments(home, kind, date(2011, 11, 1))
        assert ("encoder" in arguments) == (kind in WITH_ENCODER)
        assert ("threads" in arguments) == (kind is not KeywordRule)
        assert kind(**arguments).automatic_accuracy == 0.9


def test_where_an_encoder_lies_is_no_part_of_a_releases_id() -> None:
    here, there = (Settings(support=Support(encoder=folder)).in_digest() for folder in ("/here", None))
    assert here == there
