"""The arena's web app: routes, login, the signed store and the upload; the calls themselves are in protocol.py."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from kagglekit.practice.contest import ensure_built_ins, find_contest
from kagglekit.practice.protocol import CALLS, Call, Download, Redirect, Refused, archive_of
from kagglekit.practice.state import State

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MAX_UPLOAD = 200 * 1024**2
MAX_BODY = 1024**2


def make_app(state: State, wake: Callable[[], None]) -> Callable:
    """The ASGI app over an arena's state; `wake` tells the scoring that something is pending."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    ensure_built_ins(state.home, state.now())
    arena = _Arena(state, wake)
    app = Starlette(routes=[
        Route("/api/v1/{service}/{method}", arena.answer, methods=["POST"]),
        Route("/v1/{service}/{method}", arena.answer, methods=["POST"]),
        Route("/store/{slug}/archive.zip", arena.archive, methods=["GET"]),
        Route("/store/{slug}/file/{name:path}", arena.file, methods=["GET"]),
        Route("/upload/{token}", arena.upload, methods=["PUT"]),
    ])
    return _absolute_targets(app)


def _absolute_targets(app: Callable) -> Callable:
    """A client that goes through http_proxy sends `POST http://localhost/api/...`: scheme and host are dropped before routing."""

    async def stripped(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] == "http" and "://" in scope["path"].split("/api", 1)[0][:12]:
            path = "/" + scope["path"].split("://", 1)[1].partition("/")[2]
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return stripped


class _Arena:
    """The endpoints."""

    def __init__(self, state: State, wake: Callable[[], None]) -> None:
        self._state, self._wake = state, wake
        self._secret = state.meta("secret").encode()

    async def answer(self, request: "Request") -> "Response":
        """One call of the protocol."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse, RedirectResponse, Response

        try:
            team = _team(request.headers.get("authorization", ""))
            fields = _fields(await _body(request))
            name = f"{request.path_params['service']}/{request.path_params['method']}"
            if name not in CALLS:
                raise Refused(404, f"{name} is not served here")
            base = "http://{}:{}".format(*request.scope["server"])
            answer = await run_in_threadpool(CALLS[name], Call(self._state, team, fields, base, self._wake))
        except Refused as refused:
            return JSONResponse({"code": refused.code, "message": refused.message}, status_code=refused.code)
        if isinstance(answer, Redirect):
            from urllib.parse import quote

            return RedirectResponse(f"{base}/{quote(answer.path)}?signature={self._sign(answer.path)}", status_code=302)
        if isinstance(answer, Download):
            return Response(answer.content, media_type="application/zip",
                            headers={"Content-Disposition": f'attachment; filename="{answer.name}"'})
        return JSONResponse(answer)

    def _sign(self, path: str) -> str:
        return hmac.new(self._secret, path.encode(), hashlib.sha256).hexdigest()[:32]

    async def archive(self, request: "Request") -> "Response":
        """All public files as one zip, with Range and If-Range."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import FileResponse

        slug = request.path_params["slug"]
        contest = await run_in_threadpool(find_contest, self._state.home, slug)
        if contest is None or not self._signed(request, f"store/{slug}/archive.zip"):
            return _forbidden()
        return FileResponse(await run_in_threadpool(archive_of, self._state, contest), media_type="application/zip")

    async def file(self, request: "Request") -> "Response":
        """One public file."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import FileResponse

        slug, name = request.path_params["slug"], request.path_params["name"]
        contest = await run_in_threadpool(find_contest, self._state.home, slug)
        if contest is None or name not in contest.file_paths() or not self._signed(request, f"store/{slug}/file/{name}"):
            return _forbidden()
        return FileResponse(contest.files / name, media_type="application/octet-stream")

    def _signed(self, request: "Request", path: str) -> bool:
        return hmac.compare_digest(request.query_params.get("signature", ""), self._sign(path))

    async def upload(self, request: "Request") -> "Response":
        """The bytes of a submission, at most MAX_UPLOAD of them."""
        from starlette.responses import JSONResponse, Response

        token = request.path_params["token"]
        if self._state.upload(token) is None:
            return _forbidden()
        target = self._state.uploads / token
        hidden, size = target.with_name(f".{token}.{secrets.token_hex(6)}.part"), 0
        with hidden.open("wb") as sink:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_UPLOAD:
                    break
                sink.write(chunk)
        if size > MAX_UPLOAD:
            hidden.unlink()
            return JSONResponse({"code": 413, "message": f"The file is larger than {MAX_UPLOAD // 1024**2} MB"}, status_code=413)
        hidden.replace(target)
        self._state.finish_upload(token)
        return Response(status_code=200)


def _forbidden() -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"code": 403, "message": "Forbidden"}, status_code=403)


def _team(header: str) -> str:
    """On loopback any user name with any key is a team of that name; no login is refused."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer" and rest.strip():
        return "practice"
    if kind.lower() == "basic":
        try:
            user, _, key = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            user = key = ""
        if user and key:
            return user
    raise Refused(401, "Unauthenticated: set KAGGLE_USERNAME and KAGGLE_KEY to anything")


async def _body(request: "Request") -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            raise Refused(413, "The request is too large")
    return content


def _fields(body: bytes) -> dict:
    try:
        content = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise Refused(400, "The request is not json") from None
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which neither SQLite nor the file system takes
        raise Refused(400, "The request is not text") from None
    if not isinstance(content, dict):
        raise Refused(400, "The request is not a json object")
    return content
