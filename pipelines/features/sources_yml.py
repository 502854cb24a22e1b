"""dbt's sources, generated from the contract: `python -m pipelines.features.sources_yml` writes them anew."""

from __future__ import annotations

import json

from pipelines.contract import ENTITIES, META, Entity
from pipelines.home import PROJECT

FILE = PROJECT / "dbt" / "models" / "staging" / "_sources.yml"
HEAD = """# Generated from pipelines/contract by `python -m pipelines.features.sources_yml`: do not edit.
version: 2

sources:
  - name: store
    schema: raw
    description: What the store delivered, as versions that are only ever appended.
    tables:
"""
META_DOCS = {
    META.dt: "The partition that the version came in.",
    META.known_at: "From when on the version is known; midnight UTC.",
    META.loaded_as_of: "The night that loaded it.",
}


def _table(entity: Entity) -> str:
    lines = [f"      - name: {entity.name}", f"        description: {json.dumps(entity.doc)}", "        columns:"]
    docs = {column.name: column.doc for column in entity.columns if column.is_modelled} | META_DOCS
    for name, doc in docs.items():
        lines += [f"          - name: {name}", f"            description: {json.dumps(doc)}"]
    return "\n".join(lines) + "\n"


def sources_yml() -> str:
    """The text of dbt's sources file: the contract's tables without the personal columns that no model reads."""
    return HEAD + "".join(_table(entity) for entity in ENTITIES.values())


if __name__ == "__main__":
    FILE.write_text(sources_yml(), "utf-8")
