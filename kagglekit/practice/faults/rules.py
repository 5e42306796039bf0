"""The rules of a faults file and the journal beside it, which counts over processes.

A rule is {"fault": NAME, "at": PLACE or a list, "times": N, "after": K, ...parameters}. A place is `store`, `upload`, a method of the
protocol, `calls` (every method) or `any`; without it the fault's usual place is meant. The first K requests at that place go untouched,
then the rule acts N times (without `times`: for ever). Of the faults that end a connection or replace an answer the first one that is
live acts, so rules in a row make a sequence; faults that change the content act all. `"ranges": false` on a rule makes the store ignore Range
at its place, also before `after` and once `times` is used up.
"""

import hashlib
import json
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONTROL = {"fault", "at", "times", "after", "ranges", "id"}


@dataclass(frozen=True)
class Rule:
    """One rule of the file."""

    id: str
    fault: str
    at: frozenset[str]
    times: float
    after: int
    ranges: bool
    given: Mapping[str, object]

    def get(self, name: str, otherwise: object = None) -> object:
        """A parameter of the fault."""
        return self.given.get(name, otherwise)

    def fits(self, request: "Asked") -> bool:
        """Whether the rule is for the place that is asked."""
        return bool(self.at & {"any", request.at, "calls" if request.is_call else request.at})


@dataclass(frozen=True)
class Asked:
    """A request: its place, method, path and the headers of a partial download."""

    at: str
    is_call: bool
    method: str
    target: str
    range: str
    if_range: str


@dataclass(frozen=True)
class Hit:
    """A request that was seen.

    `status` is what went out (None: no answer did), `inner` what the arena itself answered (None: it was not asked), `sent` the bytes of
    the body that were handed to the socket, `ended` False where the process died on the way, `faults` the faults that acted.
    """

    at: str
    method: str
    target: str
    range: str
    if_range: str
    faults: tuple[str, ...]
    status: int | None = None
    inner: int | None = None
    sent: int = 0
    ended: bool = False


@dataclass
class Turn:
    """What the rules say to one request: its number in the journal, the faults of the content, the one that ends it, and whether Range is heard."""

    id: str
    content: list[Rule] = field(default_factory=list)
    delivery: Rule | None = None
    ranges: bool = True


def place_of(method: str, path: str, headers: Mapping[str, str]) -> Asked:
    """The place that a request asks for: store, upload, the method of a call, or other."""
    path = re.sub(r"^/?\w+://[^/]*", "", path)
    called = re.fullmatch(r"(?:/api)?/v1/[^/]+/([^/]+)", path)
    kind = path.split("/")[1] if path.count("/") > 1 else ""
    at = called[1] if called else kind if kind in ("store", "upload") else "other"
    return Asked(at, bool(called), method, path, headers.get("range", ""), headers.get("if-range", ""))


def read_rules(path: Path) -> list[Rule]:
    """The rules of a file, none where it does not exist; raises ValueError for a fault that does not exist or a rule that is none."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    seen: Counter[str] = Counter()
    return [_rule(one, seen) for one in written]


def _rule(written: Mapping[str, object], seen: Counter[str]) -> Rule:
    from kagglekit.practice.faults.content import CONTENT
    from kagglekit.practice.faults.delivery import DELIVERY

    name = str(written.get("fault"))
    known = CONTENT.get(name) or DELIVERY.get(name)
    if known is None:
        raise ValueError(f"there is no fault {name!r}; known are {', '.join(sorted({*CONTENT, *DELIVERY}))}")
    at = written.get("at", known.at)
    digest = hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:12]
    seen[digest] += 1
    times = written.get("times")
    return Rule(id=str(written.get("id") or f"{digest}-{seen[digest]}"), fault=name, at=frozenset([at] if isinstance(at, str) else at),
                times=float("inf") if times is None else float(times), after=int(written.get("after") or 0),
                ranges=bool(written.get("ranges", True)), given={key: value for key, value in written.items() if key not in CONTROL})


def write_faults(path: Path, rules: list[dict]) -> None:
    """Put rules in force, also for a server that runs; they count from 0, what was seen before stays in `hits`."""
    numbered = [{**rule, "id": rule.get("id") or secrets.token_hex(6)} for rule in rules]
    _ = [_rule(rule, Counter()) for rule in numbered]
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    hidden.write_text(json.dumps(numbered, indent=1), encoding="utf-8")
    os.replace(hidden, path)


def hits(path: Path) -> list[Hit]:
    """Every request that was seen under a faults file, in order, over all processes."""
    found: dict[str, dict] = {}
    for line in _lines(journal_of(path)):
        found.setdefault(line.pop("n"), {}).update(line)
    return [Hit(**{**seen, "faults": tuple(seen["faults"])}) for seen in (_told(one) for one in found.values())]


def _told(seen: dict) -> dict:
    return {key: value for key, value in seen.items() if key not in ("matched", "acted")}


def journal_of(path: Path) -> Path:
    """The journal beside a faults file."""
    return path.with_name(path.name + ".hits")


def _lines(path: Path) -> Iterator[dict]:
    if path.exists():
        yield from (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


class Journal:
    """What was seen and which rule acted how often, kept in a file that several processes append to."""

    def __init__(self, path: Path) -> None:
        self._rules, self._path = path, journal_of(path)

    def take(self, asked: Asked) -> Turn:
        """Write a request down and say what is to be done with it; under a lock, so that two processes never use up one `times` twice."""
        import fcntl

        with self._path.open("a", encoding="utf-8") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            matched, acted = self._counts()
            fitting = [rule for rule in read_rules(self._rules) if rule.fits(asked) and asked.method != "HEAD"]
            live = [rule for rule in fitting if matched[rule.id] >= rule.after and acted[rule.id] < rule.times]
            turn = _turn(live, all(rule.ranges for rule in fitting))
            acting = [*turn.content, *([turn.delivery] if turn.delivery else [])]
            self._append({"n": turn.id, "at": asked.at, "method": asked.method, "target": asked.target, "range": asked.range,
                          "if_range": asked.if_range, "faults": [rule.fault for rule in acting],
                          "matched": [rule.id for rule in fitting], "acted": [rule.id for rule in acting]})
        return turn

    def _counts(self) -> tuple[Counter[str], Counter[str]]:
        matched: Counter[str] = Counter()
        acted: Counter[str] = Counter()
        for line in _lines(self._path):
            matched.update(line.get("matched", ()))
            acted.update(line.get("acted", ()))
        return matched, acted

    def note(self, turn: Turn, **facts: object) -> None:
        """Add what became of a request."""
        self._append({"n": turn.id, **facts})

    def _append(self, line: dict) -> None:
        place = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(place, (json.dumps(line) + "\n").encode())
        finally:
            os.close(place)


def _turn(live: list[Rule], ranges: bool) -> Turn:
    from kagglekit.practice.faults.content import CONTENT
    from kagglekit.practice.faults.delivery import DELIVERY

    turn = Turn(secrets.token_hex(6), ranges=ranges)
    turn.delivery = next((rule for rule in live if rule.fault in DELIVERY), None)
    if turn.delivery is None or DELIVERY[turn.delivery.fault].asks:
        turn.content = [rule for rule in live if rule.fault in CONTENT]
    return turn
