"""What can go wrong with a night, each with its exit code and what to do about it."""

from __future__ import annotations


class NightcartError(Exception):
    """An error that says what was found and what was expected; `hint` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageFault(NightcartError):
    """A wrong argument or setting."""

    exit_code = 2


class IncomingFault(NightcartError):
    """What the store delivered stops the night; yesterday's release stays."""

    exit_code = 3


class AuditFault(NightcartError):
    """What would have been published failed its audit; yesterday's release stays."""

    exit_code = 4


class Busy(NightcartError):
    """Another night, or a scheduler, holds this home."""

    exit_code = 5


class NothingToDo(NightcartError):
    """There is no night to run."""

    exit_code = 6


class StorageFault(NightcartError):
    """A stored file is missing or is not what was written."""
