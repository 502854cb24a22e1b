"""Great Expectations over a release's tables, in pandas chunks of a million rows at most."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from pipelines.catalog import Dataset
from pipelines.publishing.failure import SAMPLES, Failure
from pipelines.publishing.suites import read_suite

CHUNK = 1_000_000  # rows
RESULT = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLES}


def suite_failures(dataset: Dataset, file: Path, parameters: dict[str, Any]) -> list[Failure]:
    """What a table breaks of its suite in `expectations/outputs/`."""
    found: dict[str, Failure] = {}
    for chunk in _chunks(file):
        for failure in _validate(dataset, chunk, parameters):
            before = found.get(failure.rule)
            found[failure.rule] = before.plus(failure) if before else failure
    return list(found.values())


def _chunks(file: Path) -> Iterator[pd.DataFrame]:
    """The rows in chunks; one without rows where there are none, since a row count is always expected."""
    parquet = pq.ParquetFile(file)
    if parquet.metadata.num_rows == 0:
        yield parquet.schema_arrow.empty_table().to_pandas()
    for batch in parquet.iter_batches(batch_size=CHUNK):
        yield batch.to_pandas()


def _validate(dataset: Dataset, chunk: pd.DataFrame, parameters: dict[str, Any]) -> Iterator[Failure]:
    result_format = RESULT | {"unexpected_index_column_names": list(dataset.key)}
    if not set(dataset.key) <= set(chunk.columns):
        result_format = RESULT
    batch = _batches().get_batch({"dataframe": chunk})
    result = batch.validate(_suite(dataset.name), result_format=result_format, expectation_parameters=parameters)
    for one in result.results:
        if not one.success:
            yield _failure(dataset.name, one)


def _failure(table: str, one: Any) -> Failure:
    config, result = one.expectation_config, one.result or {}
    kwargs = {name: value for name, value in config.kwargs.items() if name not in ("batch_id", "column_list")}
    rule = f"{config.type}({', '.join(f'{name}={value}' for name, value in sorted(kwargs.items()))})"
    if raised := _exception(one.exception_info):
        return Failure(table, rule, 1, (raised,))
    if "unexpected_count" not in result:
        return Failure(table, rule, 1, (f"found {result.get('observed_value')}",))
    samples = result.get("partial_unexpected_index_list") or result.get("partial_unexpected_list") or []
    return Failure(table, rule, int(result["unexpected_count"]), tuple(str(sample) for sample in samples[:SAMPLES]))


def _exception(info: dict[str, Any]) -> str | None:
    """The message of an expectation that could not be computed: GX gives one, or one for each metric."""
    for part in (info, *info.values()):
        if isinstance(part, dict) and part.get("raised_exception"):
            return str(part.get("exception_message"))
    return None


@cache
def _suite(table: str) -> Any:
    import great_expectations as gx

    return gx.ExpectationSuite(**read_suite(table))


@cache
def _batches() -> Any:
    """GX on data frames, in memory, without its analytics and progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("release").add_dataframe_asset("chunk")
    return asset.add_batch_definition_whole_dataframe("chunk")
