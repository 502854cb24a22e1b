"""Settings: file and environment, unknown keys named with the nearest, wrong values refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import UsageFault
from pipelines.settings import Places, known_keys, load_settings


def write(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text, "utf-8")
    return file


def test_file_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "demand: {frequency: D, horizon: 42}\nvalidate: {max_age_days: 3}\n")
    monkeypatch.setenv("NIGHTCART__DEMAND__HORIZON", "7")
    monkeypatch.setenv("NIGHTCART__RECOMMENDATIONS__BANNED", '["a", "b"]')
    monkeypatch.setenv("NIGHTCART__DEMAND__TRAIN_MINUTES", "5")
    monkeypatch.setenv("NIGHTCART__VALIDATE__MAX_AGE_DAYS", "null")
    settings = load_settings(file)
    assert (settings.demand.frequency, settings.demand.horizon, settings.demand.period_days) == ("D", 7, 1)
    assert settings.recommendations.banned == ["a", "b"]
    assert settings.validate_.max_age_days is None
    assert settings.not_in_effect() == ["demand.train_minutes"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("demand: {horizn: 3}", "unknown setting demand.horizn"),
        ("demnad: {horizon: 3}", "unknown setting demnad.horizon"),
        ("demand: {horizon: 3.5}", "demand.horizon is 3.5"),
        ("demand: {horizon: '8'}", "demand.horizon is '8'"),
        ("demand: {frequency: M}", "demand.frequency is 'M'"),
        ("demand: [1]", "holds no sections"),
        ("demand: {horizon: ", "cannot read the settings file"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageFault, match=message.replace(".", r"\.")) as caught:
        load_settings(write(tmp_path, text))
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_unknown_variables_name_the_nearest() -> None:
    with pytest.raises(UsageFault, match=r"demand\.horizonn") as caught:
        load_settings(environment={"NIGHTCART__DEMAND__HORIZONN": "3"})
    assert "demand.horizon" in caught.value.hint


def test_digest_counts_what_decides_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_settings().in_digest()
    monkeypatch.setenv("NIGHTCART__COMPUTE__THREADS", "1")
    monkeypatch.setenv("NIGHTCART__COMPUTE__DEVICE", "cpu")
    monkeypatch.setenv("NIGHTCART__COST__ENERGY_PRICE", "0.5")
    monkeypatch.setenv("NIGHTCART__PRIVACY__KEY_FILE", str(tmp_path / "key"))
    assert load_settings().in_digest() == plain
    monkeypatch.setenv("NIGHTCART__COMPUTE__SEED", "8")
    assert load_settings().in_digest() != plain


def test_places_default_to_the_home(tmp_path: Path) -> None:
    places = Places.from_environment({"NIGHTCART_HOME": str(tmp_path)})
    assert places.landing == tmp_path / "landing"
    assert places.warehouse == str(tmp_path / "warehouse.duckdb")
    assert Places.from_environment(places.as_environment) == places


def test_every_key_has_a_comment_in_the_docs() -> None:
    from docs.generate import settings_md

    text = settings_md()
    for key in known_keys():
        row = next(line for line in text.splitlines() if line.startswith(f"| {key.split('.')[1]} |"))
        assert len(row.split("|")[3].strip()) > 5, key
