"""The middleware: writes every request down, asks the arena, and lets the rules spoil what comes back."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from kagglekit.practice.faults.answer import Answer, part_of
from kagglekit.practice.faults.content import CONTENT
from kagglekit.practice.faults.delivery import DELIVERY
from kagglekit.practice.faults.rules import Asked, Journal, Turn, place_of

PIECE, PROGRESS, SETTLE = 64 * 1024, 256 * 1024, 0.05


class Faults:
    """An ASGI app around the arena's."""

    def __init__(self, app: Callable, path: Path) -> None:
        self._app, self._journal = app, Journal(path)
        self._made: dict[tuple[str, str, str], Answer] = {}

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        asked = place_of(scope["method"], scope["path"], headers)
        turn = self._journal.take(asked)
        line = Line(receive, send, lambda **facts: self._journal.note(turn, **facts))
        try:
            await self._answered(asked, turn, scope, line)
        finally:
            line.close()

    async def _answered(self, asked: Asked, turn: Turn, scope: dict, line: "Line") -> None:
        rule = turn.delivery
        if rule is None and not turn.content and turn.ranges:
            await self._app(scope, line.receive, line.passed)
            return
        answer = None
        if rule is not None and not DELIVERY[rule.fault].asks:
            await line.request()
        else:
            answer = await self._spoilt(asked, turn, scope, line)
        if rule is None:
            await line.answer(answer)
        else:
            await DELIVERY[rule.fault].deliver(line, rule, answer)

    async def _spoilt(self, asked: Asked, turn: Turn, scope: dict, line: "Line") -> Answer:
        """The arena's answer after the faults of the content; these take the whole, so the part that Range asks for is cut here."""
        whole = bool(turn.content) or not turn.ranges
        if whole:
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]}
        fields = await line.fields() if asked.is_call else {}
        answer = await _collected(self._app, scope, line)
        if not whole:
            return answer
        for rule in turn.content if answer.status == 200 else ():
            key = (rule.id, asked.target, answer.header("etag"))
            changed = self._made.get(key) or await asyncio.to_thread(CONTENT[rule.fault].change, answer, rule, fields)
            if asked.at == "store":
                self._made[key] = changed
            answer = changed
        return part_of(answer, asked.range, asked.if_range) if turn.ranges else answer.having(accept_ranges=None)


async def _collected(app: Callable, scope: dict, line: "Line") -> Answer:
    """The app's whole answer."""
    start: dict = {}
    body = bytearray()

    async def collect(message: dict) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, line.receive, collect)
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"])
    line.note(inner=start["status"])
    return Answer(start["status"], headers, bytes(body))


class Line:
    """The connection of one request, beneath what ASGI allows; notes what was sent."""

    def __init__(self, receive: Callable, send: Callable, note: Callable) -> None:
        self._cycle = send.__self__  # uvicorn's cycle of request and answer: h11 and httptools have the same attributes
        self._receive, self._send, self.note = receive, send, note
        self._sent = self._told = 0
        self._body: bytes | None = None

    def gone(self) -> bool:
        """Whether the connection is closed or closing."""
        return self._cycle.transport.is_closing()

    async def receive(self) -> dict:
        """The ASGI receive; what was read before is given again."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def request(self) -> bytes:
        """The whole body of the request."""
        body, more = b"", True
        while more:
            message = await self._receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body

    async def fields(self) -> dict:
        """The fields of a call; they can still be received."""
        self._body = await self.request()
        try:
            fields = json.loads(self._body or b"{}")
        except ValueError:
            return {}
        return fields if isinstance(fields, dict) else {}

    async def passed(self, message: dict) -> None:
        """The ASGI send, counted."""
        if message["type"] == "http.response.start":
            self.note(status=message["status"], inner=message["status"])
        elif not self.gone():
            self._count(len(message.get("body", b"")))
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer as it should be; the connection stays."""
        self.note(status=answer.status)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for start in range(0, len(answer.body), PIECE):
            if not self.gone():
                self._count(len(answer.body[start:start + PIECE]))
            await self._send({"type": "http.response.body", "body": answer.body[start:start + PIECE], "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def head(self, answer: Answer) -> None:
        """Write status and headers as they are, right or wrong."""
        self.note(status=answer.status)
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in answer.headers if name != "connection"]
        await self._raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def write(self, body: bytes, frame: bool = False) -> None:
        """Write bytes of the body; in a frame of chunked encoding where asked (an empty one ends the body)."""
        if frame:
            await self._raw(f"{len(body):x}\r\n".encode() + body + b"\r\n", len(body))
            return
        for start in range(0, len(body), PIECE):
            await self._raw(body[start:start + PIECE], len(body[start:start + PIECE]))

    async def _raw(self, data: bytes, counted: int = 0) -> None:
        if self._cycle.flow.write_paused and not self._cycle.disconnected:
            await self._cycle.flow.drain()
        if not self.gone():
            self._cycle.transport.write(data)
            self._count(counted)

    async def end(self, reset: bool = False) -> None:
        """Close the connection once all is out, or reset it."""
        transport = self._cycle.transport
        if reset:
            while transport.get_write_buffer_size() and not self.gone():
                await asyncio.sleep(0.005)
            await asyncio.sleep(SETTLE)  # a reset throws away what the client's side has not taken yet
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        await self._left()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def wait(self, seconds: float) -> None:
        """Stay silent so long, or until the client goes."""
        import contextlib

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._left(), seconds)

    def _count(self, size: int) -> None:
        self._sent += size
        if self._sent - self._told >= PROGRESS:
            self._told = self._sent
            self.note(sent=self._sent)

    def close(self) -> None:
        """Note what was sent in all."""
        self.note(sent=self._sent, ended=True)
