"""One's place on the leaderboard: a snapshot of the board with each sync, and the history of the own rank."""

import csv
import io
import json
from pathlib import Path

from kagglekit.remote import Remote
from kagglekit.run import now
from kagglekit.store import Store, write_text

PLACES = 100


def keep_standing(store: Store, remote: Remote) -> dict[str, object] | None:
    """Keep the board's first places as leaderboard/<utc>.csv and the own place in leaderboard/own.jsonl; gives the own place."""
    moment, text = now(), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "team", "score"])
    table.writerows((rank, *place) for rank, place in enumerate(remote.leaderboard(store.competition.slug, most=PLACES), start=1))
    write_text(store.leaderboard / f"{moment[:19].replace(':', '')}Z.csv", text.getvalue())
    contest = remote.competition(store.competition.slug)
    if not contest.rank:
        return None
    line = {"date": moment, "rank": contest.rank, "teams": contest.teams}
    lines = standing_history(store)
    if not lines or (lines[-1]["rank"], lines[-1]["teams"]) != (line["rank"], line["teams"]):
        write_text(_own(store), "".join(json.dumps(one) + "\n" for one in (*lines, line)))
    return line


def standing_history(store: Store) -> list[dict[str, object]]:
    """Every change of the own place, oldest first: date, rank, teams; lines that cannot be read are passed over."""
    if not _own(store).exists():
        return []
    lines = []
    for text in _own(store).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return [line for line in lines if {"date", "rank", "teams"} <= set(line)]


def _own(store: Store) -> Path:
    return store.leaderboard / "own.jsonl"


def plot_standing(store: Store) -> Path | None:
    """reports/rank.png: the own place over time as the share of teams ahead, best at the top; None before there are two points."""
    import datetime

    from matplotlib.figure import Figure

    lines = standing_history(store)
    if len(lines) < 2:
        return None
    when = [datetime.datetime.fromisoformat(str(line["date"])) for line in lines]
    share = [100 * int(str(line["rank"])) / max(int(str(line["teams"])), 1) for line in lines]
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.step(when, share, where="post", color="#1f6f8b", linewidth=2)
    axes.plot(when, share, "o", color="#1f6f8b", markersize=5)
    axes.annotate(f"{lines[-1]['rank']} of {lines[-1]['teams']}", (when[-1], share[-1]), textcoords="offset points", xytext=(-6, 8), ha="right")
    axes.set(title=f"{store.competition.slug}: place on the public leaderboard", ylabel="place, % of teams (best at the top)")
    axes.set_ylim(max(100.0, max(share)), 0)
    axes.grid(axis="y", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    figure.autofmt_xdate()
    store.reports.mkdir(parents=True, exist_ok=True)
    target = store.reports / "rank.png"
    figure.savefig(target, dpi=130)
    return target
