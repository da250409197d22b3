"""`make test-deploy`: linters read the files in deploy/, and the steps of the image run in a clean folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wkmp_assets_tests.support.image_steps import read_image
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY

pytestmark = pytest.mark.skipif(not os.environ.get("WKMP_TEST_DEPLOY"), reason="part of `make test-deploy` only")
DEPLOY = ROOT / "deploy"
LINTERS = Path(os.environ.get("WKMP_TEST_DEPLOY", ""))
YAML_RULES = (
    "{extends: default, rules: {document-start: disable, line-length: {max: 120}, braces: {max-spaces-inside: 1}, "
    "comments: {min-spaces-from-content: 1}}}"
)


@pytest.mark.parametrize(
    "command",
    [
        ("hadolint", "--strict-labels", "Dockerfile"),
        ("yamllint", "--strict", "-d", YAML_RULES, "docker-compose.yaml", "kubernetes-workers.yaml"),
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yaml"),
        ("kubernetes-validate", "--strict", "kubernetes-workers.yaml"),
    ],
    ids=lambda command: command[0],
)
def test_linters_have_no_complaint(command: tuple[str, ...]) -> None:
    done = subprocess.run([LINTERS / command[0], *command[1:]], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_steps_of_the_image_make_a_command_that_imports(tmp_path: Path) -> None:
    image = read_image(DEPLOY / "Dockerfile", ROOT, tmp_path, sys.executable)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
    kept["HOME"] = str(tmp_path)
    built = subprocess.run(["bash", "-c", image.script], cwd=tmp_path, env=kept, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-4000:]
    assert image.user.isdigit(), "Kubernetes cannot tell that a name is not root's"
    music, state = tmp_path / "music", tmp_path / "state"
    shutil.copy2(SAMPLE_LIBRARY / "azrael1322/azrael1.mp3", music)
    # As the service `settings` of docker-compose.yaml does.
    shutil.copy(tmp_path / "opt/wkmp/dagster.yaml", state)
    del kept["PATH"]
    program = tmp_path / "python/bin" / image.entry[0]
    own = {**kept, **image.environment, "PATH": "/usr/bin:/bin"}
    own.pop("PYTHONPATH", None)
    said = subprocess.run([program, "import"], cwd=state, env=own, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "1 imported" in said.stdout
    assert (music / "wkmp.db").is_file()
    for name in ("scheduler", "worker"):
        assert subprocess.run([program, name, "--help"], env=own, capture_output=True, check=False).returncode == 0
