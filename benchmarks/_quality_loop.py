"""kagglekit's own loop for quality.py: join, cv, baseline, explore --confirm 3, ensemble, submit; nothing is chosen by hand.

What remains of the time after the ladder goes to explore, less a share that is kept for the ensemble. A step that is cut, or that fails,
does not stop the loop: what is finished by then is blended, as a person would do.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from _quality_guard import Ran, guarded

ROOT = Path(__file__).resolve().parent.parent
LADDER_SHARE, KEPT_SHARE = 0.35, 0.15  # of the time: at most for the ladder, at least for ensemble and submission
LEAST_SECONDS = 5.0
PATIENCE = 4.0  # ensemble and submission may run over; the seconds are shown


class Loop:
    """One run of the loop in `workspace`; `steps` keeps what each command did."""

    def __init__(self, workspace: Path, seconds: float, gb: float) -> None:
        self.workspace, self.total, self.gb = workspace, seconds, gb
        self.start = time.perf_counter()
        self.steps: list[dict] = []
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("KAGGLE_", "KK_")) and "proxy" not in key.lower()}
        self.env = {**keep, "PYTHONPATH": str(ROOT)}

    @property
    def left(self) -> float:
        """Seconds of the time that are left."""
        return self.total - (time.perf_counter() - self.start)

    def kk(self, *words: str, seconds: float) -> Mapping:
        """A kk command's JSON; {} where it failed or was cut."""
        ran = guarded([sys.executable, "-m", "kagglekit", *words, "--json", "--quiet"], seconds=max(seconds, LEAST_SECONDS), gb=self.gb,
                      cwd=self.workspace, env=self.env)
        self.steps.append({"step": words[0], "seconds": round(ran.seconds, 1), "cpu": round(ran.cpu, 1), "mb": round(ran.mb), "why": _why(ran)})
        with_answer = ran.out.strip().splitlines()
        return json.loads(with_answer[-1]) if ran.good and with_answer else {}

    def run(self, slug: str) -> dict:
        """All of it; gives the submission's file with what is to be told of it. Raises RuntimeError where nothing could be submitted."""
        if not self.kk("join", slug, "--practice", seconds=self.left):
            raise RuntimeError(self.steps[-1]["why"])
        self.kk("cv", seconds=self.left)
        ladder = self.kk("baseline", seconds=min(LADDER_SHARE * self.total, self.left))
        budget = self.left - KEPT_SHARE * self.total
        explored: Mapping = {}
        if budget > LEAST_SECONDS:
            explored = self.kk("explore", "--confirm", "3", "--budget", f"{int(budget)}s", seconds=budget + KEPT_SHARE * self.total / 2)
        else:
            self.steps.append({"step": "explore", "seconds": 0.0, "cpu": 0.0, "mb": 0, "why": "no time was left for it"})
        blended = self.kk("ensemble", seconds=PATIENCE * self.total)
        sent = self._sent(blended["run"] if blended else self._best())
        advised = str(blended["next"]).split()[-1] if blended else sent["run"]  # the single run, where the blend is worse
        other = self._sent(advised) if advised != sent["run"] else {}
        return {"file": str(self.workspace / sent["file"]), "local": sent["cv"], "local_se": sent["cv_se"], "told": self._made_of(sent, blended),
                "advised_file": str(self.workspace / other["file"]) if other else "", "advised": other.get("name", ""), "steps": self.steps,
                "ladder": [{key: rung.get(key) for key in ("model", "score", "seconds")} for rung in ladder.get("rungs", ())],
                "explored": _explored(explored)}

    def _best(self) -> str:
        """The best run there is, for want of an ensemble."""
        done = [row for row in self.kk("runs", seconds=self.total).get("rows", ()) if row["status"] == "done" and row["score"] is not None]
        if not done:
            raise RuntimeError("; ".join(f"kk {step['step']}: {step['why']}" for step in self.steps if step["why"]))
        return done[0]["run"]  # the best comes first

    def _sent(self, run: str) -> Mapping:
        """A submission as kk submit tells it."""
        sent = self.kk("submit", run, seconds=PATIENCE * self.total)
        if not sent.get("file"):
            raise RuntimeError(f"kk submit {run}: {self.steps[-1]['why']}")
        return sent

    def _made_of(self, sent: Mapping, blended: Mapping) -> str:
        if not blended:
            return f"no ensemble: the best run is {sent['name']}"
        names = {row["run"]: row["name"] for row in self.kk("runs", seconds=self.total).get("rows", ())}
        weights = sorted(blended["weights"].items(), key=lambda one: -abs(one[1]))
        return f"{blended['blender']}: " + " + ".join(f"{weight:.2f} {names.get(run, run)}" for run, weight in weights[:4] if abs(weight) >= 0.005)


def _explored(found: Mapping) -> str:
    """What kk explore found, in one line; "" where it gave no answer."""
    if not found:
        return ""
    scored = [row["model"] for row in found["rows"] if row["score"] is not None]
    failed = [row["model"] for row in found["rows"] if row["status"] == "failed"]
    order = found.get("order") or {}
    parts = [f"explored {len(scored)} models on {found['rows_used']:,} of {found['rows_all']:,} rows, first {', '.join(scored[:3])}",
             f"failed: {', '.join(failed)}" if failed else "",
             f"left out: {', '.join(row['model'] for row in found['left_out'])}" if found["left_out"] else "",
             f"tau of the order on all rows {order['tau']:.2f} of {order['m']}" if order.get("tau") is not None else ""]
    return "; ".join(part for part in parts if part)


def _why(ran: Ran) -> str:
    if ran.cut:
        return f"cut by {ran.cut} after {ran.seconds:.0f} s"
    return "" if ran.good else ran.last_line[:200]
