"""A cluster with TLS: who has a certificate of its authority takes part, and who has none is refused in a sentence."""

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dask
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wkmp_assets.errors import ClusterError
from wkmp_assets_tests.integration.cluster.machines import Machines
from wkmp_assets_tests.support.patience import wait_until

pytest.importorskip("distributed")  # before any of Dask's settings is set, because it brings the others
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")])
        self.ca_file = self._write("ca.pem", self._sign(self._name, self._key.public_key(), is_authority=True))
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "machine")])
        self.cert = self._write("cert.pem", self._sign(name, key.public_key(), is_authority=False))
        self.key = folder / "key.pem"
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    @property
    def settings(self) -> dict[str, Any]:
        """Dask's settings for a machine, below `distributed.comm.tls`, as the guide has them."""
        machine = {"cert": str(self.cert), "key": str(self.key)}
        return {"ca-file": str(self.ca_file), **dict.fromkeys(("scheduler", "worker", "client"), machine)}

    @property
    def of_this_process(self) -> dict[str, str]:
        """The same for the client in this process."""
        files = {"ca-file": self.ca_file, "client.cert": self.cert, "client.key": self.key}
        return {f"distributed.comm.tls.{name}": str(path) for name, path in files.items()}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """That of the cluster, and another one."""
    folder = tmp_path_factory.mktemp("tls")
    return Authority(folder / "ours"), Authority(folder / "theirs")


def give(home: Path, authority: Authority) -> None:
    """Put the settings where Dask looks for them."""
    place = home / ".config/dask/distributed.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(yaml.safe_dump({"distributed": {"comm": {"tls": authority.settings}}}), encoding="utf-8")


@pytest.fixture
def machines(tmp_path: Path, authorities: tuple[Authority, Authority]) -> Iterator[Machines]:
    ours, theirs = authorities
    with ExitStack() as services:
        made = Machines(tmp_path, services, "tls")
        for name in ("scheduler", "trusted"):
            give(tmp_path / name, ours)
        give(tmp_path / "foreign", theirs)
        made.scheduler()
        yield made


def test_only_machines_with_a_certificate_of_the_authority_take_part(
    machines: Machines, authorities: tuple[Authority, Authority]
) -> None:
    ours, theirs = authorities
    machines.add("a.mp3", "sound")
    for name in ("trusted", "bare", "foreign"):
        machines.worker(name)
    wait_until(lambda: machines.joined("trusted"), "the worker with our certificate has joined")
    for name, why in (("bare", "TLS"), ("foreign", "CERTIFICATE_VERIFY_FAILED")):
        wait_until(lambda name=name: "trying again" in machines.log(name), f"{name} has tried")  # type: ignore[misc]  # mypy infers no default of a lambda
        said = machines.log(name)
        assert f"No worker could join {machines.address} (" in said
        assert why in said
        assert "Traceback" not in said
        assert machines.joined(name) == []
    with dask.config.set(ours.of_this_process), machines.pool() as pool:
        assert machines.read(pool) == {"a.mp3": "sound"}
        assert len(pool._queue._executor.slots) == 1  # type: ignore[attr-defined]  # of a cluster's queue
    for settings, why in (
        (theirs.of_this_process, rf"no scheduler answers at {machines.address} \(\[SSL: CERTIFICATE_VERIFY_FAILED\]"),
        ({}, f"the scheduler at {machines.address} needs certificates, and Dask's settings name none"),
    ):
        with dask.config.set(settings), machines.pool() as pool, pytest.raises(ClusterError, match=why):
            machines.read(pool)
