"""Kaggle's participant protocol: one function a call, from the request's fields to the answer's."""

import datetime
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kagglekit.practice.contest import Contest, contests, find_contest
from kagglekit.practice.state import State

Answer = dict[str, object]


class Refused(Exception):
    """An error answer: {"code": ..., "message": ...} with that status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Redirect:
    """The call is answered with a 302 to a path of the store."""

    path: str


@dataclass(frozen=True, slots=True)
class Download:
    """The call is answered with these bytes."""

    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the arena's state, who asks, the fields, the server's own address and how to wake the scoring."""

    state: State
    team: str
    fields: Mapping[str, object]
    base: str
    wake: Callable[[], None]

    def text(self, name: str) -> str:
        """A text field, '' where it is absent."""
        return str(self.fields.get(name) or "")

    def contest(self) -> Contest:
        """The contest of competitionName."""
        found = find_contest(self.state.home, self.text("competitionName").rstrip("/").rsplit("/", 1)[-1])
        if found is None:
            raise Refused(404, "NotFound")
        return found

    def page(self, items: list, size: int = 20) -> tuple[list, str]:
        """The page that pageToken, page and pageSize ask for, and the next token."""
        size = min(max(_whole(self.fields.get("pageSize"), size), 1), 200)
        start = _whole(self.text("pageToken") or None, max(_whole(self.fields.get("page"), 1), 1) * size - size)
        return items[start:start + size], str(start + size) if start + size < len(items) else ""


CALLS: dict[str, Callable[[Call], Answer | Redirect | Download]] = {}


def call(name: str) -> Callable[[Callable], Callable]:
    """Register the answer to <Service>/<Method>."""

    def decorate(function: Callable) -> Callable:
        CALLS[name] = function
        return function

    return decorate


LARGEST = 2**62  # SQLite's integers end a little above


def _whole(value: object, otherwise: int) -> int:
    try:
        return min(max(int(str(value)), 0), LARGEST)
    except ValueError:
        return otherwise


def moment(when: datetime.datetime) -> str:
    """A date as Kaggle writes it: UTC, milliseconds, Z."""
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


COMPETITIONS = "competitions.CompetitionApiService/"


def _described(call_: Call, contest: Contest) -> Answer:
    teams = {row["team"] for row in call_.state.submissions(contest.slug)}
    return {"id": sum(map(ord, contest.slug)), "ref": f"https://www.kaggle.com/competitions/{contest.slug}", "title": contest.title,
            "url": f"https://www.kaggle.com/competitions/{contest.slug}", "description": contest.description[:200],
            "organizationName": "Practice", "category": "Playground", "reward": "Knowledge", "deadline": moment(contest.deadline),
            "enabledDate": moment(contest.start), "teamCount": len(teams), "userHasEntered": not contest.rules_required,
            "maxDailySubmissions": contest.daily_limit, "maxTeamSize": 5, "evaluationMetric": contest.display_metric,
            "isKernelsSubmissionsOnly": contest.code_only}


@call(COMPETITIONS + "ListCompetitions")
def list_competitions(c: Call) -> Answer:
    word = c.text("search").lower()
    found = [one for one in contests(c.state.home) if word in one.slug or word in one.title.lower()]
    if c.text("group").endswith("ENTERED"):
        found = [one for one in found if not one.rules_required]
    page, following = c.page(found)
    return {"competitions": [_described(c, one) for one in page], "nextPageToken": following}


@call(COMPETITIONS + "GetCompetition")
def get_competition(c: Call) -> Answer:
    return _described(c, c.contest())


@call(COMPETITIONS + "ListDataFiles")
def list_data_files(c: Call) -> Answer:
    contest = c.contest()
    page, following = c.page(contest.file_paths())
    return {"files": [_file(contest, name) for name in page], "nextPageToken": following}


@call(COMPETITIONS + "ListDataTreeFiles")
def list_data_tree_files(c: Call) -> Answer:
    contest = c.contest()
    folder = c.text("path").strip("/")
    inside = [name for name in contest.file_paths() if not folder or name.startswith(folder + "/")]
    rest = [name[len(folder) + 1 if folder else 0:] for name in inside]
    here = [name for name, tail in zip(inside, rest, strict=True) if "/" not in tail]
    folders = sorted({tail.split("/", 1)[0] for tail in rest if "/" in tail})
    page, following = c.page(here)
    return {"files": [_file(contest, name) for name in page], "nextPageToken": following, "totalFiles": len(here),
            "directories": [{"name": name, "relativeUrl": f"{folder}/{name}".strip("/")} for name in folders],
            "totalDirectories": len(folders), "totalChildren": len(here) + len(folders)}


def _file(contest: Contest, name: str) -> Answer:
    return {"ref": name, "name": name, "totalBytes": (contest.files / name).stat().st_size, "creationDate": moment(contest.start)}


@call(COMPETITIONS + "DownloadDataFiles")
def download_data_files(c: Call) -> Redirect:
    contest = _with_rules(c)
    return Redirect(f"store/{contest.slug}/archive.zip")


@call(COMPETITIONS + "DownloadDataFile")
def download_data_file(c: Call) -> Redirect:
    contest = _with_rules(c)
    name = c.text("fileName")
    if name not in contest.file_paths():
        raise Refused(404, "NotFound")
    return Redirect(f"store/{contest.slug}/file/{name}")


def _with_rules(c: Call) -> Contest:
    contest = c.contest()
    if contest.rules_required:
        raise Refused(403, "You must accept this competition's rules before you'll be able to download files.")
    return contest


def _open_to_files(c: Call) -> Contest:
    contest = _with_rules(c)
    if contest.code_only:
        raise Refused(400, "This competition only accepts Submissions from Notebooks.")
    return contest


@call(COMPETITIONS + "StartSubmissionUpload")
def start_submission_upload(c: Call) -> Answer:
    _open_to_files(c)
    token = c.state.new_upload(c.team, c.text("fileName") or "submission.csv")
    return {"token": token, "createUrl": f"{c.base}/upload/{token}"}


@call(COMPETITIONS + "CreateSubmission")
def create_submission(c: Call) -> Answer:
    # Asked again: the upload may have been started for another competition.
    contest, token = _open_to_files(c), c.text("blobFileTokens")
    upload = c.state.upload(token)
    if upload is None or not upload["done"] or upload["team"] != c.team:
        raise Refused(400, "The uploaded file was not found")
    try:
        ref = c.state.submit(contest.slug, c.team, token, c.text("submissionDescription"), contest.daily_limit)
    except sqlite3.IntegrityError:
        raise Refused(400, "This file was submitted already") from None
    if ref is None:
        raise Refused(400, f"You have reached the daily limit of {contest.daily_limit} submissions. Resets at midnight UTC.")
    c.wake()
    return {"message": f"Successfully submitted to {contest.title}", "ref": ref}


@call(COMPETITIONS + "ListSubmissions")
def list_submissions(c: Call) -> Answer:
    contest = c.contest()
    page, following = c.page(c.state.submissions(contest.slug, c.team))
    return {"submissions": [_submission(c, contest, row) for row in page], "nextPageToken": following}


@call(COMPETITIONS + "GetSubmission")
def get_submission(c: Call) -> Answer:
    row = c.state.submission(_whole(c.fields.get("ref"), 0))
    contest = find_contest(c.state.home, row["contest"]) if row is not None and row["team"] == c.team else None
    if row is None or contest is None:
        raise Refused(404, "NotFound")
    return _submission(c, contest, row)


def _submission(c: Call, contest: Contest, row: sqlite3.Row) -> Answer:
    over = c.state.now() > contest.deadline
    return {"ref": row["ref"], "totalBytes": row["bytes"], "date": moment(datetime.datetime.fromisoformat(row["date"])),
            "description": row["message"], "errorDescription": row["error"] or "", "fileName": row["file"],
            "publicScore": shown(row["public"]), "privateScore": shown(row["private"]) if over else "", "status": row["status"],
            "submittedBy": c.team, "submittedByRef": c.team, "teamName": row["team"]}


def shown(score: float | None) -> str:
    """A score as the board shows it: five decimals."""
    return "" if score is None else f"{score:.5f}"


@call(COMPETITIONS + "GetSubmissionLimits")
def get_submission_limits(c: Call) -> Answer:
    contest = c.contest()
    with c.state.open() as db:
        today = c.state.made_today(db, contest.slug, c.team)
    total = len(c.state.submissions(contest.slug, c.team))
    return {"numToday": today, "numTotal": total, "numAllowedNow": max(contest.daily_limit - today, 0), "limitedByTotal": False}


def board(state: State, contest: Contest) -> list[tuple[str, str, str]]:
    """(team, date, score) of each team's best public submission, best first; after the deadline by its private score.

    Late submissions are scored, but have no place on the board.
    """
    sign = contest.scorer.sign
    over = state.now() > contest.deadline
    best: dict[str, sqlite3.Row] = {}
    for row in reversed(state.submissions(contest.slug)):
        late = datetime.datetime.fromisoformat(row["date"]) > contest.deadline
        if not late and row["status"] == "COMPLETE" and (row["team"] not in best or sign * row["public"] > sign * best[row["team"]]["public"]):
            best[row["team"]] = row
    column = "private" if over else "public"
    ranked = sorted(best.values(), key=lambda row: (-sign * row[column], row["ref"]))
    return [(row["team"], row["date"], shown(row[column])) for row in ranked]


@call(COMPETITIONS + "GetLeaderboard")
def get_leaderboard(c: Call) -> Answer:
    page, following = c.page(board(c.state, c.contest()))
    return {"submissions": [{"teamId": sum(map(ord, team)), "teamName": team, "score": score,
                             "submissionDate": moment(datetime.datetime.fromisoformat(date))} for team, date, score in page],
            "nextPageToken": following}


@call(COMPETITIONS + "DownloadLeaderboard")
def download_leaderboard(c: Call) -> Download:
    import csv
    import io
    import zipfile

    contest, text, packed = c.contest(), io.StringIO(), io.BytesIO()
    table = csv.writer(text)
    table.writerow(["TeamName", "LastSubmissionDate", "Score"])
    table.writerows(board(c.state, contest))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{contest.slug}-publicleaderboard.csv", text.getvalue())
    return Download(packed.getvalue(), f"{contest.slug}.zip")


@call(COMPETITIONS + "ListCompetitionPages")
def list_competition_pages(c: Call) -> Answer:
    wanted = c.text("pageName").lower()
    pages = c.contest().pages()
    return {"pages": [{"name": name, "content": content, "isPublished": True, "postTitle": name.title(), "mimeType": "text/markdown"}
                      for name, content in pages.items() if not wanted or name == wanted]}


@call(COMPETITIONS + "ListCompetitionTopics")
def list_competition_topics(c: Call) -> Answer:
    c.contest()
    return {"topics": [], "totalCount": 0}


@call("security.OAuthService/IntrospectToken")
def introspect_token(c: Call) -> Answer:
    return {"active": True, "username": c.team, "userId": 1, "scope": "resources.admin:*"}


def archive_of(state: State, contest: Contest) -> Path:
    """The zip of all public files, made once; the same files give the same bytes."""
    import os
    import secrets
    import zipfile

    stamp = max((contest.files / name).stat().st_mtime_ns for name in contest.file_paths())
    path = state.home / ".archives" / f"{contest.slug}-{stamp}.zip"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        # One name a call: requests are answered by several threads of one process.
        hidden = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        with zipfile.ZipFile(hidden, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in contest.file_paths():
                entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, (contest.files / name).read_bytes())
        os.replace(hidden, path)
    return path
