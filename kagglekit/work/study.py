"""A study: the trials of one search in a database, which outlive a kill and may be shared by several processes, and their predictions beside it."""

import contextlib
import io
import json
import os
import platform
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.processes import is_alive
from kagglekit.store import Store, write_bytes
from kagglekit.work.save import safe_name

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial

    from kagglekit.work.space import Parameter

Array = np.ndarray
FACTS = {"competition": "of the competition", "metric": "judged by", "data": "of the data", "folds": "on the folds", "sample": "on the share of rows",
         "model": "of the model", "features": "with the features", "parameters": "with the other parameters"}
WAIT = 60.0        # seconds that a database may be locked, or another process may take to begin a study
FRESH = 0.5         # seconds for which what was read of the trials holds
RANDOM_TRIALS = 10  # before the sampler follows what was found


@dataclass(frozen=True, slots=True)
class Study:
    """Trials of one search. `folder` holds their predictions; `name`, `shown` are what a person calls the study and its database."""

    optuna: "optuna.Study"
    name: str
    shown: str
    folder: Path
    sign: int
    _seen: dict[str, object] = field(default_factory=dict)

    # What there is

    def trials(self) -> list["FrozenTrial"]:
        """All trials, by number; those of other processes as they were half a second ago at most."""
        now = time.monotonic()
        if now - float(self._seen.get("at", -np.inf)) > FRESH:  # type: ignore[arg-type]
            with readable(self.shown):
                self._seen.update(at=now, trials=self.optuna.get_trials(deepcopy=False))
        return self._seen["trials"]  # type: ignore[return-value]

    def complete(self) -> list["FrozenTrial"]:
        """Trials with a score over all folds."""
        return [one for one in self.trials() if one.state.name == "COMPLETE"]

    def count(self, *states: str) -> int:
        """How many trials are in one of these states."""
        return sum(one.state.name in states for one in self.trials())

    def best(self) -> "FrozenTrial | None":
        """The best complete trial; of equal ones the first."""
        return max(self.complete(), key=lambda one: (self.sign * value_of(one), -one.number), default=None)

    def defaults(self) -> "FrozenTrial | None":
        """The complete trial of the default parameters."""
        return next((one for one in self.complete() if one.user_attrs.get("defaults")), None)

    def at_work(self) -> list["FrozenTrial"]:
        """Trials that another process of this machine is running."""
        return [one for one in self.trials() if one.state.name == "RUNNING" and not _is_left(one) and _process(one).get("pid") != os.getpid()]

    # What is done

    def ask(self, seed: int) -> "Trial":
        """The next trial, this process's own: one that was left or waits, else a new one."""
        with readable(self.shown):
            self.optuna.sampler = _sampler(seed)
            trial = self.optuna.ask()
            self._seen.clear()
            trial.set_user_attr("process", {"pid": os.getpid(), "host": platform.node()})
        return trial

    def note(self, trial: "Trial", **facts: object) -> None:
        """Keep facts of a trial."""
        with readable(self.shown):
            for name, value in facts.items():
                trial.set_user_attr(name, value)

    def report(self, trial: "Trial", value: float, step: int) -> None:
        """What a trial is expected to score after `step` folds."""
        with readable(self.shown):
            trial.report(value, step)

    def end(self, trial: "Trial", state: str, value: float | None = None) -> None:
        """Record how a trial ended: complete (with its value), pruned or fail."""
        from optuna.trial import TrialState

        with readable(self.shown):
            self.optuna.tell(trial.number, value, TrialState[state.upper()], skip_if_finished=True)
        self._seen.clear()

    def give_back(self, trial: "Trial") -> None:
        """A trial that was stopped half way: it is recorded as failed, and waits to be run again."""
        self._seen.clear()
        self._again(self.trials()[trial.number])

    def clear_left(self) -> int:
        """Trials that a process which is gone left running fail, and wait to be run again; how many they were."""
        left = [one for one in self.trials() if one.state.name == "RUNNING" and _is_left(one)]
        for one in left:
            self._again(one)
        return len(left)

    def _again(self, one: "FrozenTrial") -> None:
        from optuna.trial import TrialState

        with readable(self.shown):
            done = self.optuna.tell(one.number, state=TrialState.FAIL, skip_if_finished=True)
            if done.state.name == "FAIL":
                kept = {"defaults": True} if one.user_attrs.get("defaults") else {}
                self.optuna.enqueue_trial(one.params, user_attrs={"left": one.number, **kept})
        self._seen.clear()

    # Predictions

    def save_oof(self, number: int, values: Array) -> None:
        """Keep a trial's predictions of the validated rows, fold by fold, as float32."""
        buffer = io.BytesIO()
        np.save(buffer, values.astype(np.float32), allow_pickle=False)
        write_bytes(self.folder / f"oof-{number}.npy", buffer.getvalue())

    def oof(self, number: int) -> Array | None:
        """What save_oof kept; None where the trial ran on another machine."""
        path = self.folder / f"oof-{number}.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time in this block; a holder that is gone does not count."""
        self.folder.mkdir(parents=True, exist_ok=True)
        holder = self.folder / ".result.taken"
        while not _taken(holder):
            time.sleep(0.3)
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


def _taken(holder: Path) -> bool:
    """Create the file with this process's number; where it is there and its process is gone, remove it."""
    try:
        with holder.open("x") as file:
            file.write(str(os.getpid()))
        return True
    except FileExistsError:
        with contextlib.suppress(OSError):
            text, age = holder.read_text(), time.time() - holder.stat().st_mtime
            if (not is_alive(int(text)) or int(text) == os.getpid()) if text.isdigit() else age > WAIT:
                holder.unlink(missing_ok=True)
        return False


def value_of(trial: "FrozenTrial") -> float:
    """A complete trial's score."""
    assert trial.value is not None
    return float(trial.value)


def fold_scores_of(trial: "FrozenTrial") -> list[float]:
    """A complete trial's score on each fold."""
    return [float(one) for one in result_of(trial)["folds"]]  # type: ignore[attr-defined]


def early_of(trial: "FrozenTrial") -> list[float]:
    """The fold scores by which a complete trial was watched."""
    return [float(one) for one in result_of(trial)["early"]]  # type: ignore[attr-defined]


def result_of(trial: "FrozenTrial") -> Mapping[str, object]:
    """What a complete trial came to: folds, early, se, rounds, seconds."""
    return trial.user_attrs["result"]


def _process(trial: "FrozenTrial") -> Mapping:
    return trial.user_attrs.get("process") or {}


def _is_left(trial: "FrozenTrial") -> bool:
    """Whether the process of a running trial is gone; of another machine's it cannot be known."""
    process = _process(trial)
    if not process:  # it had no time to say who it is
        return trial.datetime_start is not None and time.time() - trial.datetime_start.timestamp() > WAIT
    if process.get("host") != platform.node():
        return False
    return int(process["pid"]) == os.getpid() or not is_alive(int(process["pid"]))


def open_study(store: Store, name: str, storage: str | None, facts: Mapping[str, object], space: Sequence["Parameter"], default: Mapping[str, object],
               sign: int) -> Study:
    """The study of that name, begun where there is none: its first trial waits, with the default parameters.

    `storage` is a database's URL or a file of SQLite (None: tune/studies.db in the competition's folder). Raises KKError for a database
    that cannot be used, and for a study of the same name that is about something else.
    """
    import optuna

    url, shown = _url(store, storage)
    first = {one.name: default[one.name] for one in space if one.name in default and one.holds(default[one.name])}
    study = _opened(name, url, shown, facts, first, sign)
    try:
        _check(_begun(study, shown, name), facts, name, shown)
        _check_space(study, space, name, shown)
    except KKError:
        if not _is_empty(study, shown):
            raise
        with readable(shown):  # nothing but failures is in it: what was wrong is mended now
            optuna.delete_study(study_name=name, storage=url)
        study = _opened(name, url, shown, facts, first, sign)
    _with_defaults(study, shown, first)
    return Study(study, name, shown, store.studies / f"{safe_name(name)}-{study.user_attrs['uid']}", sign)


def _opened(name: str, url: str, shown: str, facts: Mapping[str, object], first: Mapping[str, object], sign: int) -> "optuna.Study":
    with readable(shown), _quiet():
        study, begun = _created(name, url, sign)
    if begun:
        _with_defaults(study, shown, first)  # before others may work on it
        with readable(shown):
            study.set_user_attr("facts", {key: str(value) for key, value in facts.items()})
            study.set_user_attr("uid", uuid.uuid4().hex[:8])
    return study


def _is_empty(study: "optuna.Study", shown: str) -> bool:
    """Whether trials of the study failed, and none came to anything or is at work; one that was just begun has not failed."""
    with readable(shown):
        states = {one.state.name for one in study.get_trials(deepcopy=False)}
    return "FAIL" in states <= {"FAIL", "WAITING"}


def _with_defaults(study: "optuna.Study", shown: str, values: Mapping[str, object]) -> None:
    """Let the defaults wait as the next trial where they are none yet, or failed."""
    with readable(shown):
        tried = [one for one in study.get_trials(deepcopy=False) if one.user_attrs.get("defaults") and one.state.name != "FAIL"]
        if not tried:
            study.enqueue_trial(dict(values), user_attrs={"defaults": True})


def _url(store: Store, storage: str | None) -> tuple[str, str]:
    """The database's URL and what may be shown of it."""
    if storage is None or "://" not in storage:
        path = Path(storage).expanduser() if storage else store.studies / "studies.db"
        if storage and path.is_dir():
            raise KKError(f"--storage {storage} is a folder", f"Name a file in it: --storage {path / 'studies.db'}")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{path.resolve()}", str(path)
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return storage, make_url(storage).render_as_string(hide_password=True)
    except (ArgumentError, ValueError) as error:
        raise KKError("--storage is no URL of a database", "As in --storage sqlite:///studies.db or postgresql://user@host/studies") from error


def _created(name: str, url: str, sign: int) -> tuple["optuna.Study", bool]:
    """The study and whether it is new. Two processes may make the tables at once: the one that comes late tries again."""
    import optuna
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    timeout = {"connect_args": {"timeout": WAIT}} if url.startswith("sqlite") else {}
    for left in range(10, -1, -1):
        try:
            storage = optuna.storages.RDBStorage(url, engine_kwargs=timeout)
            try:
                return optuna.create_study(storage=storage, study_name=name, direction="maximize" if sign > 0 else "minimize"), True
            except optuna.exceptions.DuplicatedStudyError:
                return optuna.load_study(study_name=name, storage=storage), False
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            if not left or not any(word in str(error) for word in ("already exists", "UNIQUE", "locked", "duplicate")):
                raise
            time.sleep(0.2)
    raise AssertionError


def _begun(study: "optuna.Study", shown: str, name: str) -> Mapping[str, str]:
    """The study's facts, once the process that made it has written them."""
    for _ in range(int(WAIT / 0.2)):
        with readable(shown):
            attrs = study.user_attrs
        if "uid" in attrs:
            return attrs["facts"]
        time.sleep(0.2)
    raise KKError(f"{shown} has a study called {name!r} that kk tune did not make, or that was killed while it began",
                  "Begin another: --study NAME, or name another file: --storage studies.db")


def _check(known: Mapping[str, str], facts: Mapping[str, object], name: str, shown: str) -> None:
    for key, words in FACTS.items():
        if known.get(key) != str(facts[key]):
            there, here = _apart(str(known.get(key)), str(facts[key])) if key == "parameters" else (known.get(key), facts[key])
            there, here = (_short(value) for value in (there, here))
            raise KKError(f"the study {name!r} in {shown} is {words} {there}, not {here}", "Begin another: kk tune MODEL --study NAME")


def _apart(there: str, here: str) -> list[str]:
    """The parameters in which two differ."""
    one, other = json.loads(there), json.loads(here)
    names = sorted(name for name in {*one, *other} if one.get(name, _apart) != other.get(name, _apart))
    return [", ".join(f"{name}={side[name]!r}" for name in names if name in side) or "none of these" for side in (one, other)]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _check_space(study: "optuna.Study", space: Sequence["Parameter"], name: str, shown: str) -> None:
    """A range may change while a study goes on; its kind and choices may not."""
    with readable(shown):
        seen = {key: one for trial in study.get_trials(deepcopy=False) for key, one in trial.distributions.items()}
    for one in space:
        old, new = seen.get(one.name), one.distribution()
        if old is not None and (type(old) is not type(new) or getattr(old, "choices", ()) != getattr(new, "choices", ())
                                or getattr(old, "log", False) != getattr(new, "log", False)):
            raise KKError(f"the study {name!r} in {shown} searched {one.name} in another way", "Begin another: kk tune MODEL --study NAME")


def _sampler(seed: int) -> object:
    """Tree-structured Parzen estimators over all parameters at once (Bergstra et al. 2011; Optuna's TPESampler), seeded anew for each trial
    by its number: a search that goes on draws what it would have drawn without the stop, and processes at once draw different trials."""
    import optuna

    class ByNumber(optuna.samplers.BaseSampler):
        """A fresh TPESampler for each trial."""

        def before_trial(self, study: "optuna.Study", trial: "FrozenTrial") -> None:
            mixed = np.random.SeedSequence([seed, trial.number]).generate_state(1)[0]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `group` is called experimental
                self._of_trial = optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, multivariate=True, group=True, constant_liar=True,
                                                            warn_independent_sampling=False, seed=int(mixed))

        def infer_relative_search_space(self, study: "optuna.Study", trial: "FrozenTrial") -> dict:
            return self._of_trial.infer_relative_search_space(study, trial)

        def sample_relative(self, study: "optuna.Study", trial: "FrozenTrial", search_space: dict) -> dict:
            return self._of_trial.sample_relative(study, trial, search_space)

        def sample_independent(self, study: "optuna.Study", trial: "FrozenTrial", param_name: str, param_distribution: object) -> object:
            return self._of_trial.sample_independent(study, trial, param_name, param_distribution)  # type: ignore[arg-type]

    return ByNumber()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def readable(shown: str) -> Iterator[None]:
    """What a database refuses, as a person should know it."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ModuleNotFoundError as error:
        raise KKError(f"{shown} needs the Python package {error.name}", f"pip install {error.name}, or leave --storage out") from error
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        cause = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error
        told = " ".join(str(cause).split())[:160]
        raise KKError(f"the database {shown} cannot be used: {told}",
                      "Check its rights, free space and address, or name another: --storage studies.db") from error


def as_json(values: Mapping[str, object]) -> str:
    """Parameters in one order, to compare and to hash."""
    return json.dumps(values, sort_keys=True, default=str)
