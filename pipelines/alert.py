"""Tell `alert.url` that a night failed, or that something in it looks wrong. A failing alert never fails the night."""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from datetime import date

from pipelines.errors import NightcartError

SECONDS = 5.0  # for each answer of the network
MOST_SECONDS = 10.0  # for all of it, however slowly it answers
LONGEST = 600  # characters of a message
log = logging.getLogger(__name__)


def alert(what: str, step: str, as_of: date, error: object) -> bool:
    """Post what failed, and what to do; returns whether it was taken."""
    from pipelines.home import Home

    try:
        url = Home.open().settings.alert.url
    except NightcartError as fault:  # what is wrong with the settings, the failed task says
        log.warning("no alert: %s", fault)
        return False
    return url is not None and post(url, message(what, step, as_of, error))


def message(what: str, step: str, as_of: date, error: object) -> dict[str, str]:
    """What is posted. Only our own errors are quoted: another one could quote a row."""
    cause = error if isinstance(error, NightcartError) else getattr(error, "__cause__", None)
    if isinstance(cause, NightcartError):
        said, to_do = str(cause), cause.hint or "read the log of the task"
    else:
        said = (
            type(error).__name__ if isinstance(error, BaseException) else "the task ended without an error of its own"
        )
        to_do = "read the log of the task; once the cause is mended, clear the task"
    said = _short(said)
    text = f"Nightcart: {what} of {as_of} failed at {step}: {said} What to do: {to_do}"
    return {"what": what, "as_of": str(as_of), "step": step, "message": said, "what_to_do": to_do, "text": text}


def alarm_message(step: str, as_of: date, said: str) -> dict[str, str]:
    """What is posted where a step ended well and found something that a person should see."""
    to_do = "read the report of the night; `nightcart train` trains an output again"
    said = _short(said)
    text = f"Nightcart: {step} of {as_of} warns: {said} What to do: {to_do}"
    return {"what": "alarm", "as_of": str(as_of), "step": step, "message": said, "what_to_do": to_do, "text": text}


def _short(said: str) -> str:
    return said if len(said) <= LONGEST else f"{said[:LONGEST]} ..."


def post(url: str, body: dict[str, str]) -> bool:
    """Post JSON, and wait no longer than MOST_SECONDS; returns whether it was taken."""
    taken: list[int] = []
    thread = threading.Thread(target=_post, args=(url, body, taken), daemon=True)
    thread.start()
    thread.join(MOST_SECONDS)
    if not taken:
        log.warning("the alert was not taken by %s", url.partition("?")[0])
    return bool(taken)


def _post(url: str, body: dict[str, str], taken: list[int]) -> None:
    headers = {"Content-Type": "application/json"}
    try:
        asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            taken.append(answer.status)
    except Exception as error:  # whatever the other side does, the night goes on
        log.warning("the alert failed: %s", type(error).__name__)
