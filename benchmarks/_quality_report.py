"""What quality.py prints: the private scores side by side, places on the real board, and the local estimate beside the private score."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _quality_contests import Board, board_of, made, private_noise, scores_of

from kagglekit.errors import KKError
from kagglekit.practice.contest import Contest

WAYS = ("kagglekit", "autogluon", "lightgbm")
CLEAR = 2.0  # standard errors beyond which a gap is called clear
DECIMALS = 5  # as boards show


@dataclass(frozen=True, slots=True)
class Line:
    """A competition's results: per way what was kept, (public, private) scores, standard errors over the private rows; the real board.

    The scores also hold "advised", where kagglekit advised to submit another run than the ensemble.
    """

    slug: str
    contest: Contest
    kept: Mapping[str, Mapping]
    scores: Mapping[str, tuple[float, float]]
    noise: Mapping[str, Mapping[str, float]]
    board: Board

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return self.contest.sign

    def gain(self, other: str, mine: str = "kagglekit") -> float | None:
        """How much better kagglekit's private score is than another's, as boards round it; None where one is missing."""
        if mine not in self.scores or other not in self.scores:
            return None
        return self.sign * (round(self.scores[mine][1], DECIMALS) - round(self.scores[other][1], DECIMALS))

    def in_se(self, other: str) -> float | None:
        """The gain in standard errors of the paired gap over the private rows."""
        gain, se = self.gain(other), self.noise.get("kagglekit", {}).get(other)
        return gain / se if gain is not None and se else None

    @property
    def off(self) -> float | None:
        """Private minus local score of what kagglekit submitted, in standard errors of both; above 0: better than was estimated."""
        mine = self.kept.get("kagglekit", {})
        se = self.noise.get("kagglekit", {}).get("kagglekit")
        if "kagglekit" not in self.scores or mine.get("local") is None or se is None:
            return None
        both = float(np.hypot(mine.get("local_se") or 0.0, se))
        return self.sign * (self.scores["kagglekit"][1] - mine["local"]) / both if both else None


def report(place: Path, sources: Mapping[str, Path | None], head: str) -> None:
    """Print the tables of what is kept below `place`."""
    lines = [_line(place / slug, slug, source) for slug, source in sources.items()]
    print(f"\nprivate scores; {head}; gain: how much better kagglekit is, in standard errors of the gap over the private rows")
    _table(("competition", "metric", "kagglekit", "(advised)", "autogluon", "lightgbm", "best", "gain on ag", "on lgbm", "seconds kk/ag/lgbm",
            "GB kk/ag"),
           [_private(line) for line in lines])
    print("\nhow far the local score holds (kagglekit's submission), and the place on the real board")
    _table(("competition", "local", "public", "private", "off by", "place kagglekit", "place autogluon", "gold", "silver", "bronze"),
           [_trust(line) for line in lines])
    print("\nwhat was submitted, and what went wrong")
    for line in lines:
        print("\n".join([line.slug, *_told(line)]))
    print(f"\n{_counts(lines)}")


def _told(line: Line) -> list[str]:
    mine = line.kept.get("kagglekit", {})
    said = [f"  {way}: {'failed: ' + line.kept[way]['failed'] if line.kept[way].get('failed') else line.kept[way]['told']}"
            for way in WAYS if way in line.kept]
    said += [f"  kk advised to submit {mine['advised']} alone"] if mine.get("advised") else []
    said += [f"  kk {mine['explored']}"] if mine.get("explored") else []
    return said + [f"  kk {step['step']}: {step['why']}" for step in mine.get("steps", ()) if step["why"] and not mine.get("failed")]


def _line(folder: Path, slug: str, source: Path | None) -> Line:
    contest = made(folder / "workspace", slug, source)
    kept = {way: json.loads((folder / f"{way}.json").read_text(encoding="utf-8")) for way in WAYS if (folder / f"{way}.json").exists()}
    files = {way: folder / f"{way}.csv" for way, found in kept.items() if not found.get("failed")}
    if kept.get("kagglekit", {}).get("advised"):
        files["advised"] = folder / "advised.csv"
    try:
        noise = private_noise(contest, files) if files else {}
    except KKError as error:
        print(f"{slug}: no standard errors: {error.what}")
        noise = {}
    return Line(slug, contest, kept, scores_of(contest, files), noise, board_of(source))


def _private(line: Line) -> tuple[str, ...]:
    scores = {way: line.scores[way][1] for way in WAYS if way in line.scores}
    best = max(scores, key=lambda way: line.sign * scores[way], default="")
    gains = [f"{line.in_se(other):+.1f} SE" if line.in_se(other) is not None else "" for other in ("autogluon", "lightgbm")]
    taken = "/".join(f"{line.kept[way]['seconds']:.0f}" if way in line.kept else "-" for way in WAYS)
    memory = "/".join(f"{line.kept[way]['mb'] / 1024:.1f}" if way in line.kept else "-" for way in WAYS[:2])
    advised = _score(line.scores["advised"][1]) if "advised" in line.scores else ""
    mine, *others = (_score(scores.get(way)) for way in WAYS)
    return (line.slug, line.contest.metric, mine, advised, *others, best, *gains, taken, memory)


def _trust(line: Line) -> tuple[str, ...]:
    mine = line.kept.get("kagglekit", {})
    local = "" if mine.get("local") is None else f"{mine['local']:.5f} ± {mine.get('local_se') or 0:.5f}"
    public, private = line.scores.get("kagglekit", (None, None))
    places = [line.board.place(line.scores[way][1], line.sign) if way in line.scores else "" for way in WAYS[:2]]
    medals = [f"{line.board.lines[name]:g}" if name in line.board.lines else "" for name in ("gold", "silver", "bronze")]
    return (line.slug, local, _score(public), _score(private), "" if line.off is None else f"{line.off:+.1f} SE", *places, *medals)


def _counts(lines: list[Line]) -> str:
    said = []
    for other, words, ties in (("autogluon", "at least AutoGluon's", True), ("lightgbm", "better than LightGBM's defaults", False)):
        gains = [gain for line in lines if (gain := line.gain(other)) is not None]
        clear = [se for line in lines if (se := line.in_se(other)) is not None]
        good = sum(gain > 0 or (ties and gain == 0) for gain in gains)
        said.append(f"private score {words} on {good} of {len(gains)} (beyond {CLEAR:g} SE: better on {sum(se >= CLEAR for se in clear)}, "
                    f"worse on {sum(se <= -CLEAR for se in clear)})" if gains else f"{words}: nothing to compare with")
    advised = [gain for line in lines if (gain := line.gain("autogluon", "advised" if "advised" in line.scores else "kagglekit")) is not None]
    if any("advised" in line.scores for line in lines) and advised:
        said.append(f"following kk's advice of what to submit: at least AutoGluon's on {sum(gain >= 0 for gain in advised)} of {len(advised)}")
    off = [abs(line.off) for line in lines if line.off is not None]
    if off:
        said.append(f"local estimate within {CLEAR:g} SE of the private score on {sum(one <= CLEAR for one in off)} of {len(off)}")
    if any(line.board.split_anew for line in lines):
        said.append("~: the test rows or their public part are not Kaggle's own, so that the place is a guide")
    return "\n".join(said)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.5f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
