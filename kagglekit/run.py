"""Run and Submission: the records of what was predicted and what was sent, and their json round trips."""

import dataclasses
import datetime
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from kagglekit.errors import KKError

KINDS = ("train", "tune", "add", "blend", "zeros", "table")
INFERENCES = ("fold_mean", "refit", "single_fold", "other")


@dataclass(frozen=True, slots=True)
class Score:
    """A run's score over its folds: mean and standard error of fold scores (Nadeau-Bengio), each fold's, and all rows pooled."""

    mean: float | None = None
    se: float | None = None
    per_fold: tuple[float, ...] = ()
    pooled: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Out-of-fold and test predictions of one recipe over one Folds, with scores; `id` is an alias ("r12"), `uid` the name for ever."""

    id: str
    name: str
    kind: str
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: str = "started"
    model: str = ""
    recipe: str = ""
    folds: str = ""
    folds_fingerprint: str = ""
    metric: str = ""
    greater_is_better: bool = True
    score: Score = field(default_factory=Score)
    rows_scored: int = 0
    classes: tuple[object, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    sample: float = 1.0
    rounds: Mapping[str, object] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    inference: str = "other"
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    git: Mapping[str, object] = field(default_factory=dict)
    created: str = ""
    process: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Name of the run's folder."""
        return f"{self.id}-{self.name}"


@dataclass(frozen=True, slots=True)
class Submission:
    """One csv and what became of it. Scores are numbers; `shown` keeps the public score's text, for its digits."""

    n: int
    run: str = ""
    recipe: str = ""
    tag: str = ""
    message: str = ""
    file: str = ""
    rows: int = 0
    ref: str = ""
    status: str | None = None
    reason: str = ""
    public: float | None = None
    private: float | None = None
    shown: str = ""
    error: str = ""
    date: str = ""
    reading: tuple[Mapping[str, object], ...] = ()

    @property
    def stem(self) -> str:
        """Name of the csv and the json without suffix."""
        return f"{self.n:03d}-{self.run or 'browser'}"


def to_json(record: Run | Submission) -> str:
    """The text of run.json (or a submission's json)."""
    return json.dumps(dataclasses.asdict(record), indent=1, ensure_ascii=False, default=str) + "\n"


def run_from_json(text: str) -> Run:
    """The Run that `to_json` wrote; keys that this version does not know are left out."""
    facts = _known(Run, _parsed(text))
    facts["score"] = Score(**_known(Score, facts.get("score") or {}))
    return Run(**facts)


def submission_from_json(text: str) -> Submission:
    """The Submission that `to_json` wrote."""
    return Submission(**_known(Submission, _parsed(text)))


def _parsed(text: str) -> dict:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise KKError(f"a record is not json: {error}", "Restore the file, or remove its folder and run: kk rebuild") from error


def _known(record: type, facts: Mapping) -> dict:
    names = {entry.name: entry for entry in dataclasses.fields(record)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items() if name in names}


def recipe_of(**parts: object) -> str:
    """The recipe's hash: twelve hex digits over model, parameters, features, code, sample, seeds and inference.

    >>> recipe_of(model="lgbm", params={"a": 1}) == recipe_of(params={"a": 1}, model="lgbm")
    True
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
