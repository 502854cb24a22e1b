"""The home's own Airflow, asked over its REST API on loopback."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from pipelines.errors import NightcartError

SECONDS = 30.0  # for one answer
BUSY = 4  # times that a request is repeated where SQLite was locked
USER = "admin"


class ApiFault(NightcartError):
    """Airflow answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Airflow answered {status}: {text}", "look into its log in the home, airflow/servers/")
        self.status = status


class AirflowApi:
    """Requests with a token that is fetched at the first one."""

    def __init__(self, port: int, password: str) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.password, self.token = password, ""

    def get(self, path: str) -> Any:
        """What lies under `/api/v2/<path>`."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A request to `/api/v2/<path>`, repeated a few times where the server was busy.

        Raises:
            ApiFault: it answered with an error.
        """
        if not self.token:
            said = request("POST", f"{self.base}/auth/token", {"username": USER, "password": self.password})
            self.token = said["access_token"]
        for repeat in range(BUSY):
            try:
                return request(method, f"{self.base}/api/v2/{path}", body, self.token)
            except ApiFault as fault:
                if fault.status < 500 or repeat == BUSY - 1:
                    raise
                time.sleep(1 + repeat)
        raise AssertionError("unreachable")

    def put_pool(self, name: str, slots: int, description: str) -> None:
        """Make a pool, or give one that is there its slots."""
        body = {"slots": slots, "description": description, "include_deferred": False}
        try:
            self.ask("PATCH", f"pools/{name}", body | {"pool": name})
        except ApiFault as fault:
            if fault.status != 404:
                raise
            self.ask("POST", "pools", body | {"name": name})

    def is_healthy(self) -> bool:
        """Whether database, scheduler and DAG processor say that they are well."""
        try:
            said = request("GET", f"{self.base}/api/v2/monitor/health")
        except (NightcartError, TypeError, KeyError):
            return False
        return all(said[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))


def request(method: str, url: str, body: Mapping[str, Any] | None = None, token: str = "") -> Any:
    """One HTTP request with JSON in and out.

    Raises:
        ApiFault: the answer is an error.
        NightcartError: there was no answer.
    """
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(url, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback goes through no proxy
    try:
        with opener.open(asked, timeout=SECONDS) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise ApiFault(error.code, error.read(500).decode("utf-8", "replace")) from error
    except OSError as error:
        raise NightcartError(f"{url} does not answer: {error}", "`nightcart up` starts the servers") from error
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
