"""Which schedulers may be used, and which workers."""

import json
from pathlib import Path

import pytest

from wkmp_assets.errors import SettingsError
from wkmp_assets.runtime.cluster.addresses import check_is_safe, find_address, is_loopback
from wkmp_assets.runtime.cluster.versions import find_difference

HERE = {"PyAV": "18.1", "numpy": "2.4"}


@pytest.mark.parametrize("address", ["tcp://nas:8786", "tls://10.0.0.1:8786", "tcp://[::1]:8786"])
def test_addresses(address: str) -> None:
    assert find_address(address) == address


@pytest.mark.parametrize("text", ["http://nas:8786", "tcp://nas", "tcp://:8786", "tcp://nas:port", "ucx://nas:1"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is no address like tcp://host:8786"):
        find_address(text)


def test_a_scheduler_file_names_the_address(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": "tcp://nas:8786", "workers": {}}))
    assert find_address(str(file)) == "tcp://nas:8786"


@pytest.mark.parametrize("content", ["", "[]", '{"id": 1}', '{"address": "nas"}'])
def test_a_wrong_scheduler_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(content)
    with pytest.raises(SettingsError):
        find_address(str(file))
    with pytest.raises(SettingsError, match="cannot be read as a scheduler file"):
        find_address(str(tmp_path / "none"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_tls(host: str) -> None:
    assert is_loopback(host)
    check_is_safe(f"tcp://{f'[{host}]' if ':' in host else host}:8786", allow_insecure=False)


@pytest.mark.parametrize("host", ["192.0.2.7", "0.0.0.0", "no-such-host.invalid", "[2001:db8::1]"])  # noqa: S104
def test_other_machines_need_tls(host: str) -> None:
    with pytest.raises(SettingsError, match="is not encrypted"):
        check_is_safe(f"tcp://{host}:8786", allow_insecure=False)
    check_is_safe(f"tls://{host}:8786", allow_insecure=False)
    check_is_safe(f"tcp://{host}:8786", allow_insecure=True)


def test_a_worker_with_other_versions_is_named_with_both() -> None:
    assert find_difference(HERE, HERE) is None
    assert find_difference({**HERE, "more": "1"}, HERE) is None
    said = find_difference({"PyAV": "17.0"}, HERE)
    assert (
        said == "it has PyAV 17.0 instead of 18.1, numpy none instead of 2.4; install the same version on both machines"
    )
    assert find_difference(None, HERE) == "it was not started with `wkmp worker`"
