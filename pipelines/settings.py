"""All settings, in one frozen and strict model. Nothing else reads the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pipelines.errors import UsageFault
from pipelines.places import Places
from pipelines.sections import (
    LATER,
    Alert,
    Compute,
    Cost,
    Demand,
    Gate,
    Privacy,
    Recommendations,
    Release,
    Risk,
    Support,
    Validate,
)

__all__ = ["Places", "Settings", "known_keys", "load_settings"]

PREFIX = "NIGHTCART__"


class Settings(BaseSettings):
    """The settings file, each key also as `NIGHTCART__SECTION__KEY`; the environment goes before the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_parse_none_str="null",
        extra="forbid",
        frozen=True,
        strict=True,
    )

    # pydantic's models have a method called validate; an alias takes the prefix of the environment off, so it is in it
    validate_: Validate = Field(
        default=Validate(), validation_alias=f"{PREFIX}validate", serialization_alias="validate"
    )
    recommendations: Recommendations = Recommendations()
    demand: Demand = Demand()
    risk: Risk = Risk()
    support: Support = Support()
    gate: Gate = Gate()
    release: Release = Release()
    privacy: Privacy = Privacy()
    alert: Alert = Alert()
    cost: Cost = Cost()
    compute: Compute = Compute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file."""
        return env_settings, init_settings

    def in_digest(self) -> dict[str, Any]:
        """What of the settings counts towards a release's id: no paths, threads, device, prices nor what is later."""
        left_out = {"privacy": {"key_file"}, "compute": {"threads", "device"}, "alert": {"url"}}
        left_out |= {"release": {"keep_days"}, "recommendations": {"study_trials"}, "risk": {"review_minutes"}}
        left_out |= {"support": {"encoder"}, "cost": set(Cost.model_fields)}
        return self.model_dump(mode="json", by_alias=True, exclude=left_out)

    def not_in_effect(self) -> list[str]:
        """Keys that were set but that nothing built so far reads."""
        return [
            f"{section}.{key}"
            for section in type(self).model_fields
            for key in sorted(getattr(self, section).model_fields_set)
            if type(getattr(self, section)).model_fields[key].json_schema_extra == LATER
        ]


def known_keys() -> list[str]:
    """Every key of the settings file as `section.key`."""
    return [
        f"{field.serialization_alias or name}.{key}"
        for name, field in Settings.model_fields.items()
        for key in field.annotation.model_fields  # type: ignore[union-attr]
    ]


def _refuse_unknown(key: str, where: str) -> None:
    if key not in known_keys():
        nearest = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.0)[0]
        raise UsageFault(f"unknown setting {key} in {where}", f"did you mean {nearest}? `nightcart doctor` lists all")


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        content = yaml.safe_load(file.read_text("utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UsageFault(f"cannot read the settings file {file}: {error}", "NIGHTCART_SETTINGS names it") from error
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise UsageFault(f"{file} holds no sections", "expected `section:` with `key: value` lines below it")
    for section, keys in content.items():
        for key in keys:
            _refuse_unknown(f"{section}.{key}", str(file))
    return content


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and the file.

    Raises:
        UsageFault: an unknown key (the nearest is named), or a value that is not allowed.
    """
    for name in sorted(os.environ if environment is None else environment):
        if name.startswith(PREFIX):
            _refuse_unknown(".".join(name.removeprefix(PREFIX).lower().split("__")), "the environment")
    try:
        content = _read_file(file)
        return Settings(**{f"{PREFIX}{name}" if name == "validate" else name: part for name, part in content.items()})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]).removeprefix(PREFIX)
        raise UsageFault(
            f"setting {key} is {first['input']!r}: {first['msg']}", "see docs/settings.md for the allowed values"
        ) from error
