"""Where things are, from the environment: all state lies in the home unless said otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipelines.errors import UsageFault
from pipelines.s3 import Place, parse_place

AIRFLOW_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
PORTS = {"AIRFLOW_PORT": 8080, "MLFLOW_PORT": 5000}


class Places(BaseModel):
    """Where things are."""

    model_config = ConfigDict(frozen=True)

    home: Path
    landing: Place
    warehouse: str = Field(repr=False)  # a URL may hold a password
    storage: str
    mlflow: str = Field(repr=False)
    settings_file: Path | None
    airflow_database: str
    llm_key: str = Field(default="", repr=False)  # of support.llm_url; child processes have it from their parent
    airflow_port: int = PORTS["AIRFLOW_PORT"]  # of the UIs of `nightcart up`
    mlflow_port: int = PORTS["MLFLOW_PORT"]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Places:
        """Read the places.

        Raises:
            UsageFault: an address or a port that cannot be one.
        """
        env = os.environ if environment is None else environment
        home = Path(env.get("NIGHTCART_HOME") or ".nightcart").absolute()
        file = env.get("NIGHTCART_SETTINGS")
        return cls(
            home=home,
            landing=parse_place(env.get("NIGHTCART_LANDING") or str(home / "landing")),
            warehouse=env.get("NIGHTCART_WAREHOUSE") or str(home / "warehouse.duckdb"),
            storage=str(parse_place(env.get("NIGHTCART_STORAGE") or str(home / "storage"))),
            mlflow=env.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.sqlite'}",
            settings_file=Path(file).absolute() if file else None,
            airflow_database=env.get(AIRFLOW_DATABASE) or f"sqlite:///{home / 'airflow' / 'airflow.db'}",
            llm_key=env.get("NIGHTCART_LLM_KEY", ""),
            airflow_port=_port(env, "AIRFLOW_PORT"),
            mlflow_port=_port(env, "MLFLOW_PORT"),
        )

    @cached_property
    def as_environment(self) -> dict[str, str]:
        """The same places as variables, for child processes."""
        env = {
            "NIGHTCART_HOME": str(self.home),
            "NIGHTCART_LANDING": str(self.landing),
            "NIGHTCART_WAREHOUSE": self.warehouse,
            "NIGHTCART_STORAGE": self.storage,
            "MLFLOW_TRACKING_URI": self.mlflow,
            AIRFLOW_DATABASE: self.airflow_database,
        }
        return env | ({"NIGHTCART_SETTINGS": str(self.settings_file)} if self.settings_file else {})


def _port(env: Mapping[str, str], name: str) -> int:
    text = env.get(name) or str(PORTS[name])
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageFault(f"{name} is {text}", "expected a port between 1 and 65535")
    return int(text)
