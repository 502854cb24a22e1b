"""A session of processes: who is in it, and its end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import NightcartError

END_SECONDS = 30.0  # for all to end after SIGINT
KILL_SECONDS = 10.0  # for all to be gone after SIGKILL
POLL_SECONDS = 0.3
STARTED = 19  # place of the start's time after the name in /proc/<pid>/stat


@dataclass(frozen=True)
class Session:
    """A session by its leader, and when that was started: numbers of processes come again."""

    leader: int
    started: str  # ticks since boot, and the boot's id


def session_of(leader: int) -> Session:
    """The session that a living process leads."""
    return Session(leader, _started(leader))


def members(session: Session) -> list[int]:
    """The living processes of the session, whatever process groups they made; none where its number is another's."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # it ended in between
            if folder.name.isdigit() and os.getsid(int(folder.name)) == session.leader and _stat(folder)[0] != "Z":
                found.append(int(folder.name))
    is_other = session.leader in found and _started(session.leader) != session.started
    return [] if is_other or not session.started.endswith(_boot()) else found


def end_orphans(session: Session) -> list[int]:
    """Kill the members whose parent has died, and theirs in turn; returns which they were."""
    killed: list[int] = []
    while orphans := _orphans(session):
        _signal(orphans, signal.SIGKILL)
        killed += orphans
        time.sleep(POLL_SECONDS)
    return killed


def _orphans(session: Session) -> list[int]:
    return [one for one in members(session) if one != session.leader and not _has_parent(one, session)]


def _has_parent(process: int, session: Session) -> bool:
    try:
        return os.getsid(int(_stat(Path(f"/proc/{process}"))[1])) == session.leader
    except OSError:
        return not Path(f"/proc/{process}").exists()  # it ended in between, or its parent did


def stop(session: Session) -> bool:
    """End every process of the session: SIGINT to its leader, which passes it on, then SIGKILL to what is left.

    Returns whether there was one.

    Raises:
        NightcartError: a process does not end.
    """
    if not (found := members(session)):
        return False
    _signal([session.leader] if session.leader in found else found, signal.SIGINT)
    _wait(session, END_SECONDS)
    _signal(members(session), signal.SIGKILL)
    _wait(session, KILL_SECONDS)
    if left := members(session):
        raise NightcartError(f"the processes {left} do not end", "end them by hand")
    return True


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _wait(session: Session, seconds: float) -> None:
    until = time.monotonic() + seconds
    while members(session) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _stat(folder: Path) -> list[str]:
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _started(process: int) -> str:
    try:
        return f"{_stat(Path(f'/proc/{process}'))[STARTED]} {_boot()}"
    except OSError:
        return ""


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
