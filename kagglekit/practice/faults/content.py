"""Faults of the content: the answer comes whole, but what is in it is wrong, spoilt or another."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kagglekit.practice.faults.answer import Answer
from kagglekit.practice.faults.rules import Rule

Change = Callable[[Answer, Rule, Mapping[str, object]], Answer]


@dataclass(frozen=True)
class Content:
    """A fault of the content: from the arena's answer, the rule and the request's fields to the answer that is sent."""

    at: str | tuple[str, ...]
    change: Change


CONTENT: dict[str, Content] = {}


def content(name: str, at: str | tuple[str, ...] = "store") -> Callable[[Change], Change]:
    """Register a fault of the content under its name, with its usual place."""

    def decorate(change: Change) -> Change:
        CONTENT[name] = Content(at, change)
        return change

    return decorate


def _object(answer: Answer, body: bytes, day: int = 1) -> Answer:
    """Another object of the store: its own bytes, ETag and date."""
    tag = hashlib.sha256(body).hexdigest()[:32]
    return answer.holding(body).having(etag=f'"{tag}"', last_modified=f"Sat, {day:02d} Feb 2025 00:00:00 GMT")


@content("changed")
def changed(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """Another valid object: the bytes of `file`; without it a zip with its members turned round and stored, a table with its rows turned round."""
    from kagglekit.practice.faults.archives import is_zip, turned

    if rule.get("file"):
        body = Path(str(rule.get("file"))).read_bytes()
    elif is_zip(answer.body):
        body = turned(answer.body)
    else:
        first, *lines = answer.body.splitlines(keepends=True) or [b""]
        body = first + b"".join(reversed(lines))
    return _object(answer, body, day=22)


@content("damage")
def damage(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """One byte flipped at `offset` (default: the middle; negative: from the end), under the same size, ETag and date."""
    body = bytearray(answer.body)
    body[int(rule.get("offset", len(body) // 2))] ^= 0xFF
    return replace(answer, body=bytes(body))


@content("gzip")
def gzipped(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """Packed for the way (Content-Encoding), whether the client accepts it or not; Range is not offered."""
    import gzip

    return answer.holding(gzip.compress(answer.body, mtime=0)).having(content_encoding="gzip", accept_ranges=None)


@content("no-ranges")
def no_ranges(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """A store that ignores Range and does not offer it."""
    return answer.having(accept_ranges=None)


def _zipped(change: Change) -> Change:
    """The change for zips only: what is no zip stays as it is."""

    @functools.wraps(change)
    def checked(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
        from kagglekit.practice.faults.archives import is_zip

        return change(answer, rule, fields) if is_zip(answer.body) else answer

    return checked


@content("corrupt-member")
@_zipped
def corrupt_member(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """A zip whose `member` (default: the first with content) has one byte that its CRC does not fit."""
    from kagglekit.practice.faults.archives import with_corrupt

    return _object(answer, with_corrupt(answer.body, str(rule.get("member", ""))))


@content("escape-member")
@_zipped
def escape_member(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """A zip with one more member whose `name` (default ../evil.txt) leads out of the folder."""
    from kagglekit.practice.faults.archives import with_member

    return _object(answer, with_member(answer.body, str(rule.get("name", "../evil.txt")), str(rule.get("content", "evil\n")).encode()))


@content("link-member")
@_zipped
def link_member(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """A zip with a symbolic link `name` to `to`, and with `behind` a member of that name that would be written through it."""
    from kagglekit.practice.faults.archives import with_member

    name = str(rule.get("name", "link"))
    body = with_member(answer.body, name, str(rule.get("to", "../../..")).encode(), link=True)
    behind = str(rule.get("behind", ""))
    return _object(answer, with_member(body, f"{name}/{behind}", b"evil\n") if behind else body)


@content("bomb")
@_zipped
def bomb(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """A zip with a member `name` that unpacks to `bytes` zeros, about a thousand times its packed size."""
    from kagglekit.practice.faults.archives import with_zeros

    return _object(answer, with_zeros(answer.body, str(rule.get("name", "bomb.csv")), int(rule.get("bytes", 256 * 1024**2))))


@content("pending", at=("GetSubmission", "ListSubmissions"))
def pending(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """Submissions that are never scored."""
    told = json.loads(answer.body)
    for one in told.get("submissions", [told]):
        if "status" in one:
            one.update(status="PENDING", publicScore="", privateScore="", errorDescription="")
    return answer.holding(json.dumps(told).encode())


@content("many-submissions", at="ListSubmissions")
def many_submissions(answer: Answer, rule: Rule, fields: Mapping[str, object]) -> Answer:
    """`pages` more pages (by pageToken) of older submissions behind the real ones, with `description` each."""
    told, pages = json.loads(answer.body), int(rule.get("pages", 3))
    kind, _, number = str(fields.get("pageToken") or "").partition("older-")
    asked = int(number) if not kind and number.isdecimal() else 0
    if asked:
        size = min(max(int(fields.get("pageSize") or 20), 1), 200)
        told = {"submissions": [_older((asked - 1) * size + row, str(rule.get("description", ""))) for row in range(size)], "nextPageToken": ""}
    if not told.get("nextPageToken") and asked < pages:
        told["nextPageToken"] = f"older-{asked + 1}"
    return answer.holding(json.dumps(told).encode())


def _older(number: int, description: str) -> dict[str, object]:
    import datetime

    when = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) - datetime.timedelta(hours=number)
    return {"ref": 2_000_000_000 - number, "totalBytes": 100, "date": when.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "fileName": "older.csv",
            "description": description or f"older submission {number + 1}", "errorDescription": "", "publicScore": "0.50000", "privateScore": "",
            "status": "COMPLETE", "submittedBy": "somebody", "submittedByRef": "somebody", "teamName": "somebody"}
