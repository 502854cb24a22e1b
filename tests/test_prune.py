"""Prune: what is retained exports byte for byte as before, and nothing else stays."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.catalog import OUTPUT_TABLES
from pipelines.errors import Busy, StorageFault
from pipelines.features.snapshot import parts_lock
from pipelines.home import Home
from pipelines.prune import KINDS, prune, retained
from pipelines.publishing.manifest import checked_files, read_manifest
from pipelines.publishing.publish import export, rollback
from pipelines.publishing.release import is_published, last_release
from pipelines.records import pointer, releases
from pipelines.scoring.kept_answers import answer_key, asked_key
from pipelines.scoring.taken_over import key_of
from pipelines.storage import Storage
from tests.publishing.generators import AS_OF, VERSIONS, crown, home_in, night, publish_night

DAY = timedelta(days=1)
NOW = timedelta(0)  # nothing is too fresh


def home_with(root: Path, keep_days: int = 2, storage: str = "") -> Home:
    home = home_in(root)
    places = home.places.model_copy(update={"storage": storage}) if storage else home.places
    kept = home.settings.release.model_copy(update={"keep_days": keep_days})
    home = replace(home, places=places, settings=home.settings.model_copy(update={"release": kept}))
    for output in VERSIONS:
        crown(home, output)
    return home


def everything(home: Home) -> dict[str, bytes]:
    return {key: home.storage.path(key).read_bytes() for kind in KINDS for key in home.storage.keys(kind)}


def exports(home: Home, folder: Path, names: list[str]) -> dict[str, dict[str, bytes]]:
    """What readers get of each release; the tables of all nights tell when the rollbacks were."""
    found = {}
    for name in names:
        rollback(home, name)
        tables = export(home, folder / name)["tables"]
        own = read_manifest(home, name)["tables"]
        found[name] = {table: (folder / name / f"{table}.parquet").read_bytes() for table in tables if table in own}
    return found


@pytest.fixture(params=["folder", "s3"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Five nights, of which three are retained, in both kinds of store."""
    storage = "" if request.param == "folder" else str(request.getfixturevalue("s3"))
    home = home_with(tmp_path / "home", storage=storage)
    for back in range(5):
        as_of = AS_OF + back * DAY
        publish_night(home, as_of)
        home.storage.put_json(f"incoming/{as_of}/manifest.json", {})
        home.storage.put_json(f"incoming/{as_of}/orders/{as_of}.parquet", {})
        home.storage.put_json(f"quarantine/{as_of}/orders.parquet", {})
        home.storage.put_json(asked_key(as_of), [f"of {as_of}", "of each"])
        for digest in (f"of {as_of}", "of each"):
            home.storage.put_json(answer_key(digest), {})
    for output, version in (*VERSIONS.items(), ("risk", "challenger-00")):
        home.storage.put_json(f"models/{output}/{version}/digests.json", {})
        home.storage.put_json(key_of(version), {})
    return home


def test_what_is_retained_exports_byte_for_byte(home: Home, tmp_path: Path) -> None:
    cutoff, kept = retained(home)
    assert cutoff == AS_OF + 2 * DAY
    assert len(kept) == 3
    before, files = exports(home, tmp_path / "before", kept), everything(home)
    dry = prune(home, is_dry_run=True, fresh=NOW)
    assert everything(home) == files
    done_ = prune(home, fresh=NOW)
    assert done_.removed == dry.removed
    assert {stored.key for stored in done_.removed} == files.keys() - everything(home).keys()
    assert exports(home, tmp_path / "after", kept) == before
    left = everything(home)
    assert {key.split("/")[1][:10] for key in left if key.startswith("releases/")} == {name[:10] for name in kept}
    assert len([key for key in left if key.startswith("snapshots/")]) == 3
    dated = [key.split("/")[1] for key in left if key.startswith(("incoming/", "quarantine/", "drafts/"))]
    assert min(dated) == str(cutoff)
    assert sorted(key.split("/")[1] for key in left if key.startswith("models/")) == sorted(VERSIONS)
    assert {key for key in left if key.startswith("candidates/")} == {key_of(version) for version in VERSIONS.values()}
    drafted = {answer_key(f"of {AS_OF + back * DAY}") for back in (2, 3, 4)} | {answer_key("of each")}
    assert {key for key in left if key.startswith("answers/")} == drafted
    assert prune(home, fresh=NOW).removed == []


def test_what_was_pruned_is_told_and_can_be_run_again(home: Home) -> None:
    first = str(home.records.rows(sa.select(releases).order_by(releases.c.as_of))[0]["release_id"])
    assert is_published(home, AS_OF)
    prune(home, fresh=NOW)
    assert is_published(home, AS_OF) is None
    assert last_release(home, AS_OF + DAY)
    with pytest.raises(StorageFault, match=first) as stopped:
        rollback(home, first)
    assert "run the night" in stopped.value.hint
    publish_night(home, AS_OF)
    assert is_published(home, AS_OF)


def test_what_is_fresh_stays(home: Home) -> None:
    """A step that runs may have written what nothing names yet; a day later it is looked at again."""
    files = everything(home)
    home.storage.put_table("releases/2000-01-01-00000000/a.parquet", pa.table({"n": [1]}))
    assert prune(home).removed == []
    assert len(everything(home)) == len(files) + 1


def test_a_night_that_stopped_keeps_what_it_made(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    publish_night(home, AS_OF)
    stopped = night(home, AS_OF + DAY)  # scored, not audited
    prune(home, fresh=NOW)
    assert len(list(home.storage.keys(f"releases/{stopped}"))) == len(OUTPUT_TABLES)
    assert len(list(home.storage.keys("snapshots"))) == 2


def test_nothing_published_nothing_removed(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    home.storage.put_json("incoming/2000-01-01/manifest.json", {})
    assert prune(home, fresh=NOW).removed == []


def test_a_snapshot_that_is_being_written_stops_it(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    with parts_lock(home), parts_lock(home), pytest.raises(Busy, match="snapshot is being written"):
        prune(home)


def test_a_damaged_list_of_files_stops_it(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", keep_days=1)
    for back in range(3):
        publish_night(home, AS_OF + back * DAY)
    files = everything(home)
    current = (home.records.current_release() or {})["release_id"]
    home.storage.path(f"releases/{current}/release.json").write_text("{")
    with pytest.raises(StorageFault):
        prune(home, fresh=NOW)
    assert len(everything(home)) == len(files)


@pytest.mark.parametrize("dies_after", [0, 1, 3, 7])
def test_killed_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_after: int) -> None:
    """What a list of files names is there, whenever it is killed; the next prune takes the rest."""
    home = home_with(tmp_path / "home", keep_days=1)
    for back in range(4):
        publish_night(home, AS_OF + back * DAY)
    drop = type(home.storage).drop

    def die(storage: Storage, keys: list[str]) -> None:
        drop(storage, keys[:dies_after])  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(home.storage), "drop", die)
        prune(home, fresh=NOW)
    for key in home.storage.keys("snapshots"):
        assert all(
            home.storage.exists(part) for parts in home.storage.read_json(key).values() for part in parts.values()
        )
    for key in home.storage.keys("releases"):
        if key.endswith("release.json"):
            checked_files(home, read_manifest(home, key.split("/")[1]))
    prune(home, fresh=NOW)
    assert prune(home, fresh=NOW).removed == []
    assert len([key for key in home.storage.keys("releases") if key.endswith("release.json")]) == 2


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "home"
    home = home_with(root)
    for back in range(6):
        publish_night(home, AS_OF + back * DAY)
    return root


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(keep_days=st.integers(1, 6), at=st.integers(0, 5), lost=st.sets(st.integers(0, 5), max_size=3))
def test_any_pointer_and_any_retention(
    template: Path, tmp_path_factory: pytest.TempPathFactory, keep_days: int, at: int, lost: set[int]
) -> None:
    """The current release and all retained ones are whole, and nothing that none of them names is left."""
    root = tmp_path_factory.mktemp("any") / "home"
    shutil.copytree(template, root)
    home = home_in(root)
    kept = home.settings.release.model_copy(update={"keep_days": keep_days})
    home = replace(home, settings=home.settings.model_copy(update={"release": kept}))
    rows = home.records.rows(sa.select(releases).order_by(releases.c.as_of))
    gone = [rows[index]["release_id"] for index in lost if index != at]
    with home.records.begin() as connection:  # records of releases that were never published
        connection.execute(sa.update(pointer).values(release_id=rows[at]["release_id"]))
        connection.execute(sa.delete(releases).where(releases.c.release_id.in_(gone)))
    wanted = {
        row["release_id"]: checked_bytes(home, row["release_id"])
        for row in rows
        if row["release_id"] in retained(home)[1]
    }
    assert rows[at]["release_id"] in wanted
    prune(home, fresh=NOW)
    assert {name: checked_bytes(home, name) for name in wanted} == wanted
    assert prune(home, fresh=NOW).removed == []
    shutil.rmtree(root.parent)


def checked_bytes(home: Home, release: str) -> dict[str, list[bytes]]:
    files = checked_files(home, read_manifest(home, release))
    return {table: [file.read_bytes() for file in found] for table, found in files.items()}
