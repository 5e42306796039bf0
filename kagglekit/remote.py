"""The official Kaggle client behind a few methods; the only module that imports it."""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kagglekit.competition import arena_home, find_workspace
from kagglekit.credentials import Credentials, find_credentials, practice_credentials
from kagglekit.errors import RemoteError
from kagglekit.refusal import Asked, refusal
from kagglekit.replies import Contest, RemoteFile, RemoteSubmission, RemoteTopic, contest_of, submission_of, topic_of

if TYPE_CHECKING:
    import requests

    from kagglekit.practice.server import Embedded

CONNECT_SECONDS, READ_SECONDS, RETRIES = 10, 30, 2
PAGE_SIZE, LARGE_PAGE = 100, 200
MOST_ARENAS = 4
_ARENAS: "dict[str, Embedded]" = {}  # by home, the one used last at the end


class Remote:
    """One server and one login. Use `connect`; every failure is a RemoteError with its cause."""

    def __init__(self, credentials: Credentials, base: str = "", server: str = "kaggle") -> None:
        from kagglesdk.competitions.services.competition_api_service import CompetitionApiClient
        from kagglesdk.kaggle_env import KaggleEnv
        from kagglesdk.kaggle_http_client import KaggleHttpClient

        self.server = server
        self.credentials = credentials
        self._http = KaggleHttpClient(env=KaggleEnv.TEST if base else None, user_agent="kagglekit")
        if base:
            self._http._endpoint = base.rstrip("/")
        self._http._signed_in = True  # the login is ours to choose: the client would read the environment again
        self.session = self._http._init_session() or self._http._session
        self.session.auth = KaggleHttpClient.BearerAuth(credentials.token) if credentials.token else (
            credentials.username, credentials.key)
        self.session.trust_env = not base
        _mount_timeouts(self.session)
        self._api = CompetitionApiClient(self._http)
        self.base = self._http._endpoint

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def asked(self, slug: str) -> Asked:
        """What a refusal is told of."""
        return Asked(self.server, slug, self.credentials, self.base)

    # Competitions

    def competition(self, slug: str) -> Contest:
        """The facts of one competition; raises RemoteError (cause missing) with near names from search."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

        request = ApiGetCompetitionRequest()
        request.competition_name = slug
        try:
            return contest_of(self._call("get_competition", request))
        except RemoteError as error:
            if error.cause not in ("missing", "forbidden"):
                raise
            raise RemoteError(f"{self.server} has no competition called {slug!r}", self._near(slug), cause="missing") from error

    def _near(self, slug: str) -> str:
        from kagglekit.registry import near_names

        try:
            known = {contest.slug: None for contest in (*self.competitions(), *self.competitions(slug))}
        except RemoteError:
            known = {}
        close = near_names(slug, known)
        return close or "Take the name from the competition's URL: kaggle.com/competitions/NAME"

    def competitions(self, search: str = "", newest: bool = False) -> list[Contest]:
        """Competitions that can be joined (at most five pages), by Kaggle's own order or the newest first."""
        from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionsRequest
        from kagglesdk.competitions.types.competition_enums import CompetitionSortBy

        def ask(token: str) -> object:
            request = ApiListCompetitionsRequest()
            request.search, request.page_token, request.page_size = search, token, PAGE_SIZE
            if newest:
                request.sort_by = CompetitionSortBy.COMPETITION_SORT_BY_RECENTLY_CREATED
            return self._call("list_competitions", request)

        return [contest_of(found) for found in _pages(ask, "competitions", most=5)]

    def files(self, slug: str) -> list[RemoteFile]:
        """All files of a competition, all pages."""
        from kagglesdk.competitions.types.competition_api_service import ApiListDataFilesRequest

        def ask(token: str) -> object:
            request = ApiListDataFilesRequest()
            request.competition_name, request.page_token, request.page_size = slug, token, LARGE_PAGE
            return self._call("list_data_files", request)

        return [RemoteFile(found.name, int(found.total_bytes or 0)) for found in _pages(ask, "files")]

    def sizes(self, slug: str) -> dict[str, int]:
        """Bytes of a competition's files by extension ('csv'), in one call however many there are; empty where the server does not say."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionDataFilesSummaryRequest

        request = ApiGetCompetitionDataFilesSummaryRequest()
        request.competition_name = slug
        try:
            about = self._call("get_competition_data_files_summary", request).file_summary_info
        except RemoteError as error:
            if error.cause in ("offline", "credentials"):
                raise
            return {}
        found: dict[str, int] = {}
        for kind in (about.file_types if about else None) or []:
            name = str(kind.extension or "").lstrip(".").lower()
            found[name] = found.get(name, 0) + int(kind.total_size or 0)
        return found

    def pages(self, slug: str) -> dict[str, str]:
        """The competition's pages (description, evaluation, rules ...) by lower-case name; empty where there are none."""
        from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionPagesRequest

        request = ApiListCompetitionPagesRequest()
        request.competition_name = slug
        try:
            answer = self._call("list_competition_pages", request)
        except RemoteError as error:
            if error.cause in ("missing", "forbidden", "refused", "server"):
                return {}
            raise
        return {str(page.name).lower(): str(page.content) for page in answer.pages or []}

    def topics(self, slug: str) -> list[RemoteTopic]:
        """The first page of discussions, those with most votes first; empty where the server does not list them."""
        from kagglesdk.competitions.types.competition_api_service import ApiListCompetitionTopicsRequest
        from kagglesdk.discussions.types.discussions_enums import TopicListSortBy

        request = ApiListCompetitionTopicsRequest()
        request.competition_name, request.sort_by = slug, TopicListSortBy.TOPIC_LIST_SORT_BY_TOP
        try:
            found = self._call("list_competition_topics", request).topics or []
        except RemoteError as error:
            if error.cause in ("missing", "forbidden", "refused", "server"):
                return []
            raise
        return sorted((topic_of(one) for one in found), key=lambda one: -one.votes)

    # Downloads

    def signed_url(self, slug: str, name: str = "") -> str:
        """Where the store has a file of a competition, or ('') the archive of all; the redirect is not followed."""
        from urllib.parse import urljoin

        from kagglesdk.common.types.http_redirect import HttpRedirect
        from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFileRequest, ApiDownloadDataFilesRequest

        request = ApiDownloadDataFileRequest() if name else ApiDownloadDataFilesRequest()
        request.competition_name = slug
        if name:
            request.file_name = name
        method = "DownloadDataFile" if name else "DownloadDataFiles"

        def ask() -> str:
            prepared = self._http._prepare_request("competitions.CompetitionApiService", method, request)
            settings = self.session.merge_environment_settings(prepared.url, {}, True, None, None)
            with self.session.send(prepared, allow_redirects=False, **settings) as answer:
                if answer.is_redirect:
                    return urljoin(prepared.url, answer.headers["Location"])
                self._http._prepare_response(HttpRedirect, answer)
                raise ValueError("no redirect")

        return str(_translated(ask, self, slug))

    def get(self, url: str, start: int = 0, validator: str = "") -> "requests.Response":
        """The open answer of the store, from byte `start` on if the object is still the one that `validator` names. No retries."""
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-", "If-Range": validator} if validator else {})}
        with _no_retries(self.session):
            return _translated(lambda: self.session.get(url, headers=headers, stream=True, auth=_no_auth), self)

    # Submissions

    def limits(self, slug: str) -> tuple[int, int]:
        """(submissions still allowed now, submissions made today)."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetSubmissionLimitsRequest

        request = ApiGetSubmissionLimitsRequest()
        request.competition_name = slug
        answer = self._call("get_submission_limits", request, slug=slug)
        return int(answer.num_allowed_now or 0), int(answer.num_today or 0)

    def upload(self, slug: str, path: Path) -> str:
        """Upload a file and give its token; nothing is submitted yet."""
        from kagglesdk.competitions.types.competition_api_service import ApiStartSubmissionUploadRequest

        size, changed = path.stat().st_size, int(path.stat().st_mtime)
        request = ApiStartSubmissionUploadRequest()
        request.competition_name, request.file_name = slug, path.name
        request.content_length, request.last_modified_epoch_seconds = size, changed
        place = self._call("start_submission_upload", request, slug=slug)

        def put() -> "requests.Response":
            with path.open("rb") as content:
                headers = {"Content-Type": "application/octet-stream"}
                return self.session.put(place.create_url, data=content, headers=headers, auth=_no_auth, timeout=(CONNECT_SECONDS, 120))

        answer = _translated(put, self)
        if answer.status_code not in (200, 201):
            raise RemoteError(f"the upload of {path.name} was answered with {answer.status_code}", "Try again: kk submit RUN")
        return str(place.token)

    def create_submission(self, slug: str, token: str, message: str) -> str:
        """Submit what was uploaded and give the ref. Not repeated: a lost answer must be looked for by the message."""
        from kagglesdk.competitions.types.competition_api_service import ApiCreateSubmissionRequest

        request = ApiCreateSubmissionRequest()
        request.competition_name, request.blob_file_tokens, request.submission_description = slug, token, message
        with _no_retries(self.session):
            return str(self._call("create_submission", request, slug=slug).ref)

    def submission(self, ref: str) -> RemoteSubmission:
        """One submission by its ref."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetSubmissionRequest

        request = ApiGetSubmissionRequest()
        request.ref = int(ref)
        return submission_of(self._call("get_submission", request))

    def submissions(self, slug: str, selected: bool = False) -> list[RemoteSubmission]:
        """All submissions, newest first, all pages; `selected`: the final ones."""
        from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest
        from kagglesdk.competitions.types.competition_enums import SubmissionGroup

        def ask(token: str) -> object:
            request = ApiListSubmissionsRequest()
            if selected:
                request.group = SubmissionGroup.SUBMISSION_GROUP_SELECTED
            request.competition_name, request.page_token, request.page_size = slug, token, PAGE_SIZE
            return self._call("list_submissions", request, slug=slug)

        return [submission_of(found) for found in _pages(ask, "submissions")]

    def leaderboard(self, slug: str, most: int = 20) -> list[tuple[str, str]]:
        """(team, score) of the first `most` places."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetLeaderboardRequest

        request = ApiGetLeaderboardRequest()
        request.competition_name, request.page_size = slug, most
        answer = self._call("get_leaderboard", request, slug=slug)
        return [(str(place.team_name), str(place.score)) for place in answer.submissions or []]

    def _call(self, method: str, request: object, slug: str = "") -> object:
        return _translated(lambda: getattr(self._api, method)(request), self, slug)


@contextlib.contextmanager
def connect(server: str = "kaggle") -> Iterator[Remote]:
    """A Remote for the server of a competition: kaggle, practice (the embedded arena) or a URL.

    KK_KAGGLE_ENDPOINT sends all but practice to that base. Practice uses its own login, never the person's.
    """
    if server == "practice":
        remote = Remote(practice_credentials(), _arena(str(arena_home(find_workspace()))), server)
    else:
        base = os.environ.get("KK_KAGGLE_ENDPOINT") or (server if server.startswith("http") else "")
        remote = Remote(find_credentials(), base, base or "kaggle")
    try:
        yield remote
    finally:
        remote.close()


def _arena(home: str) -> str:
    """URL of this process's practice server over `home`, started at first need; the one used longest ago makes room, all stop at exit."""
    import atexit
    import threading

    from kagglekit.practice.server import Embedded

    server = _ARENAS.pop(home, None)
    if server is None:
        server = Embedded(Path(home)).__enter__()
        atexit.register(server.__exit__, None, None, None)
    _ARENAS[home] = server
    while len(_ARENAS) > MOST_ARENAS:
        oldest = _ARENAS.pop(next(iter(_ARENAS)))
        atexit.unregister(oldest.__exit__)
        threading.Thread(target=oldest.__exit__, args=(None, None, None), name="arena-stopping").start()
    return server.url


def server_now(server: str) -> datetime.datetime:
    """The time where a competition runs: the arena's own clock for practice, else this machine's."""
    if server != "practice":
        return datetime.datetime.now(datetime.UTC)
    from kagglekit.practice.state import State

    return State(arena_home(find_workspace())).now()


def _mount_timeouts(session: "requests.Session") -> None:
    """Timeouts for every call (the client has none) and a few retries of calls that may be repeated."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    class Patient(HTTPAdapter):
        def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):  # type: ignore[no-untyped-def]
            return super().send(request, stream, timeout or (CONNECT_SECONDS, READ_SECONDS), verify, cert, proxies)

    repeat = Retry(total=RETRIES, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None, backoff_factor=0.5,
                   respect_retry_after_header=True, raise_on_status=False, retry_after_max=20)
    for prefix in ("http://", "https://"):
        session.mount(prefix, Patient(max_retries=repeat))


@contextlib.contextmanager
def _no_retries(session: "requests.Session") -> Iterator[None]:
    from urllib3.util import Retry

    adapters = {id(adapter): adapter for adapter in session.adapters.values()}.values()
    kept = [(adapter, adapter.max_retries) for adapter in adapters]
    for adapter in adapters:
        adapter.max_retries = Retry(0, read=False)
    try:
        yield
    finally:
        for adapter, retries in kept:
            adapter.max_retries = retries


def _no_auth(request: object) -> object:
    """The store's URLs are signed: the login must not travel there."""
    return request


def _pages(ask: Callable[[str], object], name: str, most: int = 10_000) -> Iterator:
    """Every item of every page; stops when the server repeats a token."""
    token, seen = "", set()
    for _ in range(most):
        answer = ask(token)
        yield from getattr(answer, name) or []
        token = answer.next_page_token or ""
        if not token or token in seen:
            return
        seen.add(token)


def _translated(call: Callable, remote: Remote, slug: str = "") -> object:
    """The call's result, every failure as one RemoteError."""
    import requests

    try:
        return call()
    except requests.exceptions.HTTPError as error:
        raise _refused(error, remote, slug) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        slow = isinstance(error, requests.exceptions.Timeout)
        raise RemoteError(f"{remote.base} {'did not answer in time' if slow else 'cannot be reached'}",
                          "Check the network with: kk doctor; to practise offline: kk join practice-clinics --practice",
                          cause="offline") from error
    except (ValueError, KeyError, AttributeError, requests.exceptions.RequestException) as error:
        raise RemoteError(f"{remote.base} gave an answer that cannot be read ({type(error).__name__})",
                          "Try again in a minute; if it stays: kk doctor", cause="server") from error


def _refused(error: "requests.exceptions.HTTPError", remote: Remote, slug: str) -> RemoteError:
    """What a 4xx or 5xx means."""
    response = error.response
    status = response.status_code if response is not None else 0
    said = str(error).split(" for url:")[0].strip() or f"status {status}"  # signed URLs stay out of messages
    return refusal(status, said, remote.asked(slug), response.headers if response is not None else None)
