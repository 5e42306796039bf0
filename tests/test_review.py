"""kk review: what each way to choose gave, what may not enter, and the lesson; against the arena after its end."""

from collections.abc import Callable
from pathlib import Path

import pytest

import kagglekit
from kagglekit.work.lookback import Verdict, lesson, links_of, picked
from tests.conftest import Ran
from tests.duel import Played

Kk = Callable[..., Ran]


@pytest.fixture
def ended(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    """Four scored runs, the worst two chosen, and the end."""
    played = Played(workspace)
    runs = [played.add(f"m{number}", noise, seed=number) for number, noise in enumerate((0.8, 1.0, 2.5, 4.0))]
    played.submit(*runs)
    refs = {one.run: int(one.ref) for one in played.store.all_submissions()}
    kagglekit.arena_pick("duel", [refs[runs[2]], refs[runs[3]]])
    return played


def test_what_was_chosen_and_what_kk_final_would_have_chosen(ended: Played, kk: Kk) -> None:
    before = {pick["run"] for pick in kagglekit.final().picks}
    kagglekit.arena_close("duel")
    told = kk("review", "--json").json
    ways = {way["by"]: way for way in told["picks"]}
    assert list(ways) == ["chosen", "kk_final", "by_public", "by_local"]
    assert set(ways["kk_final"]["runs"]) == before, "the choice is the one that was told before the end"
    private = {row["run"]: row["private"] for row in told["rows"]}
    for way in ways.values():
        assert way["private"] == max(private[run] for run in way["runs"])
        assert way["lost"] == pytest.approx(max(private.values()) - way["private"], abs=1e-9)
    assert ways["chosen"]["lost"] > ways["kk_final"]["lost"]
    assert told["verdict"]["pairs"] == 6 and told["verdict"]["said"] in ("tracks", "cannot-tell")
    assert 1 <= len(told["lesson"]) <= 3 and any("it cost" in line for line in told["lesson"])
    shown = kk("review").out
    assert all(len(line) <= 80 or "https://" in line for line in shown.splitlines()) and "kk final: " in shown


def test_no_private_score_enters_the_choice(ended: Played) -> None:
    kagglekit.arena_close("duel")
    kagglekit.review()
    records = ended.store.all_submissions()
    private = {one.n: one.private for one in records if one.private is not None}
    turned = dict(zip(private, reversed(list(private.values())), strict=True))
    one, other = ({way["by"]: way["runs"] for way in picked(ended.store, scores, [], (), True)[0]} for scores in (private, turned))
    assert one == other and {"kk_final", "by_public", "by_local"} == set(one)


def test_a_late_submission_is_shown_and_counts_in_no_choice(ended: Played) -> None:
    kagglekit.arena_close("duel")
    late = ended.add("perfect", 0.01, seed=9)
    ended.submit(late)
    found = kagglekit.review()
    rows = {row["run"]: row for row in found.rows}
    assert rows[late]["late"] and rows[late]["private"] == max(row["private"] for row in found.rows)
    assert not any(late in way["runs"] for way in found.picks) and late not in {choice["run"] for choice in found.choices}


def test_nothing_but_zeros_leaves_little_to_say(workspace: Path) -> None:
    Played(workspace)
    kagglekit.submit_zeros()
    kagglekit.arena_close("duel")
    found = kagglekit.review()
    assert found.verdict is None and found.picks[0]["lost"] == 0 and found.orders == ()


def test_write_ups_come_first_and_all_by_votes(ended: Played, kk: Kk) -> None:
    kagglekit.arena_close("duel")
    links = kk("review", "--json").json["links"]
    assert [(link["kind"], link["title"]) for link in links[:4]] == [
        ("write-up", "Write-up: place 7"), ("write-up", "1st place solution"), ("discussion", "Is the cut random?"), ("discussion", "Thanks")]
    assert all("/duel/discussion/" in link["url"] for link in links[:4]) and "(55 votes)" in kk("review").out


def test_the_lesson_says_which_score_to_trust() -> None:
    def trust(public: int, local: int, verdict: Verdict | None = None) -> str:
        orders = [{"by": "public", "same": public, "pairs": 20}, {"by": "local", "same": local, "pairs": 20}]
        return lesson(orders, [], verdict, None, {}, "auc")[0]

    assert "the board was the better guide" in trust(18, 12) and "local scores were the better guide" in trust(12, 18)
    assert "as good a guide" in trust(15, 15) and "neither was a guide" in trust(6, 10)
    said = Verdict("random5", "tracks", "does-not-track", False, 3, 10)
    assert "random5 tracks; in private 3 of 10 pairs" in trust(18, 6, said) and "it was wrong" in trust(18, 6, said)
    assert "too few submissions" in lesson([], [], None, None, {}, "auc")[0]


def test_the_page_of_all_discussions_is_always_there() -> None:
    assert [link["url"] for link in links_of([], "https://www.kaggle.com/competitions/x")] == [
        "https://www.kaggle.com/competitions/x/discussion?sort=votes"]
