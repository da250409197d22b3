"""A server that is reached by SSH, for `sftp://` addresses. Needs `wkmp-assets[sftp]`."""

import logging
import random
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

_CONNECT_S = 20
"""unit=s: how long to wait for a server that does not answer."""
_ANSWER_S = 60
"""unit=s: how long to wait for the next answer of a server; a connection may be gone without a word."""
_KEEPALIVE_S = 30
"""unit=s: routers forget connections that are silent for long."""
_TRIES = 8
_PAUSE_S = 1.0
"""unit=s: about the time between two tries."""


class SftpStore(SFTPFileSystem):
    """Files of an SSH server whose key is in `~/.ssh/known_hosts`. The user's own keys open it, as for `ssh`."""

    def _connect(self) -> None:
        """Connect; called by the base class."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what it says is told by whoever asked
        for left in reversed(range(_TRIES)):
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())  # fsspec would take any
            try:
                self.client.connect(self.host, **{"timeout": _CONNECT_S, **self.ssh_kwargs})
                break
            except (paramiko.SSHException, OSError, EOFError) as error:
                self.client.close()
                if not left or not _is_busy(error):
                    raise
                time.sleep(_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - so that workers do not come together
        transport = self.client.get_transport()
        if transport is not None:
            transport.set_keepalive(_KEEPALIVE_S)
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(_ANSWER_S)

    @property
    def is_connected(self) -> bool:
        """Whether the server still holds the connection, as far as this machine knows."""
        transport, channel = self.client.get_transport(), self.ftp.get_channel()
        return transport is not None and transport.is_active() and not (channel.closed or channel.eof_received)


_OPEN: dict[str, SftpStore] = {}
"""Connections of this process, by address."""


def open_store(url: str) -> tuple[SftpStore, str]:
    """Return the server of an address, connected, and the path there.

    Raises
    ------
    paramiko.SSHException
        Its key is not known, or it does not let this user in.
    OSError
        It cannot be reached.
    """
    host, _, path = url.partition("://")[2].partition("/")  # a path may hold what has a meaning in addresses, like `#`
    store = _OPEN.get(url)
    if store is None or not store.is_connected:
        store = _OPEN[url] = SftpStore(**_find_options(host), skip_instance_cache=True)  # fsspec keeps broken ones
    return store, f"/{path}"


def _find_options(host: str) -> dict[str, Any]:
    """Return how to connect, from `user:password@host:port`."""
    parts = urlsplit(f"sftp://{host}")
    found = {
        "host": parts.hostname or "",
        "port": parts.port,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _is_busy(error: Exception) -> bool:
    """Tell whether a server has too many connections at once that have not yet logged in."""
    if isinstance(error, paramiko.AuthenticationException | paramiko.BadHostKeyException):
        return False
    return isinstance(error, ConnectionResetError | EOFError) or "protocol" in str(error)
