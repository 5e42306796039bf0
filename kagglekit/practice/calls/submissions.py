"""Submitting, by upload or by a notebook, and reading what became of it."""

import datetime
import shutil
import sqlite3
from collections.abc import Callable

from kagglekit.errors import KKError
from kagglekit.practice.baselines import baseline_path
from kagglekit.practice.board import in_time, is_over, pick, selected
from kagglekit.practice.calls.competitions import SERVICE
from kagglekit.practice.contest import Contest, contests, find_contest
from kagglekit.practice.forum import read_forum
from kagglekit.practice.protocol import Answer, Call, Redirect, Refused, call, moment, number_of, shown


def _open_to_files(c: Call) -> Contest:
    contest = c.contest_with_rules()
    if contest.code_only:
        raise Refused(400, "This competition only accepts Submissions from Notebooks.")
    return contest


@call(SERVICE + "StartSubmissionUpload")
def start_submission_upload(c: Call) -> Answer:
    """Where the file goes."""
    _open_to_files(c)
    token = c.state.new_upload(c.team, c.text("fileName") or "submission.csv")
    return {"token": token, "createUrl": f"{c.base}/upload/{token}"}


@call(SERVICE + "CreateSubmission")
def create_submission(c: Call) -> Answer:
    """Submit what was uploaded."""
    # Asked again: the upload may have been started for another competition.
    contest, token = _open_to_files(c), c.text("blobFileTokens")
    upload = c.state.upload(token)
    if upload is None or not upload["done"] or upload["team"] != c.team:
        raise Refused(400, "The uploaded file was not found")
    return _submit(c, contest, token)


@call(SERVICE + "CreateCodeSubmission")
def create_code_submission(c: Call) -> Answer:
    """Submit one of the contest's own notebooks: the arena runs no code, it knows what these predict."""
    contest, slug = c.contest_with_rules(), c.text("kernelSlug")
    notebook = next((one for one in read_forum(contest.folder).notebooks if one.slug == slug), None)
    if notebook is None or not baseline_path(contest, slug).exists():
        raise Refused(404, f"The arena runs no notebooks, and knows none called {c.text('kernelOwner')}/{slug}")
    token = c.state.new_upload(c.team, c.text("fileName") or "submission.csv")
    shutil.copyfile(baseline_path(contest, slug), c.state.uploads / token)
    c.state.finish_upload(token)
    return _submit(c, contest, token)


def _submit(c: Call, contest: Contest, token: str) -> Answer:
    try:
        ref = c.state.submit(contest.slug, c.team, token, c.text("submissionDescription"), contest.daily_limit, c.login.user)
    except sqlite3.IntegrityError:
        raise Refused(400, "This file was submitted already") from None
    if ref is None:
        raise Refused(400, f"You have reached the daily limit of {contest.daily_limit} submissions. Resets at midnight UTC.")
    c.wake()
    return {"message": f"Successfully submitted to {contest.title}", "ref": ref}


ORDERS: dict[str, Callable[[sqlite3.Row, int], tuple]] = {
    "NAME": lambda row, sign: (row["file"], -row["ref"]),
    "PUBLIC_SCORE": lambda row, sign: (row["public"] is None, -sign * (row["public"] or 0), -row["ref"]),
    "PRIVATE_SCORE": lambda row, sign: (row["private"] is None, -sign * (row["private"] or 0), -row["ref"]),
}


@call(SERVICE + "ListSubmissions")
def list_submissions(c: Call) -> Answer:
    """The team's own, newest first or as sortBy says; the private score gives no order before the end."""
    contest = c.contest()
    group, order = c.text("group").upper(), c.text("sortBy").upper().removeprefix("SUBMISSION_SORT_BY_")
    rows = c.state.submissions(contest.slug, c.team, complete=group.endswith(("SUCCESSFUL", "SELECTED")))
    if group.endswith("SELECTED"):
        picks = c.state.picks(contest.slug).get(c.team, set())
        rows = selected([row for row in rows if in_time(row, contest)], picks, contest.sign)
    if order in ORDERS and (order != "PRIVATE_SCORE" or is_over(c.state, contest)):
        rows = sorted(rows, key=lambda row: ORDERS[order](row, contest.sign))
    page, following = c.page(rows)
    return {"submissions": [_submission(c, contest, row) for row in page], "nextPageToken": following}


@call(SERVICE + "GetSubmission")
def get_submission(c: Call) -> Answer:
    """One of the team's own."""
    contest, row = _own(c, c.whole("ref"))
    return _submission(c, contest, row)


@call(SERVICE + "DownloadSubmission")
def download_submission(c: Call) -> Redirect:
    """The file of one of the team's own."""
    contest, row = _own(c, c.whole("submissionId"))
    return Redirect(f"store/{contest.slug}/submission/{row['ref']}/{row['file']}")


def _own(c: Call, ref: int) -> tuple[Contest, sqlite3.Row]:
    row = c.state.submission(ref)
    contest = find_contest(c.state.home, row["contest"]) if row is not None and row["team"] == c.team else None
    if row is None or contest is None:
        raise Refused(404, "NotFound")
    return contest, row


def _submission(c: Call, contest: Contest, row: sqlite3.Row) -> Answer:
    return {"ref": row["ref"], "totalBytes": row["bytes"], "date": moment(datetime.datetime.fromisoformat(row["date"])),
            "description": row["message"], "errorDescription": row["error"] or "", "fileName": row["file"],
            "publicScore": shown(row["public"]), "privateScore": shown(row["private"]) if is_over(c.state, contest) else "",
            "status": row["status"], "submittedBy": row["user"] or row["team"], "submittedByRef": row["user"] or row["team"],
            "teamName": row["team"]}


@call(SERVICE + "GetSubmissionLimits")
def get_submission_limits(c: Call) -> Answer:
    """What is left of today."""
    contest = c.contest()
    today = c.state.made_today(contest.slug, c.team)
    return {"numToday": today, "numTotal": c.state.count(contest.slug, c.team), "numAllowedNow": max(contest.daily_limit - today, 0),
            "limitedByTotal": False}


@call(SERVICE + "ListTeamPublicSubmissions")
def list_team_public_submissions(c: Call) -> Answer:
    """A team's scored submissions with their public scores, as the board's page of a team shows them."""
    wanted = c.whole("teamId")
    found = [(contest, team) for contest in contests(c.state.home) for team in c.state.team_names(contest.slug)
             if number_of(f"{contest.slug}/{team}") == wanted]
    if not found:
        raise Refused(404, "NotFound")
    contest, team = found[0]
    return {"submissions": [{"id": row["ref"], "dateSubmitted": moment(datetime.datetime.fromisoformat(row["date"])),
                             "publicScore": shown(row["public"])} for row in c.state.submissions(contest.slug, team, complete=True)]}


@call("arena.ArenaApiService/SelectSubmissions")
def select_submissions(c: Call) -> Answer:
    """Pick the final submissions; Kaggle has it on its site only, so that the official client has no such call."""
    contest, given = c.contest(), c.fields.get("refs")
    refs = [number for number in given if isinstance(number, int)] if isinstance(given, list) else []
    try:
        return {"refs": pick(c.state, contest, c.team, refs)}
    except KKError as error:
        raise Refused(400, str(error)) from error
