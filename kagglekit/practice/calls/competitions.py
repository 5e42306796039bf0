"""Competitions, their pages and their files."""

from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

from kagglekit.practice.baselines import read_baselines
from kagglekit.practice.board import board, is_over, rank_of
from kagglekit.practice.contest import Contest, contests
from kagglekit.practice.forum import read_forum
from kagglekit.practice.protocol import SITE, Answer, Call, Redirect, Refused, call, moment, number_of

SERVICE = "competitions.CompetitionApiService/"
ORDERS: dict[str, Callable[[Answer], object]] = {
    "EARLIEST_DEADLINE": lambda one: one["deadline"],
    "LATEST_DEADLINE": lambda one: one["deadline"],
    "NUMBER_OF_TEAMS": lambda one: one["teamCount"],
    "RECENTLY_CREATED": lambda one: one["enabledDate"],
}
FALLING = ("LATEST_DEADLINE", "NUMBER_OF_TEAMS", "RECENTLY_CREATED")


def _described(c: Call, contest: Contest, ranked: bool = False) -> Answer:
    lines = board(c.state, contest) if ranked else []
    teams = len(c.state.team_names(contest.slug)) + sum(one.public is not None for one in read_baselines(contest))
    return {"id": number_of(contest.slug), "ref": f"{SITE}/{contest.slug}", "title": contest.title, "url": f"{SITE}/{contest.slug}",
            "description": contest.description[:200], "organizationName": "Practice", "organizationRef": "practice", "hostName": "Practice",
            "category": "Playground", "reward": "Knowledge", "deadline": moment(contest.deadline), "enabledDate": moment(contest.start),
            "dateCreated": moment(contest.start), "newEntrantDeadline": moment(contest.entry_deadline),
            "mergerDeadline": moment(contest.entry_deadline), "teamCount": teams, "kernelCount": len(read_forum(contest.folder).notebooks),
            "userHasEntered": c.entered(contest), "userRank": rank_of(lines, c.team), "maxDailySubmissions": contest.daily_limit,
            "maxTeamSize": 5, "evaluationMetric": contest.display_metric, "isKernelsSubmissionsOnly": contest.code_only}


@call(SERVICE + "ListCompetitions")
def list_competitions(c: Call) -> Answer:
    """Those whose slug or title has the searched text."""
    word, group, category = c.text("search").lower(), c.text("group").upper(), c.text("category").upper()
    found = [one for one in contests(c.state.home) if word in one.slug or word in one.title.lower()]
    if group.endswith("_ENTERED"):
        found = [one for one in found if c.entered(one)]
    if group.endswith(("HOSTED", "UNLAUNCHED", "COMMUNITY")) or (category and not category.endswith(("UNSPECIFIED", "PLAYGROUND"))):
        found = []
    described = [_described(c, one) for one in found]
    order = c.text("sortBy").upper().removeprefix("COMPETITION_SORT_BY_")
    if order in ORDERS:
        described.sort(key=ORDERS[order], reverse=order in FALLING)  # type: ignore[arg-type]
    page, following = c.page(described)
    return {"competitions": page, "nextPageToken": following}


@call(SERVICE + "GetCompetition")
def get_competition(c: Call) -> Answer:
    """One competition, with the team's rank."""
    return _described(c, c.contest(), ranked=True)


@call(SERVICE + "ListCompetitionPages")
def list_competition_pages(c: Call) -> Answer:
    """Description, evaluation, rules; after the end what it teaches."""
    wanted, contest = c.text("pageName").lower(), c.contest()
    return {"pages": [{"name": name, "content": content, "isPublished": True, "postTitle": name.replace("-", " ").capitalize(),
                       "mimeType": "text/markdown"}
                      for name, content in contest.pages(is_over(c.state, contest)).items() if not wanted or name == wanted]}


@call(SERVICE + "ListDataFiles")
def list_data_files(c: Call) -> Answer:
    """All files, by name."""
    contest = c.contest()
    page, following = c.page(contest.file_paths())
    return {"files": [_file(contest, name) for name in page], "nextPageToken": following}


@call(SERVICE + "ListDataTreeFiles")
def list_data_tree_files(c: Call) -> Answer:
    """The files and folders of one folder."""
    contest = c.contest()
    folder = c.text("path").strip("/")
    inside = [name for name in contest.file_paths() if not folder or name.startswith(folder + "/")]
    rest = [name[len(folder) + 1 if folder else 0:] for name in inside]
    here = [name for name, tail in zip(inside, rest, strict=True) if "/" not in tail]
    below = Counter(tail.split("/", 1)[0] for tail in rest if "/" in tail)
    page, following = c.page(here)
    return {"files": [_file(contest, name) for name in page], "nextPageToken": following, "totalFiles": len(here),
            "directories": [{"name": name, "relativeUrl": f"{folder}/{name}".strip("/"), "totalFiles": count, "totalChildren": count}
                            for name, count in sorted(below.items())],
            "totalDirectories": len(below), "totalChildren": len(here) + len(below)}


@call(SERVICE + "GetCompetitionDataFilesSummary")
def get_competition_data_files_summary(c: Call) -> Answer:
    """Files and bytes by extension."""
    contest = c.contest()
    counts: Counter = Counter()
    sizes: Counter = Counter()
    for name in contest.file_paths():
        extension = PurePosixPath(name).suffix
        counts[extension] += 1
        sizes[extension] += (contest.files / name).stat().st_size
    return {"fileSummaryInfo": {"totalFileCount": sum(counts.values()), "fileTypes": [
        {"extension": extension, "fileCount": count, "totalSize": sizes[extension]} for extension, count in counts.most_common()]}}


def _file(contest: Contest, name: str) -> Answer:
    path = contest.files / name
    return {"ref": name, "name": name, "totalBytes": path.stat().st_size, "creationDate": moment(contest.start), "relativeUrl": name,
            "url": f"{SITE}/{contest.slug}/download/{name}"}


@call(SERVICE + "DownloadDataFiles")
def download_data_files(c: Call) -> Redirect:
    """All files as one zip."""
    return Redirect(f"store/{c.contest_with_rules().slug}/archive.zip")


@call(SERVICE + "DownloadDataFile")
def download_data_file(c: Call) -> Redirect:
    """One file."""
    contest, name = c.contest_with_rules(), c.text("fileName")
    if contest.public_file(name) is None:
        raise Refused(404, "NotFound")
    return Redirect(f"store/{contest.slug}/file/{name}")
