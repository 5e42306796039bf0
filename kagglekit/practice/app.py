"""The arena's web app: routes, the signed store and the upload; the calls themselves are in calls/."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from kagglekit.practice import calls
from kagglekit.practice.archive import archive_of
from kagglekit.practice.contest import find_contest
from kagglekit.practice.faults import with_faults
from kagglekit.practice.generate import ensure_built_ins
from kagglekit.practice.login import check_login
from kagglekit.practice.protocol import CALLS, Call, Download, Redirect, Refused
from kagglekit.practice.site import Site
from kagglekit.practice.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

MAX_UPLOAD = 200 * 1024**2
MAX_BODY = 1024**2
PATIENCE = 60.0  # seconds without a byte, after which a request is given up

assert calls, "the calls are registered by importing them"


def make_app(state: State, wake: Callable[[], None], tokens: bool = False) -> Callable:
    """The ASGI app over an arena's state; `wake` tells the scoring that something is pending, `tokens`: every team needs one."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    ensure_built_ins(state.home, state.now())
    arena, site = _Arena(state, wake, tokens), Site(state, tokens)
    app = Starlette(routes=[
        Route("/api/v1/{service}/{method}", arena.answer, methods=["POST"]),
        Route("/v1/{service}/{method}", arena.answer, methods=["POST"]),
        Route("/store/{slug}/archive.zip", arena.archive, methods=["GET"]),
        Route("/store/{slug}/file/{name:path}", arena.file, methods=["GET"]),
        Route("/store/{slug}/submission/{ref:int}/{name:path}", arena.submission, methods=["GET"]),
        Route("/upload/{token}", arena.upload, methods=["PUT"]),
        Route("/competitions/{slug}/rules", site.rules, methods=["GET", "POST"]),
        Route("/competitions/{slug}/leaderboard", site.leaderboard, methods=["GET"]),
    ], exception_handlers={404: _nowhere, 405: _nowhere, 500: _failed})
    return with_faults(_absolute_targets(app))


def _absolute_targets(app: Callable) -> Callable:
    """A client that goes through http_proxy sends `POST http://localhost/api/...`: scheme and host are dropped before routing."""

    async def stripped(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("http://", "https://")):
            path = "/" + scope["path"].split("://", 1)[1].partition("/")[2]
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return stripped


class _Arena:
    """The endpoints."""

    def __init__(self, state: State, wake: Callable[[], None], tokens: bool) -> None:
        self._state, self._wake, self._tokens = state, wake, tokens
        self._secret = state.meta("secret").encode()

    async def answer(self, request: "Request") -> "Response":
        """One call of the protocol."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import RedirectResponse, Response

        try:
            login = await run_in_threadpool(check_login, request.headers.get("authorization", ""), self._state, self._tokens)
            fields = _fields(await _body(request))
            name = f"{request.path_params['service']}/{request.path_params['method']}"
            if name not in CALLS:
                raise Refused(404, f"{name} is not served here")
            base = "http://{}:{}".format(*request.scope["server"])
            answer = await run_in_threadpool(CALLS[name], Call(self._state, login, fields, base, self._wake))
        except Refused as refused:
            return _error(refused.code, refused.message)
        if isinstance(answer, Redirect):
            from urllib.parse import quote

            return RedirectResponse(f"{base}/{quote(answer.path)}?signature={self._sign(answer.path)}", status_code=302)
        if isinstance(answer, Download):
            return Response(answer.content, media_type="application/zip",
                            headers={"Content-Disposition": f'attachment; filename="{answer.name}"'})
        from starlette.responses import JSONResponse

        return JSONResponse(answer)

    def _sign(self, path: str) -> str:
        return hmac.new(self._secret, path.encode(), hashlib.sha256).hexdigest()[:32]

    async def archive(self, request: "Request") -> "Response":
        """All public files as one zip, with Range and If-Range."""
        from starlette.concurrency import run_in_threadpool

        slug = request.path_params["slug"]
        contest = await run_in_threadpool(find_contest, self._state.home, slug)
        if contest is None or not self._signed(request, f"store/{slug}/archive.zip"):
            return _error(403, "Forbidden")
        return _served(await run_in_threadpool(archive_of, self._state, contest), "application/zip")

    async def file(self, request: "Request") -> "Response":
        """One public file."""
        from starlette.concurrency import run_in_threadpool

        slug, name = request.path_params["slug"], request.path_params["name"]
        contest = await run_in_threadpool(find_contest, self._state.home, slug)
        path = contest.public_file(name) if contest is not None else None
        if path is None or not self._signed(request, f"store/{slug}/file/{name}"):
            return _error(403, "Forbidden")
        return _served(path, "application/octet-stream")

    async def submission(self, request: "Request") -> "Response":
        """The file of a submission, for whom a call was answered with this address."""
        slug, ref, name = (request.path_params[part] for part in ("slug", "ref", "name"))
        row = self._state.submission(ref)
        if row is None or not self._signed(request, f"store/{slug}/submission/{ref}/{name}"):
            return _error(403, "Forbidden")
        return _served(self._state.uploads / row["token"], "text/csv")

    def _signed(self, request: "Request", path: str) -> bool:
        return hmac.compare_digest(request.query_params.get("signature", "").encode(), self._sign(path).encode())

    async def upload(self, request: "Request") -> "Response":
        """The bytes of a submission, at most MAX_UPLOAD of them."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response

        token = request.path_params["token"]
        known = await run_in_threadpool(self._state.upload, token)
        if known is None or known["done"]:
            return _error(403, "Forbidden")
        target = self._state.uploads / token
        hidden = target.with_name(f".{token}.{secrets.token_hex(6)}.part")
        try:
            await _keep(request, hidden)
            hidden.replace(target)
        except Refused as refused:
            return _error(refused.code, refused.message)
        finally:
            hidden.unlink(missing_ok=True)
        await run_in_threadpool(self._state.finish_upload, token)
        return Response(status_code=200)


async def _keep(request: "Request", path: "Path") -> None:
    """Write the body of a request; Refused where it is too large, stops coming or has an end too soon."""
    too_large = Refused(413, f"The file is larger than {MAX_UPLOAD // 1024**2} MB")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_UPLOAD:
        raise too_large
    size = 0
    with path.open("wb") as sink:
        async for chunk in _chunks(request):
            size += len(chunk)
            if size > MAX_UPLOAD:
                raise too_large
            sink.write(chunk)


async def _chunks(request: "Request") -> AsyncIterator[bytes]:
    """The body as it comes; Refused where nothing comes for too long, or the client is gone."""
    from starlette.requests import ClientDisconnect

    stream = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), PATIENCE)
        except StopAsyncIteration:
            return
        except (TimeoutError, ClientDisconnect):
            raise Refused(408, f"Nothing came for {PATIENCE:.0f} seconds") from None


def _served(path: "Path", kind: str) -> "Response":
    from starlette.responses import FileResponse

    class Wide(FileResponse):
        chunk_size = 1024**2

    return Wide(path, media_type=kind)


def _error(code: int, message: str) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"code": code, "message": message}, status_code=code)


async def _nowhere(request: "Request", error: Exception) -> "Response":
    return _error(getattr(error, "status_code", 404), "NotFound")


async def _failed(request: "Request", error: Exception) -> "Response":
    return _error(500, "The arena could not answer: its files may be damaged")


async def _body(request: "Request") -> bytes:
    content = b""
    async for chunk in _chunks(request):
        content += chunk
        if len(content) > MAX_BODY:
            raise Refused(413, "The request is too large")
    return content


def _fields(body: bytes) -> dict:
    try:
        content = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "The request is not json") from None
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which neither SQLite nor the file system takes
        raise Refused(400, "The request is not text") from None
    if not isinstance(content, dict):
        raise Refused(400, "The request is not a json object")
    return content
