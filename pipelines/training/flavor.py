"""Our own MLflow flavour: a model is the files that it saves itself, without pickle, behind an MLmodel file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from mlflow.models import Model as MLmodel
from mlflow.models import ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec
from pandas.api import types

from models.protocol import Model

FLAVOR_NAME = "nightcart"


def save_model(path: str, mlflow_model: MLmodel, model: Model, signature: ModelSignature, version: str) -> None:
    """Write the model's own files and the MLmodel file that describes them; MLflow calls this."""
    folder = Path(path)
    model.save(folder / "data")
    mlflow_model.signature = signature
    mlflow_model.add_flavor(FLAVOR_NAME, model=model.name, data="data", model_version=version)
    mlflow_model.save(str(folder / MLMODEL_FILE_NAME))


def signature_of(features: Mapping[str, pd.DataFrame], predictions: pd.DataFrame) -> ModelSignature:
    """What the model takes, as `<frame>.<column>`, and what it gives."""
    taken: list[ColSpec | TensorSpec] = [
        ColSpec(_type(frame[column]), name=f"{name}.{column}") for name, frame in features.items() for column in frame
    ]
    given: list[ColSpec | TensorSpec] = [ColSpec(_type(predictions[column]), name=column) for column in predictions]
    return ModelSignature(inputs=Schema(taken), outputs=Schema(given))


def _type(column: pd.Series) -> DataType:
    for is_type, found in (
        (types.is_bool_dtype, DataType.boolean),
        (types.is_integer_dtype, DataType.long),
        (types.is_float_dtype, DataType.double),
        (types.is_datetime64_any_dtype, DataType.datetime),
    ):
        if is_type(column):
            return found
    return DataType.string
