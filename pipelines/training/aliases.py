"""Aliases in MLflow mirror the decisions: the champion from the last decision on, and the newest challenger."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipelines.home import Home
from pipelines.training.champions import decisions_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
VERSION, TRAINED = "model_version", "trained_as_of"
"""Tags of a registered model: our version of it, and as of when it was trained."""


def registered(output: str) -> str:
    """The name of an output's models in MLflow's registry."""
    return f"nightcart-{output}"


def mark(output: str, number: int | str, version: str, trained_as_of: date) -> None:
    """Tag a version that was just registered, so that it is found again."""
    import mlflow

    client = mlflow.MlflowClient()
    for tag, value in ((VERSION, version), (TRAINED, trained_as_of.isoformat())):
        client.set_model_version_tag(registered(output), str(number), tag, value)


def mirror(home: Home, output: str) -> bool:
    """Point the aliases at what the records say; false where MLflow does not know the champion's version.

    The champion is that of the last decision, so a backfill of older nights moves nothing; the challenger is the model
    that was trained on the newest data.
    """
    import mlflow

    client, versions = mlflow.MlflowClient(), _versions(output)
    if versions:
        newest = max(versions, key=lambda found: (found.tags[TRAINED], int(found.version)))
        _point(client, output, CHALLENGER, newest)
    decisions = decisions_of(home, output)
    serving = [found for found in versions if decisions and found.tags[VERSION] == decisions[-1]["model_version"]]
    if serving:
        _point(client, output, CHAMPION, max(serving, key=lambda found: int(found.version)))
    return bool(serving)


def _versions(output: str) -> list[ModelVersion]:
    import mlflow

    found = mlflow.MlflowClient().search_model_versions(f"name='{registered(output)}'")
    return [version for version in found if {VERSION, TRAINED} <= version.tags.keys()]


def _point(client: MlflowClient, output: str, alias: str, version: ModelVersion) -> None:
    client.set_registered_model_alias(registered(output), alias, str(version.version))
