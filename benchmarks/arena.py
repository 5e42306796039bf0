"""The arena under load: submissions scored a second, downloads against a plain file server, start-up, memory.

    python benchmarks/arena.py [--rows 10000 1000000] [--submissions 1000]

Prints what was measured on this machine. The peer of the download is Python's own http.server over the same file; a ratio
above 1 means that the arena is faster.
"""

import argparse
import base64
import contextlib
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "/api/v1/competitions.CompetitionApiService/"
HEADERS = {"Authorization": "Basic " + base64.b64encode(b"bench:bench").decode(), "Content-Type": "application/json"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        workspace = Path(place)
        (workspace / "competitions").mkdir()
        (workspace / "configs").mkdir()
        for rows in given.rows:
            _contest(workspace, rows)
        _large_file(workspace, given.rows[0], given.megabytes)
        print(f"start-up of kk arena serve until it answers: {_startup(workspace):.2f} s (median of 5)")
        with _served(workspace) as (url, server):
            for rows in given.rows:
                _rate(url, workspace, rows, 200 if rows <= 100_000 else 12)
            _memory(url, workspace, given.rows[0], given.submissions, server)
            _downloads(url, workspace, given.rows[0])


def _contest(workspace: Path, rows: int) -> None:
    from kagglekit.practice.create import create
    from kagglekit.practice.state import State

    random = np.random.default_rng(rows)
    ids = np.arange(rows) + 10_000_000
    truth = random.integers(0, 2, rows)
    source = workspace / f"source-{rows}"
    (source / "files").mkdir(parents=True)
    pd.DataFrame({"id": ids, "y": truth, "Usage": np.where(random.uniform(size=rows) < 0.3, "Public", "Private")}).to_csv(
        source / "solution.csv", index=False)
    pd.DataFrame({"id": ids, "y": 0.5}).to_csv(source / "files" / "sample_submission.csv", index=False)
    said = pd.DataFrame({"id": ids, "y": np.clip(truth * 0.2 + random.uniform(size=rows) * 0.8, 0, 1)})
    said.to_csv(workspace / f"submission-{rows}.csv", index=False)
    home = workspace / "arena"
    home.mkdir(exist_ok=True)
    create(home, f"rows-{rows}", source=source, metric="auc", now=State(home).now(), daily_limit=1_000_000)


def _large_file(workspace: Path, rows: int, megabytes: int) -> None:
    block = np.random.default_rng(0).bytes(1024**2)
    for folder in (workspace / "arena" / f"rows-{rows}" / "files", workspace / "plain"):
        folder.mkdir(exist_ok=True)
        with (folder / "large.bin").open("wb") as sink:
            for _ in range(megabytes):
                sink.write(block)


@contextlib.contextmanager
def _served(workspace: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KAGGLE_") and "proxy" not in key.lower()}
    server = subprocess.Popen([sys.executable, "-m", "kagglekit", "arena", "serve", "--port", "0"], cwd=workspace, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, env={**environment, "PYTHONPATH": str(ROOT)})
    try:
        lines = [server.stdout.readline() for _ in range(5)]
        url = re.search(r"http://\S+", lines[1])[0]
        while True:
            with contextlib.suppress(OSError):
                _call(url, "ListCompetitions", {})
                break
            time.sleep(0.01)
        yield url, server
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def _startup(workspace: Path) -> float:
    def once() -> float:
        begin = time.perf_counter()
        with _served(workspace):
            return time.perf_counter() - begin

    return statistics.median(once() for _ in range(5))


def _call(url: str, method: str, fields: dict) -> dict:
    import json

    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=600)
    connection.request("POST", SERVICE + method, json.dumps(fields), HEADERS)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _submit(url: str, rows: int, content: bytes) -> int:
    slug = f"rows-{rows}"
    place = _call(url, "StartSubmissionUpload", {"competitionName": slug, "fileName": "a.csv", "contentLength": len(content)})
    request = urllib.request.Request(place["createUrl"], data=content, method="PUT")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=600).close()
    return int(_call(url, "CreateSubmission", {"competitionName": slug, "blobFileTokens": place["token"], "submissionDescription": "x"})["ref"])


def _wait(url: str, ref: int) -> dict:
    while True:
        answer = _call(url, "GetSubmission", {"ref": ref})
        if answer["status"] != "PENDING":
            return answer
        time.sleep(0.02)


def _rate(url: str, workspace: Path, rows: int, count: int) -> None:
    content = (workspace / f"submission-{rows}.csv").read_bytes()
    _wait(url, _submit(url, rows, content))
    begin = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        refs = list(pool.map(lambda _: _submit(url, rows, content), range(count)))
    last = max(refs)
    scores = {_wait(url, ref)["publicScore"] for ref in sorted(refs, reverse=True)[:50]}
    seconds = time.perf_counter() - begin
    print(f"{rows:>9,} rows, {len(content) / 1e6:.1f} MB: {count / seconds:6.1f} submissions scored a second "
          f"({count} in {seconds:.1f} s, uploads included, up to ref {last}, score {', '.join(scores)})")


def _resident(pid: int) -> float:
    """MB of a process and of its children."""
    children = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _parent(one) == pid]
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (pid, *children))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _memory(url: str, workspace: Path, rows: int, count: int, server: subprocess.Popen) -> None:
    if not Path("/proc/self/statm").exists():
        print("memory: not measured, this system has no /proc")
        return
    content = (workspace / f"submission-{rows}.csv").read_bytes()
    seen = []
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            refs = list(pool.map(lambda _: _submit(url, rows, content), range(count // 5)))
            for ref in refs:
                _wait(url, ref)
            seen.append(_resident(server.pid))
    print(f"memory of the server and its scoring processes over {count} submissions: {', '.join(f'{size:.0f}' for size in seen)} MB "
          f"after each fifth ({seen[-1] / seen[0] - 1:+.1%})")


def _downloads(url: str, workspace: Path, rows: int) -> None:
    peer = subprocess.Popen([sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(workspace / "plain")],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    port = re.search(r"port (\d+)", peer.stdout.readline())[1]
    try:
        ours, plain = [], []
        for _ in range(5):
            ours.append(_fetch(_signed(url, rows)))
            plain.append(_fetch(f"http://127.0.0.1:{port}/large.bin"))
    finally:
        peer.terminate()
        peer.wait()
        peer.stdout.close()
    best, other = statistics.median(ours), statistics.median(plain)
    print(f"download on loopback: arena {best:.0f} MB/s, http.server {other:.0f} MB/s (medians of 5), ratio {best / other:.2f}")


def _signed(url: str, rows: int) -> str:
    import json

    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("POST", SERVICE + "DownloadDataFile", json.dumps({"competitionName": f"rows-{rows}", "fileName": "large.bin"}), HEADERS)
    place = connection.getresponse().headers["Location"]
    connection.close()
    return place


def _fetch(url: str) -> float:
    """MB a second."""
    begin, size = time.perf_counter(), 0
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=600) as answer:
        while chunk := answer.read(1024**2):
            size += len(chunk)
    return size / 1e6 / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
