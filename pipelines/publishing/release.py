"""What names a release: the night, its snapshots, its models, its settings and its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from pipelines.contract import OUTPUTS
from pipelines.errors import NightcartError
from pipelines.home import Home
from pipelines.records import Row, releases
from pipelines.storage import digest_of


@dataclass(frozen=True)
class Scored:
    """What the scoring of one output left behind."""

    output: str
    release_id: str
    rows: Mapping[str, int]  # per table
    model_version: str | None
    skipped: str | None  # why there is no output tonight
    unserved: int  # customers with nothing left to recommend
    skipped_tables: Mapping[str, str] = field(default_factory=dict)  # why a table of an output that is there is not

    def why_skipped(self, table: str) -> str | None:
        """Why there are no rows of a table tonight; null where there should be."""
        return self.skipped or self.skipped_tables.get(table)


def release_id_of(
    as_of: date,
    snapshots: Sequence[str],
    models: Mapping[str, str | None],
    inputs_digest: str,
    skipped: Iterable[str] = (),
) -> str:
    """The id of a release: the same inputs give the same id."""
    inputs = {"snapshots": sorted(snapshots), "models": dict(models), "inputs": inputs_digest}
    inputs |= {"skipped": sorted(skipped)}
    return f"{as_of.isoformat()}-{digest_of(inputs)[:8]}"


def manifest_key(release_id: str) -> str:
    """Where a release's list of files lies."""
    return f"releases/{release_id}/release.json"


def night_release_id(home: Home, as_of: date) -> str:
    """The id of the release that the night of as_of makes.

    Raises:
        NightcartError: the night has no snapshot yet.
    """
    skipped = skipped_of(home, as_of)
    return release_id_of(as_of, snapshots_of(home, as_of), models_of(home, as_of), home.inputs_digest, skipped)


def skipped_of(home: Home, as_of: date) -> dict[str, str]:
    """The outputs, and single tables, that something is missing for on the night of as_of, with the reason."""
    return dict(home.records.result(as_of, "build_features").get("skipped", {}))


def snapshots_of(home: Home, as_of: date) -> list[str]:
    """The digests of the snapshots that the night of as_of scores from."""
    digest = home.records.result(as_of, "build_features").get("snapshot")
    if not digest:
        raise NightcartError(f"the night of {as_of} has no snapshot", f"run `nightcart step build_features {as_of}`")
    return [str(digest)]


def models_of(home: Home, as_of: date) -> dict[str, str | None]:
    """The version of the model that serves each output on the night of as_of; null where there is none."""
    from pipelines.training.champions import champion_of

    skipped = skipped_of(home, as_of)
    champions = {output: None if output in skipped else champion_of(home, output, as_of) for output in OUTPUTS}
    return {output: champion["model_version"] if champion else None for output, champion in champions.items()}


def is_published(home: Home, as_of: date) -> Row | None:
    """The release of the night, when what was published last for it has today's settings, code and champions."""
    query = sa.select(releases).where(releases.c.as_of == as_of).order_by(releases.c.published_at.desc())
    row = home.records.first(query)
    if row is None or row["inputs_digest"] != home.inputs_digest:
        return None
    if not home.storage.exists(manifest_key(row["release_id"])):
        return None  # pruned since
    return row if row["model_versions"] == models_of(home, as_of) else None


def last_release(home: Home, as_of: date) -> Row | None:
    """The release of the nearest night before as_of that was not rolled back."""
    query = (
        sa.select(releases)
        .where(releases.c.as_of < as_of, releases.c.status != "rolled_back")
        .order_by(releases.c.as_of.desc(), releases.c.published_at.desc())
    )
    return home.records.first(query)


def scores_of(home: Home, as_of: date) -> dict[str, Scored]:
    """What the scoring steps of the night left behind, by output.

    Raises:
        NightcartError: an output was not scored, or with another snapshot, model, setting or code than tonight's.
    """
    expected = night_release_id(home, as_of)
    scores: dict[str, Scored] = {}
    for output in OUTPUTS:
        result = home.records.result(as_of, f"score_{output}")
        if result.get("release_id") != expected:
            found = result.get("release_id") or "no score"
            raise NightcartError(
                f"{output} of the night of {as_of}: found {found}, expected release {expected}: "
                "snapshot, champion, settings or code have changed since",
                f"run `nightcart step score_{output} {as_of}`, or the whole night again",
            )
        scores[output] = Scored(
            output,
            expected,
            result["tables"],
            result["model_version"],
            result["skipped"],
            result.get("unserved", 0),
            result.get("skipped_tables", {}),
        )
    return scores
