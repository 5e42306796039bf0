"""Hands: processes of this machine that train one model each at a time; what a person's code prints or breaks stays in its process."""

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from kagglekit.competition import read_competition
from kagglekit.errors import KKError
from kagglekit.progress import Task, listening, say
from kagglekit.store import Store
from kagglekit.work.one_model import Bench, Job, Outcome

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
LOOK_SECONDS = 0.5
BEGIN = "import sys; sys.path.append(sys.argv[1]); from kagglekit.work.hands import main; main(sys.argv[2], sys.argv[3], int(sys.argv[4]))"


def in_processes(store: Store, folds: str, jobs: Sequence[Job], count: int, threads: int,
                 note: Callable[[int, str], None] = lambda number, text: None) -> Iterator[tuple[int, Outcome | None]]:
    """Do jobs whose models are names in `count` processes of `threads` threads; gives (number, None) as each begins, then its outcome.

    `note` is called with what a model says of its progress. A process that dies is an outcome of its own, and another takes its place.
    All processes end with the block, also on Ctrl-C; a killed parent is noticed by them within a second.
    """
    waiting, told, hands = list(range(len(jobs))), queue.Queue(), []
    try:
        while waiting or hands:
            while waiting and len(hands) < count:
                hands.append(_Hand(store, folds, threads, told))
            for hand in [one for one in hands if one.number is None]:
                if not waiting:
                    hand.end()
                    hands.remove(hand)
                    continue
                number = waiting.pop(0)
                yield number, None
                hand.give(number, jobs[number])
            if hands:
                yield from _heard(told, hands, jobs, note)
    finally:
        for hand in hands:
            hand.kill()


def _heard(told: queue.Queue, hands: list["_Hand"], jobs: Sequence[Job], note: Callable[[int, str], None]) -> Iterator[tuple[int, Outcome]]:
    """Wait for the next line of a hand, and give the outcome that it holds."""
    hand, line = told.get()
    if line is None and hand in hands:
        hands.remove(hand)
        if hand.number is not None:
            yield hand.number, Outcome("failed", why=hand.died(str(jobs[hand.number].model)), do="See what it needs: kk train it alone")
    elif line is None:  # one that was let go home
        return
    elif "say" in line:
        say(line["say"])
    elif "note" in line and hand.number is not None:
        note(hand.number, line["note"])
    elif "outcome" in line and hand.number is not None:
        number, hand.number = hand.number, None
        facts = line["outcome"]
        yield number, Outcome(**{**facts, "points": tuple((int(rows), float(cost)) for rows, cost in facts["points"])})


class _Hand:
    """One process; its lines come out of `told` as (hand, dict), at last (hand, None)."""

    def __init__(self, store: Store, folds: str, threads: int, told: queue.Queue) -> None:
        self.number: int | None = None
        self._told = told
        env = {**os.environ, **{name: str(threads) for name in THREADS}, "PYTHONSAFEPATH": "1"}  # a random.py here is none of Python's
        words = [sys.executable, "-c", BEGIN, str(Path(__file__).resolve().parents[2]), str(store.folder), folds, str(os.getpid())]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def give(self, number: int, job: Job) -> None:
        """Let it do a job."""
        self.number = number
        with contextlib.suppress(OSError):  # it died: its last line says so
            self._write(json.dumps(dataclasses.asdict(job)))

    def end(self) -> None:
        """Let it go home."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(timeout=30)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()

    def died(self, model: str) -> str:
        """What a process that is gone left behind, in words."""
        code = self._process.wait()
        return f"the process that trained {model} was ended by signal {-code} (out of memory?)" if code < 0 else f"{model} ended its process"

    def _write(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        for line in self._process.stdout:
            self._told.put((self, json.loads(line)))
        self._told.put((self, None))


class _Mouth:
    """A progress listener that writes lines of json."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._last = out, 0.0

    def write(self, **facts: object) -> None:
        """One line."""
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()

    def say(self, text: str) -> None:
        """Narration."""
        self.write(say=text)

    def update(self, task: Task) -> None:
        """Counted work, twice a second at most."""
        if time.monotonic() - self._last > LOOK_SECONDS:
            self._last = time.monotonic()
            self.write(note=f"{task.done:g}/{task.total:g} {task.unit} {task.note}".strip())


def _leave_with(parent: int) -> None:
    """End this process soon after its parent is gone: nobody would hear of its work."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


def main(folder: str, folds: str, parent: int) -> None:
    """A hand's life: a job a line comes in, an outcome a line goes out."""
    mouth = _Mouth(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what a model prints is no line of ours
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    bench: Bench | None = None
    with listening(mouth):
        for line in sys.stdin:
            try:
                bench = bench or Bench(Store(read_competition(Path(folder))), folds)
                outcome = bench.do(Job(**json.loads(line)))
            except KKError as error:
                outcome = Outcome("failed", why=error.what, do=error.do)
            mouth.write(outcome=dataclasses.asdict(outcome))
