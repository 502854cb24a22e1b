"""Great Expectations over what came in: one run an entity and chunk, with the rows that fail and the Data Docs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.contract import Entity, Type
from pipelines.validate.suites import END_OF_DT, read_suite

ROW = "_row"  # the number of a row among the night's rows of its entity
CHUNK = 1_000_000  # rows a run sees at most
SITE = "night"
FRAME_TYPES = {Type.MONEY: "double", Type.DATE: "timestamp"}  # what pandas compares well
EVERY_BAD_ROW = {"result_format": "COMPLETE", "unexpected_index_column_names": [ROW]}  # each more costs a lot
BAD = pa.schema([(ROW, pa.int64()), ("rank", pa.int64()), ("rule", pa.string()), ("reason", pa.string())])


def checked_columns(entity: Entity) -> list[str]:
    """The columns that an entity's suite looks at, and its key: nothing personal goes into a run."""
    named = {value for check in read_suite(entity.name)["expectations"] for value in _columns_in(check["kwargs"])}
    return [name for name in entity.column_names if name in named or name in entity.key]


def _columns_in(kwargs: dict[str, Any]) -> Iterator[str]:
    for key, value in kwargs.items():
        if key in ("column", "column_A", "column_B"):
            yield value
        elif key in ("column_list", "column_set"):
            yield from value


def frame_sql(entity: Entity) -> str:
    """The columns of a run's frame: money as float, dates as timestamps, the end of each row's day beside them."""
    as_type = {column.name: FRAME_TYPES[column.type] for column in entity.columns if column.type in FRAME_TYPES}
    names = checked_columns(entity)
    shown = [f'"{name}"::{as_type[name]} as "{name}"' if name in as_type else f'"{name}"' for name in names]
    return f"{ROW}, {', '.join(shown)}, (dt + interval 1 day)::timestamp as {END_OF_DT}"


@dataclass
class Runs:
    """The runs of one night; its pages are built once, at the end."""

    site: Path
    bad: dict[str, list[pa.Table]] = field(default_factory=dict)
    failed: list[tuple[str, str, str]] = field(default_factory=list)  # entity, rule, text: of no row in particular
    _context: Any = None

    def __post_init__(self) -> None:
        shutil.rmtree(self.site, ignore_errors=True)

    def check(self, entity: str, chunk: int, frame: pa.Table) -> None:
        """Run the suite of an entity over some of its rows, and keep the rows that fail."""
        definition = self._definition(entity, chunk)
        import great_expectations as gx

        checkpoint = gx.Checkpoint(
            name=definition.name,
            validation_definitions=[definition],
            result_format=EVERY_BAD_ROW,
        )
        outcome = self._opened().checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame.to_pandas()})
        self._opened().data_sources.delete(definition.name)  # it would hold the frame until the night's last run
        (result,) = outcome.run_results.values()
        ranks = {check["meta"]["rule"]: rank for rank, check in enumerate(read_suite(entity)["expectations"])}
        for check in result.results:
            if check.success:
                continue
            if not check.result.get("unexpected_index_list"):
                self.failed.append((entity, check.expectation_config.meta["rule"], _why(check)))
            self.bad.setdefault(entity, []).append(_bad_rows(ranks, check))

    def bad_rows(self, entity: str) -> pa.Table:
        """The rows of an entity that fail, with the rule and the reason; a row once a rule it breaks."""
        return pa.concat_tables([BAD.empty_table(), *self.bad.get(entity, [])])

    def publish(self) -> str | None:
        """Build the pages; returns the first one's path, None if nothing was checked."""
        if self._context is None:
            return None
        self._context.build_data_docs(site_names=[SITE])
        return str(self.site / "index.html")

    def _definition(self, entity: str, chunk: int) -> Any:
        import great_expectations as gx

        context = self._opened()
        name = f"{entity}-{chunk + 1}"
        suite = context.suites.add(gx.ExpectationSuite(**(read_suite(entity) | {"name": name})))
        asset = context.data_sources.add_pandas(name).add_dataframe_asset(entity)
        batch = asset.add_batch_definition_whole_dataframe("rows")
        return context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))

    def _opened(self) -> Any:
        if self._context is None:
            self._context = _open_context(self.site)
        return self._context


def _open_context(site: Path) -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import, which takes seconds
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    pages: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)},
    }
    context.add_data_docs_site(SITE, pages)
    return context


def _bad_rows(ranks: dict[str, int], check: Any) -> pa.Table:
    meta, rows = check.expectation_config.meta, check.result.get("unexpected_index_list") or []
    reasons = [f"{meta['column']} is {_shown(row.get(meta['column']))}, expected {meta['expected']}" for row in rows]
    rule, count = meta["rule"], len(rows)
    return pa.table([[int(row[ROW]) for row in rows], [ranks[rule]] * count, [rule] * count, reasons], schema=BAD)


def _shown(value: Any) -> str:
    return "null" if value is None or value != value else repr(value) if isinstance(value, str) else str(value)


def _why(check: Any) -> str:
    """What an expectation found that speaks of all rows, such as a mean; or why it could not be computed."""
    said = str(check.exception_info.get("exception_message") or "") if check.exception_info else ""
    found = f"found {check.result.get('observed_value', said or 'nothing')}"
    return f"{found}, expected {check.expectation_config.meta['expected']}"
