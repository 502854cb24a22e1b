"""Prune: take out of the store what no retained release, unfinished night or champion names any more.

What names other files goes first: a list of files that is there always has all of its files, so a prune that is killed
leaves nothing half removed, and the next one takes the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from pipelines.features.snapshot import parts_lock
from pipelines.home import Home
from pipelines.publishing.manifest import read_manifest
from pipelines.publishing.release import manifest_key
from pipelines.records import champions, clock, releases, steps
from pipelines.scoring.kept_answers import ANSWERS, NIGHTS, answer_key
from pipelines.storage import Stored

FRESH = timedelta(days=1)  # what is younger may be about to be named by a step that runs
KINDS = ("snapshots", "releases", "models", "candidates", "incoming", "quarantine", NIGHTS, "parts", ANSWERS)
"""In the order of their removal."""
DATED = ("incoming", "quarantine", NIGHTS)
"""Those with a folder a night."""


@dataclass(frozen=True)
class Pruned:
    """What was, or would be, removed."""

    cutoff: date | None  # releases and nights of an older as_of go; None: nothing is published
    kept: list[str]  # releases
    removed: list[Stored] = field(default_factory=list)

    def of(self, kind: str) -> list[Stored]:
        """What is removed of one kind: the first folder of its key."""
        return [stored for stored in self.removed if stored.key.startswith(f"{kind}/")]

    @property
    def size(self) -> int:
        """Bytes removed."""
        return sum(stored.size for stored in self.removed)


def prune(home: Home, is_dry_run: bool = False, fresh: timedelta = FRESH) -> Pruned:
    """Remove what nothing retained names; records keep the counts of what is gone.

    Raises:
        Busy: a night writes a snapshot right now.
        StorageFault: the list of files of a retained release is damaged: nothing is removed.
    """
    with parts_lock(home, is_alone=True):
        found = survey(home, clock() - fresh)
        if not is_dry_run:
            home.storage.drop([stored.key for stored in found.removed])
    return found


def survey(home: Home, since: datetime) -> Pruned:
    """What may be removed, in the order in which it should be; what was written since then stays."""
    cutoff, kept = retained(home)
    if cutoff is None:
        return Pruned(None, [])
    snapshots, parts = _named_by_releases(home, kept)
    listed = {kind: list(home.storage.listed(kind)) for kind in KINDS}
    young = {stored.key for rows in listed.values() for stored in rows if stored.modified >= since}
    night = _named_by_nights(home, cutoff)
    snapshots |= night | {key for key in young if key.startswith("snapshots/")}
    parts |= {part for key in snapshots if home.storage.exists(key) for part in _parts_of(home, key)}
    answers = _answers(home, [stored.key for stored in listed[NIGHTS]], cutoff)
    folders = {f"releases/{release}" for release in kept} | night | _models(home) | _candidates(home, kept)
    removed = [
        stored
        for kind in KINDS
        for stored in sorted(listed[kind], key=_lists_first)
        if stored.key not in young | snapshots | parts | answers
        and _folder(stored.key) not in folders
        and not (kind in DATED and _is_since(cutoff, stored.key))
    ]
    return Pruned(cutoff, kept, removed)


def retained(home: Home) -> tuple[date | None, list[str]]:
    """The first as_of that is kept, and the releases that are: those, and the one that readers see."""
    rows = home.records.rows(sa.select(releases.c.release_id, releases.c.as_of).order_by(releases.c.as_of))
    if not rows:
        return None, []
    cutoff = rows[-1]["as_of"] - timedelta(days=home.settings.release.keep_days)
    current = (home.records.current_release() or {}).get("release_id")
    return cutoff, [row["release_id"] for row in rows if row["as_of"] >= cutoff or row["release_id"] == current]


def _named_by_releases(home: Home, kept: Iterable[str]) -> tuple[set[str], set[str]]:
    """The snapshots and the files that the lists of the retained releases name."""
    snapshots, files = set(), set()
    for release in (release for release in kept if home.storage.exists(manifest_key(release))):
        manifest = read_manifest(home, release)
        snapshots |= {f"snapshots/{digest}.json" for digest in manifest["snapshots"]}
        files |= {file["key"] for table in manifest["tables"].values() for file in table["files"]}
    return snapshots, files


def _named_by_nights(home: Home, cutoff: date) -> set[str]:
    """The snapshots and folders of releases that nights not older than that made, published or not yet."""
    rows = home.records.rows(sa.select(steps.c.result).where(steps.c.as_of >= cutoff, steps.c.status == "done"))
    results = [row["result"] or {} for row in rows]
    snapshots = {f"snapshots/{result['snapshot']}.json" for result in results if result.get("snapshot")}
    return snapshots | {f"releases/{result['release_id']}" for result in results if result.get("release_id")}


def _models(home: Home) -> set[str]:
    """The folders of the models that ever were champion: a backfill of an old night asks for them again."""
    rows = home.records.rows(sa.select(champions.c.output, champions.c.model_version).distinct())
    return {f"models/{row['output']}/{row['model_version']}" for row in rows}


def _candidates(home: Home, kept: Iterable[str]) -> set[str]:
    """What the models of the retained releases found last: the next night takes it over."""
    rows = home.records.rows(sa.select(releases.c.model_versions).where(releases.c.release_id.in_(list(kept))))
    return {f"candidates/{version}.sealed" for row in rows for version in row["model_versions"].values()}


def _answers(home: Home, drafts: Iterable[str], cutoff: date) -> set[str]:
    """The answers to what nights not older than that asked for: tried again, they say the same."""
    nights = [key for key in drafts if key.endswith("/asked.json") and _is_since(cutoff, key)]
    return {answer_key(digest) for night in nights for digest in home.storage.read_json(night)}


def _is_since(cutoff: date, key: str) -> bool:
    return key.split("/")[1] >= cutoff.isoformat()


def _parts_of(home: Home, key: str) -> set[str]:
    return {part for parts in home.storage.read_json(key).values() for part in parts.values()}


def _folder(key: str) -> str:
    """The folder of a release or a model that a file belongs to."""
    parts = key.split("/")
    return "/".join(parts[: 3 if parts[0] == "models" else 2])


def _lists_first(stored: Stored) -> tuple[bool, str]:
    """Of one kind, the files that list other files before these."""
    return not stored.key.endswith(("release.json", "digests.json", "manifest.json", "asked.json")), stored.key
