"""Discussions and public notebooks."""

import datetime
import html
from collections.abc import Callable, Iterator

from kagglekit.practice.calls.competitions import SERVICE
from kagglekit.practice.contest import Contest, contests
from kagglekit.practice.forum import Comment, Notebook, Topic, read_forum
from kagglekit.practice.protocol import SITE, Answer, Call, Refused, call, moment, number_of

DISCUSSIONS = "discussions.DiscussionApiService/"


def _when(contest: Contest, day: float) -> str:
    return moment(contest.start + datetime.timedelta(days=day))


def _told(c: Call, contest: Contest) -> Iterator[tuple[int, Topic]]:
    """(id, topic) of what has been said by now."""
    for number, topic in enumerate(read_forum(contest.folder).topics):
        if contest.start + datetime.timedelta(days=topic.day) <= c.state.now():
            yield number_of(f"{contest.slug}#{number}"), topic


def _find(c: Call, wanted: int) -> tuple[Contest, Topic]:
    for contest in contests(c.state.home):
        for number, topic in _told(c, contest):
            if number == wanted:
                return contest, topic
    raise Refused(404, "NotFound")


def _comments(c: Call, contest: Contest, comments: tuple[Comment, ...]) -> list[Comment]:
    return [one for one in comments if contest.start + datetime.timedelta(days=one.day) <= c.state.now()]


def _all(comments: list[Comment]) -> list[Comment]:
    return [one for comment in comments for one in (comment, *_all(list(comment.replies)))]


def _last(contest: Contest, topic: Topic, comments: list[Comment]) -> str:
    return _when(contest, max([topic.day, *(one.day for one in _all(comments))]))


TOPIC_ORDERS: dict[str, Callable[[Answer], object]] = {
    "TOP": lambda one: one["votes"], "NEW": lambda one: one["postDate"], "RECENT": lambda one: one["lastCommentPostDate"],
    "ACTIVE": lambda one: one["lastCommentPostDate"],
}


@call(SERVICE + "ListCompetitionTopics")
def list_competition_topics(c: Call) -> Answer:
    """What is discussed: sticky ones first, then those with most votes, or as sortBy says."""
    contest = c.contest()
    topics = []
    for number, topic in _told(c, contest):
        comments = _comments(c, contest, topic.comments)
        topics.append({"id": number, "title": topic.title, "topicUrl": f"{SITE}/{contest.slug}/discussion/{number}", "authorName": topic.author,
                       "commentCount": len(_all(comments)), "votes": topic.votes, "postDate": _when(contest, topic.day),
                       "lastCommentPostDate": _last(contest, topic, comments), "isSticky": topic.sticky})
    order = c.text("sortBy").upper().removeprefix("TOPIC_LIST_SORT_BY_")
    topics.sort(key=TOPIC_ORDERS.get(order, TOPIC_ORDERS["TOP"]), reverse=True)  # type: ignore[arg-type]
    topics.sort(key=lambda one: not one["isSticky"])
    page, _ = c.page(topics)
    return {"topics": page, "totalCount": len(topics)}


def _message(contest: Contest, name: str, one: Comment) -> Answer:
    return {"id": number_of(name), "postDate": _when(contest, one.day), "content": f"<p>{html.escape(one.text)}</p>", "rawMarkdown": one.text,
            "authorName": one.author, "votes": one.votes,
            "replies": [_message(contest, f"{name}.{k}", reply) for k, reply in enumerate(one.replies)]}


@call(SERVICE + "ListTopicMessages")
def list_topic_messages(c: Call) -> Answer:
    """The first post of a topic and what was answered, as a tree."""
    contest, topic = _find(c, c.whole("topicId"))
    if c.text("competitionName") and contest.slug != c.contest().slug:
        raise Refused(404, "NotFound")
    first = Comment(topic.author, topic.text, topic.day, topic.votes)
    said = list(enumerate([first, *_comments(c, contest, topic.comments)]))
    order = c.text("sortBy").upper()
    if order.endswith("_NEW"):
        said.sort(key=lambda one: -one[1].day)
    elif order.endswith("_TOP"):
        said.sort(key=lambda one: -one[1].votes)
    page = said if c.fields.get("pageSize") in (None, -1) else c.page(said)[0]
    return {"messages": [_message(contest, f"{c.whole('topicId')}/{k}", one) for k, one in page]}


@call(DISCUSSIONS + "GetTopic")
def get_topic(c: Call) -> Answer:
    """The first post of a topic."""
    contest, topic = _find(c, c.whole("id"))
    comments = _comments(c, contest, topic.comments)
    return {"topic": {"id": c.whole("id"), "title": topic.title, "url": f"{SITE}/{contest.slug}/discussion/{c.whole('id')}",
                      "postDate": _when(contest, topic.day), "lastCommentDate": _last(contest, topic, comments), "authorName": topic.author,
                      "votes": topic.votes, "commentCount": len(_all(comments)), "forumName": contest.title,
                      "forumId": number_of(contest.slug), "content": topic.text}}


@call(DISCUSSIONS + "ListComments")
def list_comments(c: Call) -> Answer:
    """The comments of a topic in pages, answers to a comment within it."""
    contest, topic = _find(c, c.whole("topicId"))
    page, following = c.page(list(enumerate(_comments(c, contest, topic.comments), start=1)))
    return {"comments": [_comment(contest, f"{c.whole('topicId')}/{k}", one) for k, one in page], "nextPageToken": following}


def _comment(contest: Contest, name: str, one: Comment) -> Answer:
    return {"id": number_of(name), "authorName": one.author, "postDate": _when(contest, one.day), "content": one.text, "votes": one.votes,
            "replies": [_comment(contest, f"{name}.{k}", reply) for k, reply in enumerate(one.replies)]}


@call("kernels.KernelsApiService/ListKernels")
def list_kernels(c: Call) -> Answer:
    """Public notebooks of one competition or of all, by votes or by date."""
    wanted, word, user = c.text("competition").rsplit("/", 1)[-1], c.text("search").lower(), c.text("user")
    found: list[tuple[Contest, Notebook]] = []
    for contest in contests(c.state.home):
        if not wanted or contest.slug == wanted:
            found += [(contest, one) for one in read_forum(contest.folder).notebooks
                      if word in one.title.lower() and user in ("", one.author) and c.state.now() >= contest.start + datetime.timedelta(days=one.day)]
    by_date = c.text("sortBy").upper().endswith(("DATE_RUN", "DATE_CREATED"))
    found.sort(key=lambda pair: -pair[1].day if by_date else -pair[1].votes)
    page, following = c.page(found)
    return {"kernels": [_kernel(contest, one) for contest, one in page], "nextPageToken": following}


def _kernel(contest: Contest, one: Notebook) -> Answer:
    return {"id": number_of(f"{contest.slug}:{one.slug}"), "ref": f"{one.author}/{one.slug}", "title": one.title, "author": one.author,
            "slug": one.slug, "lastRunTime": _when(contest, one.day), "language": one.language.lower(), "kernelType": "notebook",
            "totalVotes": one.votes, "competitionDataSources": [contest.slug], "currentVersionNumber": 1}
