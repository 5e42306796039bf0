"""kk final: the picks, what they rest on, and what may not enter; with real submissions to the arena and with tables."""

import math
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit import agreement
from kagglekit.run import Submission
from kagglekit.store import write_text
from kagglekit.work.finals import board_outlook, board_scores, case_of, case_of_table, chance, choose
from tests.conftest import Ran
from tests.duel import Played

Kk = Callable[..., Ran]


@pytest.fixture
def played(workspace: Path) -> Played:
    return Played(workspace)


def test_the_picks_are_submissions_that_the_arena_takes_as_final(played: Played, kk: Kk) -> None:
    kagglekit.submit_zeros()
    ids = [played.add(f"m{number}", noise, seed=number) for number, noise in enumerate((1.0, 1.2, 3.0))]
    played.add("never-sent", 0.1, seed=7)
    played.submit(*ids)
    told = kk("final", "--json").json
    assert [pick["run"] for pick in told["picks"]] == ids[:2] and all(pick["why"] for pick in told["picks"])
    assert 0 <= told["regret"] <= min(told["regret_of"].values()) + 1e-3 and 0 < told["p_best"] <= 1
    assert {one["run"] for one in told["candidates"]} == set(ids), "zeros and what was never sent are no candidates"
    assert len(told["p_order"]) == 3 and all(0 <= one["p"] <= 1 for one in told["p_order"])
    shown = kk("final", "--no-sync")
    assert max(map(len, shown.out.splitlines())) <= 80 and "picture: " in shown.out
    assert (played.store.reports / "final.png").read_bytes().startswith(b"\x89PNG")
    command = shown.out.splitlines()[-1].removeprefix("next: kk ")
    assert command == f"arena pick duel {told['picks'][0]['ref']} {told['picks'][1]['ref']}"
    assert sorted(kk(*command.split(), "--json").json["refs"]) == sorted(int(pick["ref"]) for pick in told["picks"])
    kagglekit.arena_close("duel")
    ended = kagglekit.final()
    assert ended.next == "kk review" and "the deadline is over, what is selected stands" in ended.warnings


def test_near_copies_are_never_picked_together_and_a_run_counts_once(played: Played) -> None:
    first, copy, other = played.add("first", 1.0), played.add("copy", 1.0001), played.add("other", 2.0, seed=3)
    played.submit(first, copy, other, other)
    found = kagglekit.final(sync=False)
    runs = {pick["run"] for pick in found.picks}
    assert other in runs and len(runs & {first, copy}) == 1 and len(found.candidates) == 3
    assert any("near copy" in line for line in found.warnings)
    assert found.regret < 1e-3, "what a near copy would have brought is no loss"


def test_a_submission_made_elsewhere_is_a_candidate_by_its_public_score_alone(played: Played) -> None:
    played.submit(played.add("one", 1.0), played.add("two", 2.0, seed=1))
    played.store.new_submission(lambda number: Submission(number, file="notebook.csv", ref="77", status="complete", public=0.999, shown="0.999"))
    found = kagglekit.final(sync=False)
    assert "77" in {pick["ref"] for pick in found.picks}
    picked = next(pick for pick in found.picks if pick["ref"] == "77")
    assert picked["cv"] is None and "no local score" in str(picked["why"])


def test_one_submission_and_none(played: Played, kk: Kk) -> None:
    assert kk("final").error == "Error: no submission to duel has a public score yet. Submit a run: kk submit RUN; or fetch: kk submissions"
    kagglekit.submit_zeros()
    told = kk("final", "--json").json
    assert [pick["name"] for pick in told["picks"]] == ["zeros"] and told["regret"] == 0
    assert any("only 1 of 2" in line for line in told["warnings"])
    assert kk("final", "-n", 0).error == "Error: 0 submissions cannot be picked. Give at least one: kk final -n 2"
    hidden = played.store.all_submissions()[0]
    played.store.write_submission(replace(hidden, public=None, shown=""))
    assert kk("final", "--no-sync").error == "Error: the board of duel is hidden: no submission has a public score. Choose by local scores: kk runs"
    played.store.write_submission(hidden)
    assert "no folds are called 'none'" in kk("final", "--folds", "none").error


def test_the_board_tells_where_one_may_end(played: Played) -> None:
    played.submit(played.add("one", 1.0), played.add("two", 1.5, seed=1), played.add("three", 2.0, seed=2))
    case = case_of(played.store)
    best = float(case.public.max())
    near = np.sort(np.r_[np.linspace(best - 0.05, best + 0.05, 59), best])[::-1]
    write_text(played.store.leaderboard / "2999-01-01T000000Z.csv", "rank,team,score\n" + "".join(f"{k},t{k},{x}\n" for k, x in enumerate(near, 1)))
    outlook = board_outlook(case, board_scores(played.store))
    assert outlook is not None and outlook.place == 1 + int((near > best).sum())
    assert outlook.low < outlook.place < outlook.high and 0 < outlook.noise_share < 0.5
    assert board_outlook(case, [best + 0.1, best + 0.2]).place is None, "behind the part of the board that is kept"
    assert board_outlook(case, []) is None


def a_table(folder: Path, name: str = "table.csv", **columns: object) -> Path:
    random = np.random.default_rng(5)
    true = random.normal(0.8, 0.02, 12)
    table = pd.DataFrame({"model": [f"m{number}" for number in range(12)], "cv": true + random.normal(0, 0.01, 12),
                          "public": true + random.normal(0, 0.01, 12), "private": true})
    table.assign(**columns).to_csv(folder / name, index=False)
    return folder / name


def test_a_table_with_a_metric_of_its_own_and_a_strange_name_is_read_again_by_the_next_command(tmp_path: Path, kk: Kk) -> None:
    table = a_table(tmp_path, "my table.csv")
    following = kk("lbcheck", "--table", table, "--metric", "mine", "--direction", "higher", "--json").json["next"]
    assert "--direction higher" in following
    ran = kk(*shlex.split(following)[1:], "--json")
    assert ran.code == 0 and len(ran.json["picks"]) == 2, ran.err
    assert "mine" in ran.json["next"] and kk(*shlex.split(ran.json["next"])[1:]).code == 0
    for rows in (0, -5):
        assert f"--n-public {rows} is no number of rows" in kk("final", "--table", table, "--metric", "auc", "--n-public", rows).error


def test_a_table_works_outside_a_competition_and_its_private_column_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Kk) -> None:
    monkeypatch.chdir(tmp_path)
    table = a_table(tmp_path)
    told = kk("final", "--table", table, "--metric", "auc", "--json")
    assert told.code == 0, told.err
    frame = pd.read_csv(table)
    rows = agreement.final_picks(frame["cv"].to_numpy(), frame["public"].to_numpy(), True)
    assert [pick["run"] for pick in told.json["picks"]] == [f"m{row}" for row in rows], "without standard errors the safe rule decides"
    turned = a_table(tmp_path, "turned.csv", private=frame["private"].to_numpy()[::-1])
    assert kk("final", "--table", turned, "--metric", "auc", "--json").json["picks"] == told.json["picks"]
    shown = kk("final", "--table", table.name, "--metric", "auc", "-n", 3).out
    assert max(map(len, shown.splitlines())) <= 80 and "pick 3: " in shown
    assert kk("final", "--table", table).error.startswith("Error: a table has no metric of its own. Name it: kk final --table")


def test_the_direction_is_the_metrics_business(tmp_path: Path) -> None:
    frame = pd.read_csv(a_table(tmp_path))
    losses = a_table(tmp_path, "losses.csv", cv=1 - frame["cv"], public=1 - frame["public"])
    up, down = (kagglekit.final(table=path, metric=metric) for path, metric in ((tmp_path / "table.csv", "auc"), (losses, "logloss")))
    assert [one["run"] for one in up.picks] == [one["run"] for one in down.picks]
    assert math.isclose(up.regret, down.regret, rel_tol=0.05)


def test_a_model_without_cv_is_a_candidate_and_own_errors_count(tmp_path: Path) -> None:
    frame = pd.read_csv(a_table(tmp_path))
    cv = frame["cv"].where(frame.index != 4)
    public = frame["public"].where(frame.index != 4, 0.99)
    table = a_table(tmp_path, "gap.csv", cv=cv, public=public)
    assert "m4" in {one["run"] for one in kagglekit.final(table=table, metric="auc").picks}
    sure = case_of_table(a_table(tmp_path, "sure.csv", cv_se=0.0001), "auc", 200)
    assert sure.se_cv is not None and sure.se_lb is not None
    assert choose(sure, 1).picks == (int(frame["cv"].argmax()),), "a sure local score is believed over 200 public rows"


def test_a_chance_is_never_certain() -> None:
    assert [chance(value) for value in (1.0, 0.0, 0.345)] == ["> .99", "< .01", "0.34"]
