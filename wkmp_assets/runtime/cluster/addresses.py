"""The address of a scheduler, and whether what is sent to it is safe from others."""

import ipaddress
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from wkmp_assets.errors import SettingsError

_PROTOCOLS = {"tcp", "tls"}


def find_address(cluster: str) -> str:
    """Return the address of a scheduler.

    Parameters
    ----------
    cluster : str
        `tcp://host:8786`, `tls://host:8786`, or the path of a scheduler file of Dask.

    Raises
    ------
    SettingsError
        It is neither.
    """
    if "://" not in cluster:
        try:
            cluster = str(json.loads(Path(cluster).expanduser().read_text("utf-8"))["address"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise SettingsError(
                f"{cluster} is no address like tcp://host:8786 and cannot be read as a scheduler file ({error})"
            ) from error
    try:
        parts = urlsplit(cluster)
        is_address = parts.scheme in _PROTOCOLS and bool(parts.hostname) and parts.port is not None
    except ValueError:  # the port
        is_address = False
    if not is_address:
        raise SettingsError(f"{cluster} is no address like tcp://host:8786 or tls://host:8786")
    return cluster


def check_is_safe(address: str, *, allow_insecure: bool) -> None:
    """Refuse an address over which others could read along and give orders.

    Parameters
    ----------
    address : str
        Of a scheduler, or the one on which it is to listen.
    allow_insecure : bool
        Whether the owner trusts everyone on the network.

    Raises
    ------
    SettingsError
        It is not encrypted and reaches beyond this machine. The message says how to encrypt.
    """
    parts = urlsplit(address)
    if parts.scheme == "tls" or allow_insecure or is_loopback(parts.hostname or ""):
        return
    raise SettingsError(
        f"{address} is not encrypted, and whoever reaches it can run programs on all machines of the cluster: use "
        "tls:// with the certificates in Dask's settings (docs/guide/cluster.md), or set WKMP_CLUSTER_INSECURE=1 in a "
        "network that only you use"
    )


def is_loopback(host: str) -> bool:
    """Tell whether a name or address leads to this machine only. One that cannot be resolved does not."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback for one in found)
