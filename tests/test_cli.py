"""The command line in this process: what it prints, and its exit codes."""

from __future__ import annotations

import getpass
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from models.demand import RecentMean
from pipelines import cli_champions, night
from pipelines.cli import main
from pipelines.doctor import examine
from pipelines.errors import Busy, NightcartError, NothingToDo
from pipelines.home import Home
from pipelines.night import next_night, nights_between, refuse_scheduler
from pipelines.records import clock, nights
from pipelines.training.champions import champion_of, crown, store_model
from tests.landing import Landing
from tests.models.generators import demand_frames

DAY = date(2011, 10, 3)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, what went to stdout and what to stderr."""
    monkeypatch.setattr(sys, "argv", ["nightcart", *arguments])
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize(
    ("arguments", "code", "advice"),
    [
        (("query", "select 1"), 6, "nightcart night"),
        (("releases",), 6, "nightcart night"),
        (("step", "nonsense", "2011-11-01"), 2, "the steps are collect, validate"),
        (("train", "nonsense", "2011-11-01"), 2, "the outputs are"),
        (("champions",), 6, "nightcart night"),
        (("champions", "nonsense"), 2, "the outputs are"),
        (("promote", "demand", "recent_mean-1", "--reason", "x"), 2, "train first"),
        (("demote", "demand", "--reason", "x"), 6, "nightcart train demand"),
        (("demote", "demand"), 2, "--help"),
        (("night", "2011-13-01"), 2, "--help"),
        (("night",), 6, "_SUCCESS"),
        (("backfill", "2011-11-05", "2011-11-01"), 2, "the earlier night first"),
        (("accept", "orders", "2011-11-01", "--reason", "x"), 2, ""),
        (("rollback", "2011-11-01-12345678"), 2, ""),
        (("nonsense",), 2, "--help"),
    ],
)
def test_errors_say_what_to_do(
    home: Home,
    landing: Landing,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    advice: str,
) -> None:
    found, _, printed = run(monkeypatch, capsys, *arguments)
    assert found == code, printed
    assert printed.splitlines()[-1].startswith("what to do: ")
    assert advice in printed


def test_every_command_has_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli import app

    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        _, printed, _ = run(monkeypatch, capsys, name.replace("_", "-"), "--help")
        assert "Example: nightcart" in printed, name


def test_empty_quarantine(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, capsys, "quarantine")[:2][0] == 0


def test_next_night(home: Home, landing: Landing) -> None:
    landing.write_store(DAY, 5)
    assert next_night(home) == DAY + timedelta(days=5)  # a fresh home catches up with everything at once
    home.records.replace(nights, [{"as_of": DAY + timedelta(days=2), "attempt": 1, "loaded_at": clock()}], sa.true())
    assert next_night(home) == DAY + timedelta(days=3)
    home.records.replace(nights, [{"as_of": DAY + timedelta(days=9), "attempt": 1, "loaded_at": clock()}], sa.true())
    with pytest.raises(NothingToDo, match="no complete partition"):
        next_night(home)


def test_nights_between() -> None:
    assert nights_between(DAY, DAY + timedelta(days=2), is_reversed=True)[0] == DAY + timedelta(days=2)
    assert len(nights_between(DAY, DAY + timedelta(days=2), is_reversed=False)) == 3


def test_a_living_scheduler_is_refused(home: Home) -> None:
    refuse_scheduler(home)
    folder = home.root / "airflow"
    folder.mkdir()
    engine = sa.create_engine(f"sqlite:///{folder / 'airflow.db'}")
    with engine.begin() as connection:
        refuse_scheduler(home)  # no tables yet
        connection.execute(sa.text("create table job (job_type text, state text, latest_heartbeat text)"))

    def beat(at: datetime) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("delete from job"))
            values = {"at": f"{at:%Y-%m-%d %H:%M:%S.%f}+00:00"}
            connection.execute(sa.text("insert into job values ('SchedulerJob', 'running', :at)"), values)

    beat(clock() - timedelta(seconds=2 * night.HEARTBEAT_SECONDS))
    refuse_scheduler(home)
    beat(clock())
    with pytest.raises(Busy, match="scheduler lives"):
        refuse_scheduler(home)


def test_a_night_without_a_word_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NightcartError) as ended:
        night._raise_failure([], 1, tmp_path / "night.log")
    assert ended.value.hint.startswith(f"read {tmp_path / 'night.log'}; run the night again")
    monkeypatch.setattr(night, "LEAST_FREE_MIB", sys.maxsize)
    with pytest.raises(NightcartError) as ended:
        night._raise_failure([], 1, tmp_path / "night.log")
    assert "is full (" in ended.value.hint and "free some; run the night again" in ended.value.hint


def test_the_doctor_names_what_is_wrong(home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [finding for finding in examine() if finding.is_wrong]
    assert [finding.what for finding in wrong] == ["landing zone"]
    assert "never delivered" in wrong[0].advice
    landing.write_store(DAY)
    assert [finding for finding in examine() if finding.is_wrong] == []
    monkeypatch.setenv("NIGHTCART__DEMAND__HORIZN", "3")
    assert examine()[0].is_wrong
    monkeypatch.delenv("NIGHTCART__DEMAND__HORIZN")
    monkeypatch.setenv("NIGHTCART_LANDING", str(Path(landing.root) / "nowhere"))
    assert "landing zone" in [finding.what for finding in examine() if finding.is_wrong]


def test_the_doctor_on_the_terminal(
    home: Home, landing: Landing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    landing.write_store(DAY)
    code, printed, _ = run(monkeypatch, capsys, "doctor")
    assert code == 0
    assert "GiB free" in printed


def test_champions_are_listed_and_an_arrow_marks_who_serves(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, model in enumerate(("recent_mean", "tsb")):
        version = {"model": model, "model_version": f"{model}-1", "trained_as_of": DAY + timedelta(days=number)}
        crown(home, "demand", version, DAY + timedelta(days=2 * number), "train", f"reason {number}")
    monkeypatch.setattr(cli_champions, "out", Console(width=160))
    marked = {}
    for options in ((), ("--as-of", str(DAY + timedelta(days=1)))):
        code, printed, _ = run(monkeypatch, capsys, "champions", "demand", *options)
        assert code == 0
        lines = [line.split() for line in printed.splitlines() if "demand" in line]
        assert [line[-1] for line in lines] == ["1", "0"]  # the newest first, with its reason
        marked[options] = [line[2] for line in lines if line[0] == "→"]
    assert list(marked.values()) == [["tsb-1"], ["recent_mean-1"]]


def test_a_promotion_says_what_it_would_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = RecentMean(horizon=2, period_days=7).fit(*demand_frames())
    old = store_model(home, "demand", model, DAY)
    crown(home, "demand", old, DAY, "train", "the first")
    crown(home, "demand", old | {"model_version": "tsb-1"}, DAY + timedelta(days=1), "train", "better")
    monkeypatch.setattr(cli_champions, "out", Console(width=200))
    arguments = ("demand", old["model_version"], "--reason", "calmer", "--dry-run")
    code, printed, _ = run(monkeypatch, capsys, "promote", *arguments)
    assert code == 0
    assert f"would serve demand from the night of {DAY + timedelta(days=1)} on, in the place of tsb-1" in printed
    assert f"by nightcart promote ({getpass.getuser()}): calmer" in printed
    assert "nothing was changed" in printed
    assert champion_of(home, "demand", date.max)["model_version"] == "tsb-1"  # type: ignore[index]
