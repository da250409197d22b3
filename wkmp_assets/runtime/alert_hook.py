"""Tell somebody: run a command of the owner's, or post to an address, with one JSON message.

Neither may take longer than its limit, and neither gets a key: not in the message, not in its environment.
"""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from wkmp_assets.errors import AlertError


@dataclass(frozen=True)
class AlertHook:
    """Where messages go. Both may be set."""

    command: str = ""
    """Words as in a shell. It gets the message on standard input. Empty: none."""
    address: str = ""
    """An `http` or `https` address, to which the message is posted. Empty: none."""
    timeout_s: float = 10.0
    environment: Mapping[str, str] | None = None
    """Of the command. Default: that of this process."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message to all that are set.

        Raises
        ------
        AlertError
            One of them did not take it. The message says which and why, and names no address, which may hold a key.
        """
        body = json.dumps(message).encode("ascii")
        reasons = [self._run(body)] if self.command else []
        reasons += [self._post(body)] if self.address else []
        if any(reasons):
            raise AlertError("; ".join(filter(None, reasons)))

    def _run(self, body: bytes) -> str:
        """Run the command, and return why it failed; empty when it did not."""
        try:
            process = subprocess.Popen(  # noqa: S603 - the owner's own command, without a shell
                shlex.split(self.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=None if self.environment is None else dict(self.environment),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"the alert command cannot be run: {getattr(error, 'strerror', None) or error}"
        try:
            process.communicate(body, self.timeout_s)
        except subprocess.TimeoutExpired:
            return f"the alert command took longer than {self.timeout_s:g} s and was ended"
        finally:
            with suppress(ProcessLookupError):  # with everything that it has started
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return f"the alert command ended with exit status {process.returncode}" if process.returncode else ""

    def _post(self, body: bytes) -> str:
        """Post the message, and return why that failed; empty when it did not."""
        request = Request(self.address, body, {"Content-Type": "application/json"})  # noqa: S310 - checked by the settings
        try:
            with build_opener(_NoRedirects).open(request, timeout=self.timeout_s):
                return ""
        except HTTPError as error:
            error.close()  # it holds the answer
            return f"the alert address did not take it: HTTP status {error.code}"
        except (OSError, HTTPException, ValueError) as error:
            return f"the alert address did not take it: {type(error).__name__}"


class _NoRedirects(HTTPRedirectHandler):
    """Leads no message to an address that the owner has not chosen."""

    def redirect_request(self, *_arguments: object) -> None:
        """Return nothing: the redirect is an error."""
