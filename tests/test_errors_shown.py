"""Pictures and sentences of an ensemble, the rows that are hard for all, and kk ensemble as a person sees it."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.diversity import ErrorCorrelation, error_correlation
from kagglekit.errors import KKError
from kagglekit.marginal import Marginal, marginal
from kagglekit.metrics import check_metric
from kagglekit.run import Run, Score
from kagglekit.work import evidence, findings
from kagglekit.work.ensemble_words import expected_public, told, words
from kagglekit.work.hard_rows import hard_rows, hardness
from kagglekit.work.plot_errors import heat_lines, heat_map, shown_models
from kagglekit.work.slices import slices
from tests.conftest import Ran, copied

RMSE = check_metric("rmse")


def alike(models: int, rows: int = 400) -> ErrorCorrelation:
    """Errors in four families."""
    random = np.random.default_rng(0)
    family = random.normal(size=(4, rows))
    return error_correlation(np.zeros(rows), family[np.arange(models) % 4] + 0.5 * random.normal(size=(models, rows)), "rmse")


@pytest.mark.parametrize("models", [2, 3, 9, 12, 13, 25, 40, 60, 130])
def test_the_heat_map_fits_the_terminal_and_puts_families_side_by_side(models: int) -> None:
    found, names = alike(models), [f"r{number}" for number in range(models)]
    lines = heat_lines(found, names)
    assert max(map(len, lines)) <= 78 and len(lines) == min(models, 60) + 1
    shown = shown_models(found, names)[0]
    families = [model % 4 for model in shown]
    assert sum(one != other for one, other in itertools.pairwise(families)) == min(models, 4) - 1
    if models > 60:
        more = [int(line.split()[1][1:]) for line in lines if line.split()[1].startswith("+")]
        assert sum(more) == models - 60


def test_numbers_and_shades_say_what_the_matrix_says() -> None:
    found = alike(3)
    lines = heat_lines(found, ["r1", "a-name-that-is-far-too-long", "r3"])
    assert f"{found.matrix[0, 2]:.3f}" in "".join(lines) and "a-name-that-i…" in "".join(lines)
    shaded = heat_lines(alike(20), [f"r{number}" for number in range(20)])
    assert "█" in shaded[0] and "from" in shaded[-1]


@pytest.mark.parametrize("models", [2, 12, 70])
def test_the_picture_is_a_png(models: int, tmp_path: Path) -> None:
    found, effects = alike(models), [Marginal(number, 0.1, -0.1, 0.3, "undecided") for number in range(min(models, 12))]
    heat_map(found, [f"r{number}" for number in range(models)], tmp_path / "errors.png", effects if models == 12 else ())
    assert (tmp_path / "errors.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def runs(scores: Sequence[float]) -> list[Run]:
    return [Run(id=f"r{number + 1}", name=f"m{number}", kind="train", score=Score(mean=score)) for number, score in enumerate(scores)]


def test_sentences_name_copies_and_what_is_weaker_but_different() -> None:
    random = np.random.default_rng(0)
    y, shared, own = random.normal(size=4000), *random.normal(size=(2, 4000))
    oof = np.stack([y + 0.5 * shared, y + 0.5 * shared + 0.01 * random.normal(size=4000), y + 0.6 * own, y + 6 * random.normal(size=4000)])
    folds = np.arange(4000) % 5
    members = runs([float(np.sqrt(((one - y) ** 2).mean())) for one in oof])
    text = words(error_correlation(y, oof, "rmse"), marginal(y, oof, folds, "rmse", "mean"), members, RMSE)
    assert any(line.startswith("r1 and r2 make the same errors (1.000): one of them is enough, r1 scores better") for line in text)
    assert any(line.startswith("r3 is weaker but different: it adds 0.") and " ± 0." in line for line in text)
    assert any(line.startswith("r4 harms: without it the blend is better by") for line in text)
    assert text[0].startswith("the mean of these 4 runs varies like that of ")


def test_a_run_without_a_weight_is_told_why() -> None:
    random = np.random.default_rng(0)
    y, shared = random.normal(size=(2, 4000))
    oof = np.stack([y + 0.5 * shared, y + 0.5 * random.normal(size=4000), y + 0.9 * shared + 0.3 * random.normal(size=4000)])
    text = words(error_correlation(y, oof, "rmse"), (), runs([0.5, 0.5, 0.95]), RMSE, np.array([1.0, 0.0, 0.0]))
    assert [line.split(":")[0] for line in text if "no place" in line] == ["r3 has no place"]


def test_direction_is_the_metrics_business() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 500)
    p = np.clip(y + random.normal(scale=0.4, size=(2, 500)), 0.01, 0.99)
    p[1] = np.clip(p[0] + 1e-5, 0, 1)
    found = error_correlation(y, p, "auc")
    text = words(found, (), runs([0.8, 0.9]), check_metric("auc"))
    assert any("r2 scores better" in line for line in text)
    assert any("r1 scores better" in line for line in words(found, (), runs([0.8, 0.9]), replace(check_metric("auc"), greater_is_better=False)))


def test_values_are_told_to_two_digits_of_their_error() -> None:
    assert (told(0.00123, 0.00041), told(1234.5, 41.0), told(-0.5, 0.012)) == ("0.00123 ± 0.00041", "1234 ± 41", "-0.500 ± 0.012")


@pytest.mark.parametrize("metric", ["rmse", "auc", "logloss", "mlogloss"])
def test_rows_where_all_are_wrong_are_found_with_the_column_that_singles_them_out(metric: str) -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"noise": random.normal(size=3000), "site": random.choice(["a", "b", "c", "d", "e"], 3000), "age": random.uniform(0, 80, 3000)})
    y = random.integers(0, 2, 3000)
    odd = (X["site"] == "d").to_numpy() & (random.random(3000) < 0.7)
    seen = np.where(odd, 1 - y, y) + random.normal(scale=0.15, size=(3, 3000))
    oof = seen if metric == "rmse" else 1 / (1 + np.exp(-4 * (seen - 0.5)))
    oof = np.stack([1 - oof, oof], axis=2) if metric == "mlogloss" else oof
    found = hard_rows(y, oof, X, check_metric(metric))
    assert [one.where for one in found.slices] == ["site = d"]
    worst = found.slices[0]
    assert worst.share == pytest.approx((X["site"] == "d").mean()) and worst.hard > 3 * worst.hard_overall and worst.p < 1e-6
    assert worst.error > 2 * worst.error_overall and 0 < worst.se < 0.06
    assert odd[list(found.rows)].mean() > 0.9 and len(found.rows) == 20


def test_columns_that_say_nothing_are_seldom_named() -> None:
    named = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = 300 if seed % 2 else 1500
        X = pd.DataFrame({f"c{number}": random.normal(size=rows) for number in range(15)} | {"k": random.choice(list("abcdefgh"), rows)})
        named += bool(slices(X, (random.random(rows) < 0.1).astype(float), random.random(rows)))
    assert named <= 5  # 2 are expected of 40 at the level .05


def test_gaps_dates_rare_levels_and_constant_columns_are_taken_as_they_are() -> None:
    random = np.random.default_rng(0)
    rows = 2000
    X = pd.DataFrame({"same": 1, "when": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(rows) % 300, unit="D"),
                      "id": [f"u{number}" for number in range(rows)], "gap": np.where(np.arange(rows) % 7 == 0, np.nan, random.normal(size=rows))})
    hard = (random.random(rows) < np.where(X["gap"].isna(), 0.5, 0.05)).astype(float)
    assert [one.where for one in slices(X, hard, hard)] == ["gap has no value"]
    late = ((X["when"].dt.month == 3) & (random.random(rows) < 0.6)).to_numpy().astype(float)
    assert [one.where for one in slices(X, late, late)] == ["when = 2025-03"]


def test_a_slice_of_few_groups_is_not_trusted() -> None:
    random = np.random.default_rng(0)
    groups = np.arange(3000) // 300  # ten groups; the column and the target follow them, not each other
    X = pd.DataFrame({"x": random.permutation(10)[groups] + 0.01 * random.normal(size=3000)})
    hard = (random.random(3000) < random.permutation(np.linspace(0, 0.3, 10))[groups]).astype(float)
    assert slices(X, hard, hard) and not slices(X, hard, hard, groups)


def test_wrong_is_a_side_that_calls_as_many_positive_as_there_are() -> None:
    y = np.array([0] * 8 + [1, 1])
    good, bad = np.arange(10) / 100, np.array([9, 1, 2, 3, 4, 5, 6, 7, 0, 8]) / 100
    found = hardness(y, np.stack([good, bad]), check_metric("auc"))
    assert not found.hard.any() and found.error[[0, 8]].tolist() == [0.5, 0.5]
    assert hardness(y, bad[None], check_metric("auc")).hard.nonzero()[0].tolist() == [0, 8]


def test_lists_quantiles_and_several_targets_have_hard_rows_too() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 4, 200)
    scores = np.eye(4)[y] + random.normal(size=(2, 200, 4))
    missed = (scores.argmax(axis=2) != y).all(axis=0)
    assert np.array_equal(hardness(y, scores, check_metric("map@3")).hard, missed)
    assert np.array_equal(hardness(np.column_stack([y, y - 9]), np.argsort(-scores, axis=2), check_metric("map@3")).hard, missed)
    pairs = random.normal(size=(2, 200, 2))
    for metric, truth, oof in (("pinball@0.1,0.9", pairs[0, :, 0] - 1, pairs), ("mcrmse", -pairs[0], pairs), ("rmsle", y, np.abs(pairs[:, :, 0]))):
        found = hard_rows(truth, oof, None, check_metric(metric))
        assert 0 < found.share <= 0.11 and found.slices == ()


def test_kk_ensemble_shows_errors_sentences_and_a_picture(small: Path, kk: Callable[..., Ran]) -> None:
    kagglekit.cv(split="stratified", n=4)
    for model in ("linear", "tree", "forest"):
        kagglekit.train(model)
    ran = kk("ensemble", "--blend", "mean", "--json")
    record = ran.json
    errors = record["errors"]
    assert errors["measure"] == "rank residuals" and sorted(errors["runs"]) == ["r1", "r2", "r3"]
    assert np.shape(errors["matrix"]) == (3, 3) and {"n_eff", "near_copies", "clusters", "participation_ratio", "ambiguity"} <= set(errors)
    assert len(record["marginal"]) == 3 and errors["hard_rows"] and 0 < errors["hard_share"] < 0.5
    assert Path(record["picture"]).read_bytes().startswith(b"\x89PNG")
    text = kk("ensemble", "--blend", "mean").out
    assert "the mean of these 3 runs varies like that of" in text and max(map(len, text.splitlines())) <= 80


def test_labels_are_compared_as_the_blend_decides_them(workspace: Path, small_arena: Path, kk: Callable[..., Ran]) -> None:

    copied(small_arena, workspace / "arena")
    kagglekit.join("small-accuracy", practice=True)
    kagglekit.cv(split="stratified", n=4)
    for model in ("linear", "tree"):
        kagglekit.train(model)
    errors = json.loads(kk("ensemble", "--json").out)["errors"]
    assert errors["measure"] == "phi of wrong" and 0 < errors["matrix"][0][1] < 1
    assert errors["double_fault"][0][0] < 0.3 and errors["disagreement"][0][0] == 0


@pytest.mark.parametrize(("state", "said"), [
    ("tracks", ["public score to expect: 0.820 ± 0.011 (the nested score +0.02, which the public scores of 5 models of kfold5 are off)"]),
    ("does-not-track", ["no public score can be expected of 0.80000: kfold5 does not track the leaderboard"]),
    ("cannot-tell", []), ("refused", []),
])
def test_the_public_score_to_expect_follows_from_the_verdict(state: str, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def gather(*given: object) -> object:
        if state == "refused":
            raise KKError("no submission was scored", "kk submit r1")
        return SimpleNamespace(models=(1, 2, 3, 4, 5))

    monkeypatch.setattr(evidence, "gather", gather)
    monkeypatch.setattr(findings, "find", lambda found: SimpleNamespace(state=state))
    monkeypatch.setattr(findings, "offset", lambda found: {"value": 0.02, "se": 0.011})
    assert expected_public(SimpleNamespace(), SimpleNamespace(name="kfold5"), 0.8) == said
    assert expected_public(SimpleNamespace(), SimpleNamespace(name="kfold5"), None) == []
