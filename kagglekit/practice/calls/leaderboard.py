"""The leaderboard, in pages and as a file."""

import csv
import datetime
import io
import zipfile

from kagglekit.practice.board import Standing, board
from kagglekit.practice.calls.competitions import SERVICE
from kagglekit.practice.contest import Contest
from kagglekit.practice.protocol import Answer, Call, Download, call, moment, number_of, shown


def _date(contest: Contest, line: Standing) -> datetime.datetime:
    return datetime.datetime.fromisoformat(line.date) if line.date else contest.start


@call(SERVICE + "GetLeaderboard")
def get_leaderboard(c: Call) -> Answer:
    """Teams and scores; the order is the rank. overridePublic asks for the public one after the end."""
    contest = c.contest()
    page, following = c.page(board(c.state, contest, final=False if c.fields.get("overridePublic") is True else None))
    return {"submissions": [{"teamId": number_of(f"{contest.slug}/{line.team}"), "teamName": line.team, "score": shown(line.score),
                             "submissionDate": moment(_date(contest, line))} for line in page], "nextPageToken": following}


@call(SERVICE + "DownloadLeaderboard")
def download_leaderboard(c: Call) -> Download:
    """The board as a csv in a zip."""
    contest, text, packed = c.contest(), io.StringIO(), io.BytesIO()
    table = csv.writer(text)
    table.writerow(["Rank", "TeamId", "TeamName", "LastSubmissionDate", "Score", "SubmissionCount"])
    table.writerows((rank, number_of(f"{contest.slug}/{line.team}"), line.team, f"{_date(contest, line):%Y-%m-%d %H:%M:%S}", shown(line.score),
                     line.entries) for rank, line in enumerate(board(c.state, contest), start=1))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{contest.slug}-publicleaderboard.csv", text.getvalue())
    return Download(packed.getvalue(), f"{contest.slug}.zip")
