"""Quality: the default loop of kk against one AutoGluon fit and LightGBM's defaults, on real past competitions and the built-in ones.

    python benchmarks/quality.py [--minutes 10] [--out DIR] [--only NAME ...] [--autogluon PYTHON] [--data DIR] [--cores 2] [--memory 12]

On each competition, with the same cores and the same time:

- kagglekit: kk join, kk cv, kk baseline, kk explore --confirm 3, kk ensemble, kk submit; no other flag is given. Where the ensemble names a
  single run as the next to submit, that one's private score is shown as well: advised.
- autogluon: one TabularPredictor.fit(presets="medium_quality"), with the competition's metric where AutoGluon has it.
- lightgbm: LGBMClassifier or LGBMRegressor as the library has it, all rows.

All are scored by the same arena on the same hidden answers. Printed are the private scores, also where kk loses, what each submission is
made of, the place on the real board, and how far the local estimate is off the private score in standard errors. Every result is kept below
--out: a benchmark that was cut goes on, a new one takes another folder. AutoGluon has an environment of its own (--autogluon names its
Python); without it its column stays empty. Competitions that are not there are left out, and said to be.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
USUAL_PYTHON = Path(tempfile.gettempdir()) / "ag" / "bin" / "python"
WAYS = ("kagglekit", "autogluon", "lightgbm")
OVERRUN = 1.5  # a peer that is not done after this many times its time, and two minutes, is ended


def main() -> None:
    """Measure what is not measured yet, and print."""
    given = _options()
    if given.way:
        from _quality_peers import peer

        found = peer(given.way, json.loads((given.out / "task.json").read_text(encoding="utf-8")), given.out)
        (given.out / f"{given.way}.told.json").write_text(json.dumps(found), encoding="utf-8")
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:given.cores])
    from _quality_contests import BUILT_IN, LEFT_OUT, real_contests
    from _quality_report import report

    real = real_contests(given.data)
    if not real:
        print(f"no real competitions in {given.data}: only the built-in ones are measured (--data FOLDER names another place)")
    if not given.autogluon.exists():
        print(f"no AutoGluon at {given.autogluon}: its column stays empty. To have it where it is looked for:\n"
              f"    python -m venv {USUAL_PYTHON.parent.parent}\n"
              f"    {USUAL_PYTHON.parent}/pip install 'autogluon.tabular[lightgbm,catboost,xgboost,fastai]'")
    slugs = given.only or [*real, *BUILT_IN]
    for slug in slugs:
        if slug not in real and slug not in BUILT_IN:
            sys.exit(f"no competition {slug!r}{': ' + LEFT_OUT[slug] if slug in LEFT_OUT else ''}; there are {', '.join([*real, *BUILT_IN])}")
    place = given.out / f"{given.minutes:g}-minutes-{given.cores}-cores"
    for slug in slugs:
        _measure(given, place / slug, slug, real.get(slug))
    report(place, {slug: real.get(slug) for slug in slugs}, f"{given.minutes:g} minutes a competition, {given.cores} cores")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="time for each of kk and AutoGluon, on each competition")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "kk-bench-quality", help="where results are kept")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these competitions")
    parser.add_argument("--autogluon", type=Path, default=USUAL_PYTHON, metavar="PYTHON", help="the Python that has autogluon.tabular")
    parser.add_argument("--data", type=Path, default=SHARED, help="folders of real competitions: files/, solution.csv, SOURCE.md")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", type=float, default=12.0, metavar="GB", help="more than that ends a command")
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out = given.out.resolve()
    return given


def _measure(given: argparse.Namespace, place: Path, slug: str, source: Path | None) -> None:
    """Run the ways that have no result on this competition yet."""
    from _quality_contests import made, task_of

    for way in WAYS:
        kept = place / f"{way}.json"
        if kept.exists() and not json.loads(kept.read_text(encoding="utf-8")).get("failed"):
            continue
        if way == "autogluon" and not given.autogluon.exists():
            continue
        if way == "kagglekit":
            shutil.rmtree(place / "workspace", ignore_errors=True)
        contest = made(place / "workspace", slug, source)
        (place / "task.json").write_text(json.dumps(task_of(contest, given.minutes, given.cores)), encoding="utf-8")
        begin = time.perf_counter()
        found = _loop(given, place, slug) if way == "kagglekit" else _peer(given, place, way)
        hidden = kept.with_suffix(".part")
        hidden.write_text(json.dumps(found, indent=1), encoding="utf-8")
        hidden.replace(kept)
        print(f"{slug}, {way}: {time.perf_counter() - begin:.0f} s{'; failed: ' + found['failed'] if found.get('failed') else ''}", file=sys.stderr)


def _loop(given: argparse.Namespace, place: Path, slug: str) -> dict:
    from _quality_loop import Loop

    loop = Loop(place / "workspace", 60 * given.minutes, given.memory)
    try:
        found = loop.run(slug)
        for key, name in (("file", "kagglekit"), ("advised_file", "advised")):
            if found[key]:
                shutil.copyfile(found[key], place / f"{name}.csv")
    except RuntimeError as error:
        found = {"failed": str(error), "steps": loop.steps}
    return {**found, "seconds": sum(step["seconds"] for step in loop.steps), "cpu": sum(step["cpu"] for step in loop.steps),
            "mb": max(step["mb"] for step in loop.steps)}


def _peer(given: argparse.Namespace, place: Path, way: str) -> dict:
    from _quality_guard import guarded

    python = str(given.autogluon) if way == "autogluon" else sys.executable
    shutil.rmtree(place / "autogluon", ignore_errors=True)
    ran = guarded([python, __file__, "--way", way, "--out", str(place)], seconds=60 * given.minutes * OVERRUN + 120, gb=given.memory, cwd=place)
    measured = {"seconds": round(ran.seconds, 1), "cpu": round(ran.cpu, 1), "mb": round(ran.mb)}
    told = place / f"{way}.told.json"
    if not ran.good or not told.exists():
        return {**measured, "failed": f"cut by {ran.cut}" if ran.cut else ran.last_line[:300]}
    return {**measured, **json.loads(told.read_text(encoding="utf-8"))}


if __name__ == "__main__":
    main()
