"""Running the arena: embedded in a process on a free port, or alone until Ctrl-C."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.errors import KKError
from kagglekit.practice.app import make_app
from kagglekit.practice.scoring import Worker
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
        self._worker, self._server = _prepared(self._home)
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
        self._worker.stop()
        self._listener.close()


def serve(home: Path, host: str = "127.0.0.1", port: int = 7777, on_ready: Callable[[str], None] | None = None) -> None:
    """Run the arena until Ctrl-C; `on_ready` gets its address once it answers. Raises KKError where the port is taken."""
    if host not in LOOPBACK:
        raise KKError(f"the arena serves loopback only, not {host}", "Leave --host out")
    listener = _listen("127.0.0.1", port)
    worker, server = _prepared(home)
    try:
        if on_ready is not None:
            on_ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.run(sockets=[listener])
    finally:
        worker.stop()
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise KKError(f"port {port} is taken", f"Choose another: kk arena serve --port {port + 1}") from error
    listener.listen(128)
    return listener


def _prepared(home: Path) -> tuple[Worker, "uvicorn.Server"]:
    import uvicorn

    home.mkdir(parents=True, exist_ok=True)
    state = State(home)
    worker = Worker(state)
    config = uvicorn.Config(make_app(state, worker.wake), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    worker.start()
    return worker, uvicorn.Server(config)
