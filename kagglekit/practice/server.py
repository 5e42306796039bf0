"""Running the arena: embedded in a process on a free port, or alone until Ctrl-C."""

import errno
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.practice.app import make_app
from kagglekit.practice.scorer import Scoring
from kagglekit.practice.state import State

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Embedded:
    """The arena over `home` on a free port of loopback, for the length of a with-block; `url` is its address."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self._home, self._port = home, port
        self.url = ""

    def __enter__(self) -> "Embedded":
        self._listener = _listen("127.0.0.1", self._port)
        self._scoring, self._server = _prepared(self._home)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True, name="arena")
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not self._server.started:
            raise KKError("the practice server did not start", "Look for what is wrong with: kk doctor")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._scoring.stop()
        self._listener.close()


def serve(home: Path, host: str = "127.0.0.1", port: int = 7777, on_ready: Callable[[str], None] | None = None) -> None:
    """Run the arena until Ctrl-C; `on_ready` gets its address once it listens.

    Off loopback every team needs a token. Raises KKError where the port is taken, or no team has one.
    """
    tokens = host not in LOOPBACK
    home.mkdir(parents=True, exist_ok=True)
    if tokens and not State(home).teams():
        raise KKError(f"the arena does not open to the network on {host} while no team has a token",
                      "Make tokens first: kk arena teams alpha beta")
    listener = _listen(host, port)
    scoring, server = _prepared(home, tokens)
    try:
        if on_ready is not None:
            on_ready(f"http://{_shown(host)}:{listener.getsockname()[1]}")
        server.run(sockets=[listener])
    finally:
        scoring.stop()
        listener.close()


def _shown(host: str) -> str:
    """The address that others reach this machine by; connecting a datagram socket sends nothing."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named: only then asyncio turns Nagle's algorithm off, and an answer need not wait 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno != errno.EADDRINUSE:
            raise KKError(f"cannot listen on {host} port {port}: {error.strerror or error}",
                          "Choose an address of this machine, 0.0.0.0 for all") from error
        raise KKError(f"port {port} is taken", f"Choose another: kk arena serve --port {port + 1}") from error
    listener.listen(512)
    return listener


def _prepared(home: Path, tokens: bool = False) -> tuple[Scoring, "uvicorn.Server"]:
    import uvicorn

    home.mkdir(parents=True, exist_ok=True)
    state = State(home)
    scoring = Scoring(state)
    config = uvicorn.Config(make_app(state, scoring.wake, tokens), log_level="critical", access_log=False, lifespan="off",
                            timeout_graceful_shutdown=1)
    scoring.start()
    return scoring, uvicorn.Server(config)
