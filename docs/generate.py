"""Write the documents and files that are made from code; `--check` fails where one is out of date."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MADE = "<!-- made by `make docs`; do not edit -->\n"


def contract_md() -> str:
    """The entities and columns that a store delivers."""
    from pipelines.contract import ENTITIES

    lines = [MADE, "# Columns of the landing zone", ""]
    lines += ["How partitions are delivered and read is in [landing_zone.md](landing_zone.md).", ""]
    lines += [
        "What is personal becomes a keyed pseudonym, which features link rows by where it says so, or is redacted:"
    ]
    lines += [
        "e-mail, phone, card, IBAN, address and name patterns go out of the text. `(columns)` are made at collect.",
        "",
    ]
    for entity in ENTITIES.values():
        lines += [f"## {entity.name}", "", entity.doc, ""]
        lines += [f"Key: {', '.join(entity.key)}. Happened: {entity.happened or 'the order'}. "]
        uses = [f"needed for {', '.join(entity.needed_for)}"] if entity.needed_for else []
        uses += [f"improves {', '.join(entity.improves)}"] if entity.improves else []
        lines += [f"{'Required' if entity.required else 'Optional'}; {'; '.join(uses)}.", ""]
        lines += ["| column | type | null | personal | allowed | meaning |", "|---|---|---|---|---|---|"]
        for column in entity.columns:
            above = f"> {column.above:g}" if column.above is not None else ""
            least = f">= {column.at_least:g}" if column.at_least is not None else ""
            allowed = ", ".join(column.allowed) or above or least
            marks = "yes" if column.nullable else "", column.personal or ""
            name = f"({column.name})" if column.derived else column.name
            lines.append(f"| {name} | {column.type} | {marks[0]} | {marks[1]} | {allowed} | {column.doc} |")
        lines.append("")
    return "\n".join(lines)


def data_flow_md() -> str:
    """Every dataset in the order data walks."""
    from pipelines.catalog import DATASETS, Layer
    from pipelines.contract import ENTITIES

    lines = [MADE, "# Data flow", "", "```mermaid", "flowchart LR"]
    lines += ["  landing[landing zone] --> incoming --> raw[raw: versions]", "  incoming --> quarantine"]
    lines += ["  raw --> intermediate --> features --> snapshot", "  intermediate --> marts --> snapshot"]
    lines += ["  snapshot --> models[champions] --> output[outputs] --> release", "  snapshot --> release"]
    lines += ["  records --> release --> published", "```", "", "## raw", ""]
    lines += ["| dataset | grain | what it is |", "|---|---|---|"]
    lines += [
        f"| raw.{e.name} | {' x '.join(e.key)} x version | {e.doc} Append-only, with dt, known_at and loaded_as_of. |"
        for e in ENTITIES.values()
    ]
    for layer in list(Layer)[1:]:
        lines += ["", f"## {layer}", "", "| dataset | grain | key | owner | what it is |", "|---|---|---|---|---|"]
        for dataset in DATASETS.values():
            if dataset.layer == layer:
                key = ", ".join(dataset.key)
                lines.append(f"| {dataset.name} | {dataset.grain} | {key} | {dataset.owner} | {dataset.doc} |")
    return "\n".join(lines) + "\n"


def published_md() -> str:
    """The published tables with their columns."""
    from pipelines.catalog import PUBLISHED, Layer

    lines = [MADE, "# Published tables", ""]
    lines += ["Schema `published`. Tables of one release also carry `release_id` and `as_of`.", ""]
    for dataset in PUBLISHED:
        scope = "all nights" if dataset.layer == Layer.RECORDS else "the current release"
        lines += [f"## {dataset.name}", "", f"{dataset.doc} One row a {dataset.grain}; {scope}.", ""]
        lines += ["| column | type |", "|---|---|"]
        lines += [f"| {name} | {kind} |" for name, kind in dataset.columns]
        lines.append("")
    return "\n".join(lines)


def settings_md() -> str:
    """Every setting with its default, unit and allowed values, from the comments beside it."""
    from pipelines.settings import Settings

    source = (PROJECT / "pipelines/sections.py").read_text()
    lines = [MADE, "# Settings", ""]
    lines += ["Keys of the file that `NIGHTCART_SETTINGS` names; each also as `NIGHTCART__SECTION__KEY`.", ""]
    for name, section in Settings.model_fields.items():
        kind = section.annotation
        body = re.split(r"\n(?=class |def )", source.split(f"class {kind.__name__}(")[1])[0]
        lines += [f"## {section.serialization_alias or name}", "", (kind.__doc__ or "").strip(), ""]
        lines += ["| key | default | what it is |", "|---|---|---|"]
        for key, field in kind.model_fields.items():
            comment = re.search(rf"^    {key}:.*?  # (.*)$", body, re.MULTILINE)
            later = " (not read yet)" if field.json_schema_extra else ""
            default = json.dumps(field.default)
            lines.append(f"| {key} | {default} | {comment.group(1) if comment else ''}{later} |")
        lines.append("")
    return "\n".join(lines)


def dags_md() -> str:
    """The DAGs with their tasks, as Airflow parses them."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(PROJECT / "dags")
        logging.disable(logging.WARNING)
        sys.path.insert(0, str(PROJECT / "dags"))
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(PROJECT / "dags")
        logging.disable(logging.NOTSET)
    if bag.import_errors:
        raise SystemExit(f"a DAG does not parse: {bag.import_errors}")
    lines = [MADE, "# DAGs", ""]
    for dag_id, dag in sorted(bag.dags.items()):
        lines += [f"## {dag_id}", "", _schedule(dag.timetable), "", (dag.doc_md or "").strip(), ""]
        lines += ["| task | after | pool | retries | what it does |", "|---|---|---|---|---|"]
        for task in dag.topological_sort():
            function = getattr(task, "python_callable", None)  # where a mapped task keeps its docstring
            given = task.doc_md or getattr(function, "__doc__", "")
            doc = " ".join(textwrap.dedent(given or "").split())
            after = ", ".join(sorted(task.upstream_task_ids))
            lines.append(f"| {task.task_id} | {after} | {task.pool} | {task.retries} | {doc} |")
        lines.append("")
    return "\n".join(lines).replace("### ", "")


def _schedule(timetable: object) -> str:
    """When a DAG runs: its cron, and the assets that start it too."""
    cron, assets = getattr(timetable, "timetable", timetable), getattr(timetable, "asset_condition", None)
    names = [f"`{asset.name}`" for asset in assets.objects] if assets else []
    schedule = f"Schedule `{getattr(cron, 'expression', cron)}` UTC"
    return schedule + (f", or an event of {' or '.join(names)}." if names else ".")


def _sources_yml() -> str:
    from pipelines.features.sources_yml import sources_yml

    return sources_yml()


def _suites() -> dict[str, Callable[[], str]]:
    from pipelines.catalog import OUTPUT_TABLES
    from pipelines.contract import ENTITIES
    from pipelines.publishing import suites as outputs
    from pipelines.validate import suites as sources

    made: dict[str, Callable[[], str]] = {
        f"expectations/sources/{entity.name}.json": partial(sources.text_of, entity) for entity in ENTITIES.values()
    }
    for dataset in OUTPUT_TABLES:
        suite = outputs.suite_of(dataset, outputs.read_suite(dataset.name))
        made[f"expectations/outputs/{dataset.name}.json"] = partial(outputs.as_text, suite)
    return made


def _files() -> dict[str, Callable[[], str]]:
    return {
        "docs/contract.md": contract_md,
        "docs/data_flow.md": data_flow_md,
        "docs/published.md": published_md,
        "docs/settings.md": settings_md,
        "docs/dags.md": dags_md,
        "dbt/models/staging/_sources.yml": _sources_yml,
    } | _suites()


def main() -> None:
    """Write all, or with `--check` name what is out of date and fail."""
    stale = []
    for name, make in _files().items():
        file, text = PROJECT / name, make()
        if not file.exists() or file.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
    if stale and "--check" in sys.argv:
        raise SystemExit(f"out of date: {', '.join(stale)}; run `make docs` and commit what it writes")
    sys.stdout.write(f"{len(stale)} of {len(_files())} generated files written\n" if stale else "generated files: ok\n")


if __name__ == "__main__":
    main()
