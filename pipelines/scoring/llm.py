"""One endpoint in the OpenAI format, asked politely: bounded in time, size and number of tries."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

Messages = list[dict[str, str]]
TRIES = 3
AT_ONCE = 4  # questions on the way
WAIT, MOST_WAIT = 1.0, 10.0  # seconds before the second try, doubled before each further one; and at most
MOST_BYTES = 1_000_000
MOST_TOKENS = 400  # of an answer
GIVE_UP = 5
"""Failures in a row after which nothing more is asked this night: the night has other things to do."""
AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Answer(NamedTuple):
    """What came back. why: empty, or what kept the text from coming; tokens: of the text, as the endpoint counts."""

    text: str
    why: str = ""
    prompt_tokens: int = 0
    tokens: int = 0


@dataclass
class Endpoint:
    """An endpoint. timeout: seconds that one try may take in all."""

    url: str
    model: str
    key: str = field(repr=False)
    timeout: float = 30.0
    wait: float = WAIT
    _failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask(self, prompts: Sequence[Messages]) -> list[Answer]:
        """An answer to each prompt, in order; never raises for what the endpoint does."""
        if not prompts:
            return []
        self._failed = 0
        host = httpx.URL(self.url).host
        with (
            httpx.Client(trust_env=host not in LOCAL, follow_redirects=False) as client,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            return list(pool.map(lambda prompt: self._one(client, prompt), prompts))

    def _one(self, client: httpx.Client, prompt: Messages) -> Answer:
        """The first answer of at most three tries; a time-out is not tried again."""
        answer = Answer("", "given_up")
        for attempt in range(TRIES):
            if self._failed >= GIVE_UP:
                return answer
            try:
                status, pause, body = self._post(client, prompt)
            except httpx.TimeoutException:
                answer = Answer("", "timed_out")
                break
            except httpx.HTTPError:
                status, pause, body, answer = 503, None, b"", Answer("", "unreachable")
            if status == httpx.codes.OK:
                with self._lock:
                    self._failed = 0
                return parsed(body)
            answer = answer if answer.why == "unreachable" else Answer("", f"status_{status}")
            if status not in AGAIN:
                break
            if attempt + 1 < TRIES:
                time.sleep(min(MOST_WAIT, max(pause or 0.0, self.wait * 2**attempt)))
        with self._lock:
            self._failed += 1
        return answer

    def _post(self, client: httpx.Client, prompt: Messages) -> tuple[int, float | None, bytes]:
        """Status, seconds to wait if it says so, body; raises a time-out however slowly the body drips."""
        end = time.monotonic() + self.timeout
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        asked = {"model": self.model, "messages": prompt, "temperature": 0, "seed": 7, "max_tokens": MOST_TOKENS}
        address = f"{self.url.rstrip('/')}/chat/completions"
        with client.stream("POST", address, json=asked, headers=headers, timeout=self.timeout) as response:
            body = b""
            for part in response.iter_bytes():
                body += part
                if time.monotonic() > end:
                    raise httpx.ReadTimeout(f"no whole answer within {self.timeout} s")
                if len(body) > MOST_BYTES:
                    return response.status_code, None, b""
            pause = response.headers.get("retry-after", "")
            return response.status_code, float(pause) if pause.isdigit() else None, body


def parsed(body: bytes) -> Answer:
    """The text of an answer; a refusal, one that was cut, or no answer at all says so."""
    try:
        found: Any = json.loads(body)
        choice = found["choices"][0]
        text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
        usage = found.get("usage") or {}
        tokens = int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0))
        finish = choice.get("finish_reason") or "stop"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Answer("", "no_answer")
    if refusal or finish == "content_filter":
        return Answer("", "refused", *tokens)
    if finish == "length":
        return Answer("", "cut", *tokens)
    if not isinstance(text, str) or not text.strip():
        return Answer("", "no_answer", *tokens)
    return Answer(text.strip(), "", *tokens)
