"""The command starts without what only an import needs."""

import subprocess
import sys

import pytest

from wkmp_assets_tests.support.paths import ROOT


@pytest.mark.slow
def test_the_command_does_not_wait_for_dagster() -> None:
    """`wkmp status` would take two seconds longer."""
    code = "import sys, wkmp_assets.cli.main; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
