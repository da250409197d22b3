"""The files in deploy/ are whole, and start commands that exist with options that exist."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.runtime.cluster.addresses import check_is_safe, find_address
from wkmp_assets.settings import all_settings
from wkmp_assets_tests.project.test_pins import PYTHONS
from wkmp_assets_tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def read_yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return found


def assert_is_a_command(arguments: list[str]) -> None:
    """Check that `wkmp` has a command and all its options."""
    command, *rest = arguments
    said = CliRunner().invoke(main, [command, "--help"])
    assert said.exit_code == 0
    assert [option for option in rest if option.startswith("--") and option not in said.output] == []


def assert_may_use_its_scheduler(service: dict[str, Any]) -> None:
    """Check that a service may use the address that it names, as the command itself does at its start."""
    environment = service.get("environment", {})
    named = [*service.get("command", ()), *service.get("entrypoint", ()), environment.get("WKMP_CLUSTER", "")]
    addresses = [text for text in named if text.startswith(("tcp://", "tls://"))]
    for address in addresses:
        check_is_safe(find_address(address), allow_insecure=environment.get("WKMP_CLUSTER_INSECURE") == "1")
    assert addresses or "WKMP_CLUSTER_INSECURE" not in environment


def test_compose_names_services_networks_and_volumes_that_it_has() -> None:
    compose = read_yaml("docker-compose.yaml")
    services = compose["services"]
    assert {"scheduler", "worker", "daemon", "web", "postgres"} <= services.keys()
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        assert set(service.get("networks", ())) <= compose["networks"].keys()
        for volume in service.get("volumes", ()):
            source = volume.rpartition(":/")[0]
            assert source.startswith("${MUSIC") or source in compose["volumes"]
        for name in service.get("environment", {}):
            assert not name.startswith("WKMP_") or name.removeprefix("WKMP_").lower() in all_settings()
        assert_may_use_its_scheduler(service)
        if "entrypoint" not in service and service["image"] == "wkmp-assets":
            assert_is_a_command(service["command"])
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"]), "Dagster has no passwords"
    assert compose["networks"]["inside"]["internal"], "WKMP_CLUSTER_INSECURE is set"


def test_the_workers_of_kubernetes_use_tls_and_only_read_the_music() -> None:
    workers = read_yaml("kubernetes-workers.yaml")["spec"]["template"]["spec"]
    (container,) = workers["containers"]
    assert_is_a_command(container["args"])
    assert any(argument.startswith("tls://") for argument in container["args"])
    volumes = {volume["name"] for volume in workers["volumes"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == volumes
    assert mounts["music"]["readOnly"]


def test_the_image_copies_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copied = [name for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert "wkmp_assets" in copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    installed = re.findall(r"-r (\S+)", text)
    assert installed == [name for name in copied if name.startswith("requirements")]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists(path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as Python's documentation does it
    unit.read_string(path.read_text(encoding="utf-8"))
    program, *arguments = unit["Service"]["ExecStart"].split()
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    if program.endswith("/wkmp"):
        assert_is_a_command(arguments)
    else:
        assert (Path(program).name, arguments) == ("dagster-daemon", ["run", "-m", "wkmp_assets.definitions"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_a_unit(path: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if path.name in line and "is not executable" not in line]
    assert complaints == []


def test_the_release_workflow_runs_targets_on_the_pythons_that_the_packages_are_pinned_for() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert all(job.get("needs") is None or job["needs"] in jobs for job in jobs.values())
    assert jobs["check"]["strategy"]["matrix"]["python"] == PYTHONS
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    run = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert {name for line in run for name in re.findall(r"\bmake ([a-z-]+)", line)} <= set(targets)
