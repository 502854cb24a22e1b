"""What can be said of the images and services without an engine to run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "CMD", "ENTRYPOINT"}
SERVICES = {"postgres", "s3", "setup", "api-server", "scheduler", "dag-processor", "mlflow", "training"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yml").read_text()))


def instructions(file: Path) -> list[tuple[str, str]]:
    """Instruction and arguments of each line, continued ones put together."""
    text = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", file.read_text(), flags=re.MULTILINE))
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def test_services(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES
    for name, service in compose["services"].items():
        assert "image" in service, name
        for other in service.get("depends_on", {}):
            assert other in SERVICES
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"]
        if "build" in service:
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += [rest for file in DOCKERFILES for name, rest in instructions(file) if name == "FROM"]
    for image in images:
        assert re.search(r":\d+\.\d+[\w.-]*$", image), f"{image} names no version"


def test_pages_are_on_loopback_and_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|ACCESS_KEY", name):
                assert value.startswith("${"), name
    assert "ALL_ADMINS" not in (DOCKER / "compose.yml").read_text()


def test_services_of_airflow_share_their_variables(compose: dict[str, Any]) -> None:
    shared = [
        compose["services"][name]["environment"] for name in ("api-server", "scheduler", "dag-processor", "setup")
    ]
    assert all(one == shared[0] for one in shared)
    assert shared[0]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://api-server:8080/execution/"


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.stem)
def test_dockerfiles(file: Path) -> None:
    found = instructions(file)
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert [rest for name, rest in found if name == "USER"] == ["nightcart"]
    assert all(rest.count("apt-get install") == rest.count("rm -rf /var/lib/apt/lists/*") for _, rest in found)


def test_steps_are_targets_of_the_makefile(compose: dict[str, Any]) -> None:
    commands = [rest for file in DOCKERFILES for name, rest in instructions(file) if name == "RUN"]
    commands += [str(service.get("command", "")) for service in compose["services"].values()]
    asked = {
        target for text in commands for target in re.findall(r"^make ([a-z -]+)", text) for target in target.split()
    }
    assert {"setup", "bucket", "airflow-database"} <= asked | {"setup"}
    assert asked - {"setup"} <= targets()
    assert {"compose-up", "compose-down", "compose-secrets", "images"} <= targets()
