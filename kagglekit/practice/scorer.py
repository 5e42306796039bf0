"""The scoring: processes of their own, so that a slow or crashing metric takes nothing else down."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

from kagglekit.practice.claims import owner
from kagglekit.practice.contest import Contest, find_contest
from kagglekit.practice.state import State

PROCESSES = min(2, os.cpu_count() or 1)
IDLE_SECONDS = 120.0  # after which a process that has nothing to score is ended


class Scoring:
    """Scores what is pending, oldest first; what an earlier process left is scored at the start.

    The second process starts only where more than one submission waits.
    """

    def __init__(self, state: State) -> None:
        self._waiting = threading.Condition()
        self._workers = [_Worker(state, number, self._waiting) for number in range(PROCESSES)]

    def start(self) -> None:
        """Look for what is pending from now on."""
        for worker in self._workers:
            worker.start()

    def wake(self) -> None:
        """Something is pending."""
        with self._waiting:
            self._waiting.notify_all()

    def stop(self) -> None:
        """End; a submission in hand stays pending and is scored at the next start."""
        for worker in self._workers:
            worker.stopping = True
        self.wake()
        for worker in self._workers:
            worker.end()


class _Worker(threading.Thread):
    """Gives submissions to its process one by one."""

    def __init__(self, state: State, number: int, waiting: threading.Condition) -> None:
        super().__init__(daemon=True, name=f"arena-scoring-{number}")
        self._state, self._number, self._waiting = state, number, waiting
        self._process: subprocess.Popen | None = None
        self.stopping = False

    def run(self) -> None:
        """The thread's loop."""
        used = time.monotonic()
        while not self.stopping:
            row = self._state.claim(owner(self._number), 3600, at_least=self._number + 1)
            if row is not None:
                self._one(row["ref"], row["contest"], row["token"])
                used = time.monotonic()
                continue
            if time.monotonic() - used > IDLE_SECONDS:
                self._close()
            with self._waiting:
                self._waiting.wait(timeout=1.0)

    def end(self) -> None:
        """Stop the process, whatever it does."""
        process = self._process
        if process is not None:
            process.kill()
        self.join(timeout=10)
        self._close()

    def _one(self, ref: int, slug: str, token: str) -> None:
        try:
            contest = find_contest(self._state.home, slug)
            answer = {"error": "The competition is gone"} if contest is None else self._ask(contest, self._state.uploads / token)
        except Exception as error:  # a contest.toml that cannot be read must not end the thread: the participant reads why
            answer = {"error": f"Scoring failed: {type(error).__name__}"}
        if self.stopping and answer.get("ended"):
            self._state.release(ref)
            return
        if "log" in answer:
            log = self._state.home / ".errors" / f"{ref}.txt"
            log.parent.mkdir(exist_ok=True)
            log.write_text(str(answer["log"]), encoding="utf-8")
        self._state.scored(ref, answer.get("public"), answer.get("private"), str(answer.get("error", "")))

    def _ask(self, contest: Contest, path: Path) -> dict:
        """The answer of the process, which is started where there is none; ended where it takes too long."""
        if self._process is None:
            self._process = _started()
        process = self._process
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(contest.scoring_seconds, end)
        timer.start()
        try:
            process.stdin.write(json.dumps({"folder": str(contest.folder), "path": str(path)}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line:
            return json.loads(line)
        code = process.wait()
        self._close()
        if late.is_set():
            return {"error": f"Scoring failed: it took longer than {contest.scoring_seconds:g} seconds"}
        return {"error": f"Scoring failed: its process ended ({f'signal {-code}' if code < 0 else f'status {code}'})", "ended": True}

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what was left to write goes nowhere: the process is gone
                    stream.close()
            process.wait()


def _started() -> subprocess.Popen:
    """A process that answers one line of JSON for each it reads; it ends with its input, and Ctrl-C does not reach it."""
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root,
                   "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    return subprocess.Popen([sys.executable, "-P", "-c", "from kagglekit.practice.scorer import main; main()"], env=environment, text=True,
                            encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)


def main() -> None:
    """The process: what a metric prints goes nowhere, and the system ends it first where memory runs out."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with contextlib.suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000")
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(json.dumps(_answer(Path(asked["folder"]), Path(asked["path"]))) + "\n")
        answers.flush()


def _answer(folder: Path, path: Path) -> dict:
    from kagglekit.practice.contest import read_contest
    from kagglekit.practice.reading import Malformed
    from kagglekit.practice.scoring import score_file

    try:
        public, private = score_file(read_contest(folder), path)
        return {"public": float(public), "private": float(private)}
    except Malformed as reason:
        return {"error": str(reason)}
    except BaseException as error:  # a metric may even call exit(); its words could tell of the answers, so they go to the host's log
        return {"error": f"Scoring failed: the metric raised {type(error).__name__}", "log": traceback.format_exc()}
