"""Jobs in threads: for work that frees Python's lock, such as boosting; stopped at once when one fails or the person presses Ctrl-C."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

Result = TypeVar("Result")
Job = Callable[[threading.Event], Result]
LOOK_SECONDS = 0.5


class Stopped(Exception):
    """A job that ended because another failed or the person stopped the command."""


def cores() -> int:
    """Processors that this process may use: OMP_NUM_THREADS where it is set, else those that the system lets it run on."""
    wished = os.environ.get("OMP_NUM_THREADS", "")
    if wished.isdigit() and int(wished) > 0:
        return int(wished)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(jobs: Sequence[Job], workers: int, look: Callable[[], None] = lambda: None,
           begin: Callable[[], None] = lambda: None) -> Iterator[tuple[int, Result]]:
    """Run jobs in up to `workers` threads and give (number, result) as each ends; workers = 0 runs them one by one right here.

    Each job gets an event and is to raise Stopped soon after it is set. `look` is called here about twice a second, `begin` once in
    each new thread. The first exception of a job is raised, when all others have ended.

    >>> sorted(spread([lambda stop: 10, lambda stop: 20], workers=2))
    [(0, 10), (1, 20)]
    """
    stop = threading.Event()
    if workers < 1:
        for number, job in enumerate(jobs):
            yield number, job(stop)
        return
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        numbers = {pool.submit(job, stop): number for number, job in enumerate(jobs)}
        waiting = set(numbers)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=numbers.__getitem__):
                    yield numbers[future], future.result()
                look()
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
