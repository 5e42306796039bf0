"""kk tune: the defaults first, the same run as kk train would give, an honest gain, and searches that outlive a kill and share a study."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kagglekit
from kagglekit.errors import KKError
from kagglekit.metrics import check_metric
from kagglekit.store import open_store
from kagglekit.work.optimism import Case, optimism, scores_of
from kagglekit.work.pruning import Rival, chance, is_behind, rival_of
from kagglekit.work.space import space_of
from tests.conftest import Ran

LINEAR = "[space]\nalpha = { low = 0.01, high = 100.0, log = true }\n"
BOOSTED = ("[space]\nnum_leaves = { low = 3, high = 15 }\nlearning_rate = { low = 0.05, high = 0.3, log = true }\n"
           "max_bin = { choices = [63, 255] }\n")
QUICK = {"max_rounds": 30, "patience": 10}


@pytest.fixture
def folds(small: Path) -> str:
    return kagglekit.cv(split="stratified", n=4).folds


@pytest.fixture
def linear(workspace: Path) -> str:
    (workspace / "linear-space.toml").write_text(LINEAR)
    return "linear-space.toml"


@pytest.fixture
def boosted(workspace: Path) -> str:
    (workspace / "lgbm-space.toml").write_text(BOOSTED)
    return "lgbm-space.toml"


def trials_of(storage: str | None = None) -> list:
    """Optuna's own view of the one study in a database."""
    import optuna

    url = storage or f"sqlite:///{open_store().folder / 'tune' / 'studies.db'}"
    found = optuna.get_all_study_names(url)
    return optuna.load_study(study_name=found[0], storage=url).trials


def test_the_best_trial_is_the_run_that_kk_train_gives(folds: str, boosted: str, kk: Callable[..., Ran]) -> None:
    ran = kk("tune", "lgbm", "--space", boosted, "--trials", 5, "--set", "max_rounds=30", "--set", "patience=10", "--json")
    record, store = ran.json, open_store()
    assert record["kind"] == "tune" and record["trials"] == 5 and record["rows_scored"] == 240 and record["next"] == f"kk submit {record['run']}"
    assert "no model was tried so far" in ran.err and any("kk explore" in line for line in record["warnings"])
    trials = trials_of()
    assert trials[0].user_attrs["defaults"] and trials[0].user_attrs["given"] == {}
    plain = kagglekit.train("lgbm", params=QUICK)
    assert trials[0].user_attrs["result"]["folds"] == pytest.approx(plain.score.per_fold, abs=1e-12)
    best = trials[record["best"]["trial"]]
    assert best.value == max(one.value for one in trials if one.state.name == "COMPLETE") == record["best"]["score"]
    assert record["score"]["per_fold"] == pytest.approx(best.user_attrs["result"]["folds"], abs=1e-12)
    trained = kagglekit.train("lgbm", params={**QUICK, **record["best_params"]})
    for name in ("oof", "test"):
        assert (store.array(store.run(trained.run), name) == store.array(store.run(record["run"]), name)).all()
    gaps = np.subtract(best.user_attrs["result"]["folds"], trials[0].user_attrs["result"]["folds"])
    assert record["gain"]["value"] == pytest.approx(gaps.mean())
    assert record["gain"]["se"] == pytest.approx(gaps.std(ddof=1) * np.sqrt(1 / 4 + 1 / 3))
    assert record["best"]["honest"] == pytest.approx(record["best"]["score"] - record["best"]["optimism"])
    assert record["gain"]["honest"] == pytest.approx(record["gain"]["value"] - record["best"]["optimism"])
    assert (store.folder / "reports" / "tune-lgbm.png").stat().st_size > 20_000
    assert store.run(record["run"]).notes["tune"]["trials"] == 5
    again = kk("tune", "lgbm", "--space", boosted, "--trials", 5, "--set", "max_rounds=30", "--set", "patience=10", "--json").json
    assert again["run"] == record["run"] and again["trials"] == 5  # there are enough: nothing is searched or trained again


def test_bins_are_made_once_for_each_setting_of_bins(folds: str, boosted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from kagglekit.models import lgbm

    made = []
    real = lgbm._binned
    monkeypatch.setattr(lgbm, "_binned", lambda table, target, params: (made.append(params.get("max_bin")), real(table, target, params))[1])
    kagglekit.tune("lgbm", space=boosted, trials=6, params=QUICK)
    searched = {one.params.get("max_bin") for one in trials_of() if not one.user_attrs.get("defaults")}
    assert len(searched) == 2
    assert len(made) <= 4  # the defaults, two settings, and the final run


def test_a_search_goes_on_to_the_same_end_and_fits_a_terminal(folds: str, linear: str, kk: Callable[..., Ran]) -> None:
    search = ("tune", "linear", "--space", linear, "--seed", 3)
    ran = kk(*search, "--trials", 4)
    assert ran.code == 0 and all(len(line) <= 80 for line in ran.out.splitlines())
    assert all(word in ran.out for word in ("best:", "defaults:", "gain:")) and ran.out.splitlines()[-1].startswith("next: kk ")
    assert kk(*search, "--trials", 2, "--storage", "parts.db").code == 0
    kk(*search, "--trials", 4, "--storage", "parts.db")
    whole, parts = trials_of(), trials_of("sqlite:///parts.db")
    assert [(one.params, one.value) for one in whole] == [(one.params, one.value) for one in parts]
    assert whole[0].params == {"alpha": 1.0} and len({one.params["alpha"] for one in whole}) == 4


def test_ctrl_c_hands_the_trial_back(folds: str, linear: str, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    from kagglekit.work.trial import Ground

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ground, "run", stopped)
        assert kk("tune", "linear", "--space", linear, "--trials", 2).code == 130
    assert kk("tune", "linear", "--space", linear, "--trials", 2, "--json").json["failed"] == 1
    states = [(one.state.name, bool(one.user_attrs.get("defaults"))) for one in trials_of()]
    assert states == [("FAIL", True), ("COMPLETE", True), ("COMPLETE", False)]


@pytest.mark.slow
def test_a_trial_that_a_killed_process_left_is_run_again(folds: str, workspace: Path, kk: Callable[..., Ran], kk_process) -> None:
    (workspace / "slow.py").write_text(
        "import time\nfrom pathlib import Path\nfrom sklearn.linear_model import LogisticRegression\n"
        "class Slow(LogisticRegression):\n"
        "    def fit(self, X, y):\n"
        "        Path('marks').mkdir(exist_ok=True); Path(f'marks/{time.time_ns()}').touch()\n"
        "        if len(list(Path('marks').iterdir())) == 7: time.sleep(60)\n"
        "        return super().fit(X, y)\n"
        "model = Slow()\n")
    (workspace / "slow.toml").write_text("C = { low = 0.1, high = 10.0 }\n")
    command = ("tune", "slow.py:model", "--space", "slow.toml", "--trials", 3)
    process = kk_process(*command)
    for _ in range(1200):
        if (workspace / "marks").exists() and len(list((workspace / "marks").iterdir())) >= 7:
            break
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=20)
    assert [one.state.name for one in trials_of()] == ["COMPLETE", "RUNNING"]
    ran = kk(*command, "--json")
    assert ran.code == 0 and ran.json["trials"] == 3 and "1 trial was left unfinished by a process that is gone: run again" in ran.err
    trials = trials_of()
    assert trials[1].state.name == "FAIL" and trials[2].user_attrs["left"] == 1 and trials[2].params == trials[1].params


@pytest.mark.slow
def test_two_processes_share_one_study(folds: str, linear: str, kk: Callable[..., Ran], kk_process) -> None:
    command = ("tune", "linear", "--space", linear, "--trials", 8, "--json", "-q")
    both = [kk_process(*command) for _ in range(2)]
    told = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    first, second = (json.loads(out) for out, _ in told)
    trials = trials_of()
    assert len({one.user_attrs["process"]["pid"] for one in trials}) == 2
    assert sum(bool(one.user_attrs.get("defaults")) for one in trials) == 1 and trials[0].user_attrs["defaults"]
    assert 8 <= len(trials) <= 9 and all(one.state.name in ("COMPLETE", "PRUNED") for one in trials)
    assert len({tuple(one.params.values()) for one in trials}) == len(trials)  # no two draw the same
    assert first["best"]["score"] == second["best"]["score"]
    assert first["run"] == second["run"] and len([run for run in open_store().all_runs() if run.kind == "tune"]) == 1


def test_what_cannot_be_searched_is_refused_with_the_fix(folds: str, linear: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    def refused(text: str, *args: object) -> None:
        ran = kk("tune", *args)
        assert ran.code == 1 and text in ran.error, ran.error

    def spaced(text: str) -> str:
        (workspace / "odd.toml").write_text(text)
        return "odd.toml"

    refused("no model is called 'lgmb'. Did you mean lgbm", "lgmb")
    refused("--trials 0 tries nothing", "linear", "--trials", 0)
    refused("configs/constant.toml has no parameter to search", "constant")
    refused("all of alpha are set", "linear", "--space", linear, "--set", "alpha=2")
    refused("gone.toml cannot be read", "linear", "--space", "gone.toml")
    refused("alpha goes from 5 to 1", "linear", "--space", spaced("alpha = { low = 5, high = 1 }"))
    refused("alpha has 'lo', which the space of a parameter does not know. Did you mean low", "linear", "--space", spaced("alpha = { lo = 5 }"))
    refused("is searched when 'kind' has a value", "linear", "--space", spaced("alpha = { low = 1, high = 2, when = { kind = 1 } }"))
    refused("in a circle", "linear", "--space", spaced("a = { low = 1, high = 2, when = { b = 1 } }\nb = { low = 1, high = 2, when = { a = 1 } }"))
    refused("'soon' is no time", "linear", "--budget", "soon")
    refused("is a folder", "linear", "--storage", ".")
    refused("the database", "linear", "--storage", "sqlite:////nowhere/at/all.db")
    secret = kk("tune", "linear", "--storage", "postgresql://me:hunter2@localhost:1/x")
    assert secret.code == 1 and "hunter2" not in secret.err + secret.out
    refused("the first trial beside the defaults failed", "linear", "--space", spaced("depth = { low = 1, high = 9 }"), "--study", "odd")


def test_what_failed_first_is_mended_by_the_same_command(folds: str, linear: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    wrong = kk("tune", "linear", "--space", linear, "--trials", 2, "--set", "max_itre=50")
    assert wrong.code == 1 and "no parameter 'max_itre'" in wrong.error
    right = kk("tune", "linear", "--space", linear, "--trials", 2, "--json")
    assert right.code == 0 and right.json["trials"] == 2, right.err
    Path("mine.py").write_text("def fit_predict(fold, depth=1):\n    raise ValueError('not yet')\n")
    Path("depth.toml").write_text("[space]\ndepth = { low = 1, high = 9 }\n")
    search = ("tune", "mine.py:fit_predict", "--space", "depth.toml", "--trials", 2)
    failed = kk(*search)
    assert failed.code == 1 and "not yet" in failed.error and ", kk train --pdb stops there" in failed.error, "kk tune has no such option"
    Path("mine.py").write_text("import numpy as np\n\ndef fit_predict(fold, depth=1):\n"
                               "    return np.full(len(fold.valid), 0.4) + depth / 100, np.full(len(fold.X_test), 0.4)\n")
    mended = kk(*search, "--json")
    assert mended.code == 0 and mended.json["best"]["defaults"] == pytest.approx(0.5), mended.err


def test_grades_are_cut_as_kk_train_cuts_them(workspace: Path, kk: Callable[..., Ran]) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    pd.DataFrame({"x": x, "grade": np.clip(np.rint(2 + x + 0.5 * random.normal(size=400)), 0, 4).astype(int)}).to_csv("grades.csv", index=False)
    assert kk("arena", "create", "grades", "--train", "grades.csv", "--target", "grade", "--metric", "qwk").code == 0
    kagglekit.join("grades", practice=True)
    kagglekit.cv(split="stratified", n=3)
    found = kk("tune", "knn", "--trials", 1, "--json").json
    assert found["best"]["score"] == pytest.approx(found["score"]["mean"])


def test_a_study_of_something_else_is_refused(folds: str, linear: str, workspace: Path, kk: Callable[..., Ran]) -> None:
    search = ("tune", "linear", "--space", linear, "--trials", 2, "--study", "mine", "--storage", "all.db")
    assert kk(*search).code == 0
    assert "is on the share of rows 1, not 0.5. Begin another: kk tune MODEL --study NAME" in kk(*search, "--sample", 0.5).error
    assert "with the other parameters" in kk(*search, "--set", "max_iter=50").error
    kagglekit.cv(split="random", n=3)
    assert "is on the folds stratified4" in kk(*search).error
    kagglekit.join("small-logloss", practice=True)
    kagglekit.cv(split="stratified", n=4)
    assert "is of the competition small-auc, not small-logloss" in kk(*search).error
    mode = f"sqlite:///file:{workspace / 'all.db'}?mode=ro&uri=true"
    refused = kk("tune", "linear", "--space", linear, "--trials", 2, "--storage", mode)
    assert refused.code == 1 and "cannot be used: attempt to write a readonly database" in refused.error
    Path("broken.db").write_text("this is no database at all, only text of some length")
    assert "the database broken.db cannot be used" in kk("tune", "linear", "--space", linear, "--storage", "broken.db").error


def test_a_budget_ends_a_search_and_a_sample_leaves_rows_out(folds: str, linear: str, kk: Callable[..., Ran]) -> None:
    began = time.monotonic()
    record = kk("tune", "linear", "--space", linear, "--budget", "3s", "--sample", 0.5, "--json").json
    assert time.monotonic() - began < 30 and record["trials"] >= 1 and record["rows_scored"] == 120
    assert record["next"].startswith("kk train linear")


def space_file(folder: Path, text: str) -> str:
    (folder / "conditional.toml").write_text(text)
    return "conditional.toml"


def test_conditions_choose_what_is_searched(folds: str, workspace: Path) -> None:
    file = space_file(workspace, "[space]\nmax_depth = { low = 2, high = 4 }\ncriterion = { choices = ['gini', 'entropy'] }\n"
                                 "min_samples_leaf = { low = 1, high = 40, log = true, when = { criterion = 'entropy' } }\n")
    kagglekit.tune("tree", space=file, trials=8)
    trials = [one for one in trials_of() if not one.user_attrs.get("defaults")]
    assert {one.params["criterion"] for one in trials} == {"gini", "entropy"}
    assert all(("min_samples_leaf" in one.params) == (one.params["criterion"] == "entropy") for one in trials)
    assert trials_of()[0].params == {"max_depth": 4}


# The rule that stops trials


def test_trials_stop_when_they_will_hardly_win_and_seldom_when_they_would() -> None:
    random = np.random.default_rng(0)
    wrong = stopped = 0
    for _ in range(400):
        common, best = random.normal(size=5), 0.3
        finished = common + 0.2 * random.normal(size=(6, 5)) + np.r_[best, np.zeros(5)][:, None]
        rival = rival_of(finished.tolist(), 0)
        scores = common + 0.2 * random.normal(size=5) + 0.1 * random.normal()
        ends = next((k for k in range(1, 5) if is_behind(scores[:k].tolist(), rival)), 5)
        stopped += ends < 5
        wrong += ends < 5 and scores.mean() > rival.scores.mean()
    assert stopped > 200 and wrong < 0.05 * 400


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=4), st.floats(0.01, 1.0), st.floats(0.001, 0.5))
def test_a_better_trial_has_a_better_chance_and_one_ahead_is_never_stopped(scores: list[float], noise: float, step: float) -> None:
    rival = Rival(np.zeros(5), noise)
    assert chance([one + step for one in scores], rival) >= chance(scores, rival) - 1e-12
    ahead = [abs(one) for one in scores]
    assert not is_behind(ahead, rival)
    assert chance(scores, Rival(np.zeros(len(scores)), noise)) == 1.0  # at the end nothing is left to stop


# What of the best trial's score is luck


def equal_trials(trials: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.normal(size=rows)
    return y, y + 1.0 + 0.3 * random.normal(size=(trials, rows))


def test_the_optimism_of_equal_trials_is_what_the_best_is_ahead_by() -> None:
    found, true = [], []
    for seed in range(25):
        y, said = equal_trials(30, 400, seed)
        case = Case(check_metric("mse"), y, np.arange(400) % 5, np.arange(400), list(said))
        found.append(optimism(case).value)
        true.append(scores_of(case).max() - -(1.0 + 0.09))
    assert np.mean(found) == pytest.approx(np.mean(true), abs=4 * np.std(true) / 5)
    one = Case(check_metric("mse"), y, np.arange(400) % 5, np.arange(400), [said[0]])
    assert optimism(one).value == 0.0


@pytest.mark.parametrize(("metric", "method"), [("mse", "mean"), ("rmse", "influence"), ("auc", "influence"), ("accuracy", "mean")])
def test_the_fast_sums_agree_with_scoring_each_draw(metric: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    random, chosen = np.random.default_rng(1), check_metric(metric)
    y = random.normal(size=600)
    said = [y + (0.8 + 0.03 * k) * random.normal(size=600) for k in range(12)]
    if metric in ("auc", "accuracy"):
        y = (y > 0.3).astype(float)
    if metric == "accuracy":
        said = [(one > 0.3).astype(float) for one in said]
    case = Case(chosen, y, np.repeat(np.arange(3), 200), np.arange(600), said)
    fast = optimism(case)
    slow = optimism(replace(case, metric=replace(chosen, influence=None)))
    assert fast.method == method and slow.method == "exact"
    assert fast.gain == pytest.approx(slow.gain, abs=0.5 * scores_of(case).std())  # 100 draws beside 1000


def test_groups_are_drawn_whole() -> None:
    random = np.random.default_rng(2)
    group = np.arange(800) // 20
    y = np.zeros(800)
    said = [1.0 + 0.3 * random.normal(size=40)[group] + 0.05 * random.normal(size=800) for _ in range(20)]
    by_row, by_group = (optimism(Case(check_metric("mae"), y, group % 4, unit, said)).value for unit in (np.arange(800), group))
    assert by_group > 1.1 * by_row


def test_a_space_refuses_what_is_no_range() -> None:
    for entry in ({"low": 1}, {"low": "a", "high": "b"}, {"choices": []}, {"choices": [1], "low": 0}, {"low": 0, "high": 1, "log": True},
                  {"low": True, "high": False}, {"choices": [[1]]}, {"low": 1, "high": 2, "when": 3}):
        with pytest.raises(KKError):
            space_of({"a": entry}, {}, "x.toml")
