"""A whole answer in memory: what faults of the content take and give, and what faults of the delivery send."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, '' where it is absent."""
        return next((value for key, value in self.headers if key == name), "")

    def having(self, **changed: str | None) -> "Answer":
        """The answer with headers set, or left out where None; underscores stand for hyphens."""
        names = {name.replace("_", "-"): value for name, value in changed.items()}
        kept = [(key, value) for key, value in self.headers if key not in names]
        return replace(self, headers=(*kept, *((name, value) for name, value in names.items() if value is not None)))

    def holding(self, body: bytes) -> "Answer":
        """The answer with another body and its length."""
        return replace(self, body=body).having(content_length=str(len(body)))


def made(status: int, body: bytes, kind: str) -> Answer:
    """An answer of a content type."""
    return Answer(status, (("content-type", kind),), b"").holding(body)


def part_of(whole: Answer, wanted: str, condition: str) -> Answer:
    """The bytes that Range asks for (206; 416 where there are none), the whole where If-Range names another object."""
    span = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.replace(" ", ""))
    current = condition in ("", whole.header("etag"), whole.header("last-modified"))
    if whole.status != 200 or not whole.header("accept-ranges") or not current or span is None or span[1] == span[2] == "":
        return whole
    size = len(whole.body)
    start = int(span[1]) if span[1] else max(size - int(span[2]), 0)
    end = min(int(span[2]) + 1, size) if span[1] and span[2] else size
    if not start < end:
        return Answer(416, (("content-range", f"bytes */{size}"),), b"").holding(b"")
    part = replace(whole, status=206).holding(whole.body[start:end])
    return part.having(content_range=f"bytes {start}-{end - 1}/{size}")
