"""Families: what they learn, how their losses follow the metric, and what they refuse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kagglekit import testing
from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.metrics import check_metric
from kagglekit.models import family, presets
from kagglekit.models.family import check_model
from kagglekit.models.group_mean import GroupMean
from kagglekit.models.ordinal import grades
from kagglekit.models.problem import Problem
from kagglekit.models.quantiles import QuantileRidge, quantile_by_group
from kagglekit.testing import NoClock, fitted, small_problem

Array = np.ndarray
OURS = ("constant", "extra-trees", "forest", "group-mean", "hist-gbdt", "knn", "lgbm", "linear", "text-linear", "tree")
PRESETS = ("forest-smooth", "lgbm-dart", "lgbm-deep", "lgbm-goss", "lgbm-linear", "lgbm-shallow")


def one_fold(table: pd.DataFrame, target: Array, classes: tuple = (), test: pd.DataFrame | None = None) -> Fold:
    """Every third row is validated."""
    rows = np.arange(len(target))
    data = Data(table, target, target, table.head(9).reset_index(drop=True) if test is None else test, classes)
    return Fold(0, 0, rows[rows % 3 > 0], rows[rows % 3 == 0], data)


def numbers(metric: str) -> Problem:
    return Problem("regression", (), check_metric(metric))


def skewed(rows: int = 900, seed: int = 0) -> Fold:
    """A positive target with a long tail, a function of two columns."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(rows, 2)), columns=["a", "b"])
    return one_fold(table, np.exp(table["a"].to_numpy() + 0.5 * random.exponential(1, rows)))


def said(name: str, problem: Problem, fold: Fold, **params: object) -> Array:
    """Predictions of the validated rows."""
    model = check_model(name)
    few = {model.rounds: 40} if model.rounds else {"n_estimators": 60} if name in ("forest", "extra-trees") else {}
    full = presets.merged(model.name, {**few, **params}, model.rounds)
    if model.stage is None:
        return model.fit_predict(problem, full, 0, fold, NoClock())[0]
    stage = model.stage(problem, full, 0, fold, NoClock())
    stage.advance(40)
    return stage.predict(40, 0)[0]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_hold_the_contract(name: str) -> None:
    testing.check_model(name, "binary")


@pytest.mark.parametrize("name", OURS)
def test_odd_tables_are_survived(name: str) -> None:
    random = np.random.default_rng(0)
    words = [f"{' '.join(random.choice(testing.WORDS, 3))} {number}" for number in range(24)]
    nothing = pd.Series([None] * 24, dtype=object)
    for table in (pd.DataFrame({"x": np.where(np.arange(24) % 2, np.nan, 1.0)}), pd.DataFrame({"x": nothing, "y": np.full(24, np.nan)}),
                  pd.DataFrame({"x": ["a", "b", None] * 8})):
        table = table.assign(said=words) if name == "text-linear" else table
        for problem, target in ((Problem("binary", (0, 1), check_metric("auc")), np.arange(24) % 2), (numbers("mae"), random.normal(size=24))):
            valid, test = fitted(check_model(name), problem, one_fold(table, target, problem.classes))
            assert len(valid) == 8 and len(test) == 9 and np.isfinite(valid).all() and np.isfinite(test).all()


def test_a_table_without_text_is_told_to_take_another_model() -> None:
    with pytest.raises(KKError, match="this table has no column of text. Take linear"):
        said("text-linear", numbers("rmse"), skewed(60))


def test_text_is_learnt_from_words() -> None:
    random = np.random.default_rng(1)
    words = random.choice(testing.WORDS, (400, 5))
    target = (words == "storm").any(axis=1).astype(int)
    table = pd.DataFrame({"said": [f"{' '.join(row)} {number}" for number, row in enumerate(words)]})
    problem, fold = Problem("binary", (0, 1), check_metric("auc")), one_fold(table, target, (0, 1))
    assert check_metric("auc")(target[fold.valid], said("text-linear", problem, fold)) > 0.95


@pytest.mark.parametrize("name", [name for name in OURS if name not in ("constant", "text-linear")])
@pytest.mark.parametrize("metric", ["mae", "pinball@0.9"])
def test_losses_follow_the_metric_and_say_so(name: str, metric: str) -> None:
    fold, problem = skewed(), numbers(metric)
    truth = fold.data.target[fold.valid]
    own, plain = (check_metric(metric)(truth, said(name, one, fold)) for one in (problem, numbers("rmse")))
    assert own < plain, f"{own:.3f} with its own loss, {plain:.3f} with squared error"
    assert metric.partition("@")[0] in check_model(name).says(problem) and check_model(name).says(numbers("rmse")) == ""


@pytest.mark.parametrize("name", ["lgbm", "linear", "group-mean"])
def test_several_quantiles_are_a_column_each_in_rising_order(name: str) -> None:
    fold, problem = skewed(), numbers("pinball@0.1,0.5,0.9")
    values = said(name, problem, fold)
    assert problem.width == 3 and values.shape == (len(fold.valid), 3) and (np.diff(values, axis=1) >= 0).all()
    below = (fold.data.target[fold.valid][:, None] <= values).mean(axis=0)
    assert np.abs(below - [0.1, 0.5, 0.9]).max() < 0.1


@pytest.mark.parametrize("name", ["lgbm", "linear", "forest"])
def test_grades_are_learnt_as_numbers_and_cut_by_how_frequent_they_are(name: str) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(1200, 3)), columns=list("abc"))
    hidden = table["a"].to_numpy() + table["b"].to_numpy() + 0.8 * random.normal(size=1200)
    grade = np.digitize(hidden, [-2.2, 0.5, 2.0, 2.6])
    fold, problem = one_fold(table, grade, (0, 1, 2, 3, 4)), Problem("multiclass", (0, 1, 2, 3, 4), check_metric("qwk"))
    assert problem.ordinal and not replace(problem, metric=check_metric("kappa")).ordinal and not replace(problem, classes=("a", "b", "c")).ordinal
    values, plain = said(name, problem, fold), said(name, replace(problem, metric=check_metric("mlogloss")), fold)
    kappas = [problem.metric(grade[fold.valid], one.argmax(axis=1)) for one in (values, plain)]
    assert kappas[0] > kappas[1] and np.allclose(values.sum(axis=1), 1)
    shares = np.bincount(values.argmax(axis=1), minlength=5) / len(values)
    assert np.abs(shares - np.bincount(grade[fold.train]) / len(fold.train)).max() < 0.03
    assert "as frequent as in training" in check_model(name).says(problem)


def test_cuts_of_few_rows_are_those_of_more_rows() -> None:
    random = np.random.default_rng(0)
    target, others = np.repeat([0, 1, 2], [50, 30, 20]), random.normal(size=2000)
    cuts = np.quantile(others, [0.5, 0.8])
    values = np.array([cuts[0] - 0.1, cuts[0] + 0.1, cuts[1] + 0.1])
    assert grades(values, others, target, 3).argmax(axis=1).tolist() == [0, 1, 2]
    assert grades(values[:1], np.empty(0), target, 3).shape == (1, 3)


def test_weights_make_the_loss_that_of_the_metric() -> None:
    fold = skewed()
    for metric in ("mape", "rmspe"):
        own, plain = (check_metric(metric)(fold.data.target[fold.valid], said("linear", numbers(one), fold)) for one in (metric, "rmse"))
        assert own < plain


def test_the_quantile_of_a_linear_model_is_that_of_linear_programming() -> None:
    from sklearn.linear_model import QuantileRegressor

    random = np.random.default_rng(0)
    X = random.normal(size=(400, 3))
    y = X @ [1.0, -2.0, 0.5] + random.standard_t(2, size=400) * (1 + (X[:, 0] > 0))
    for quantile in (0.1, 0.5, 0.9):
        ours, theirs = QuantileRidge(quantile, 1e-9).fit(X, y), QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y)

        def loss(values: Array, quantile: float = quantile) -> float:
            return float(np.maximum(quantile * (y - values), (quantile - 1) * (y - values)).mean())

        assert loss(ours.predict(X)) < 1.002 * loss(theirs.predict(X))


def test_weighted_quantiles_by_group_are_those_of_repeated_rows() -> None:
    random = np.random.default_rng(0)
    codes, values, times = random.integers(0, 4, 60), random.normal(size=60), random.integers(1, 4, 60)
    found = quantile_by_group(codes, values, 5, 0.5, times.astype(float))
    each = [np.quantile(np.repeat(values[codes == code], times[codes == code]), 0.5, method="inverted_cdf") for code in range(4)]
    assert found[:4] == pytest.approx(each) and np.isnan(found[4])


def test_the_best_column_and_cut_are_found_inside_the_fold_and_told() -> None:
    random = np.random.default_rng(0)
    built = random.integers(1990, 2025, 900)
    price = np.where(built < 2010, 12.0, 45.0) + random.normal(size=900)
    table = pd.DataFrame({"noise": random.normal(size=900), "built": built, "plate": [f"p{number % 90}" for number in range(900)]})
    fold = one_fold(table, price)
    model = check_model("group-mean")
    words = model.chosen(numbers("rmse"), {"cuts": 40}, fold)
    assert words.startswith("built: before 2010 11.9") or words.startswith("built: before 2010 12"), words
    assert "from 2010 4" in words and words in model.chosen(numbers("rmse"), {"cuts": 40}, one_fold(table, np.where(fold.data.target > 0, price, 0)))
    others = price.copy()
    others[fold.valid] = random.normal(size=len(fold.valid)) * 1e3
    assert model.chosen(numbers("rmse"), {"cuts": 40}, one_fold(table, others)) == words


def test_a_column_of_many_levels_does_not_win_by_learning_its_rows_by_heart() -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"level": pd.Categorical([f"l{one}" for one in random.integers(0, 90, 900)]), "x": random.normal(size=900)})
    fitted_means = GroupMean(numbers("rmse"), {}, one_fold(table, 0.4 * table["x"].to_numpy() + random.normal(size=900)))
    assert fitted_means.grouping.column == "x"


def test_a_gap_is_a_group_of_its_own_and_levels_are_drawn_in_by_their_noise() -> None:
    random = np.random.default_rng(0)
    effect = random.normal(size=120)
    level = random.integers(0, 120, 1800)
    table = pd.DataFrame({"level": [None if one < 10 else f"l{one}" for one in level]})
    fold = one_fold(table, effect[level] + 3 * random.normal(size=1800))
    values = said("group-mean", numbers("rmse"), fold)
    truth = fold.data.target[fold.valid]
    frame = pd.DataFrame({"level": table["level"].fillna("gap"), "y": fold.data.target})
    plain = frame.loc[fold.valid, "level"].map(frame.loc[fold.train].groupby("level")["y"].mean())
    assert ((values - truth) ** 2).mean() < ((plain - truth) ** 2).mean() and len(np.unique(values[level[fold.valid] < 10])) == 1


def test_monotone_by_the_name_of_the_column() -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"size": random.uniform(size=600), "kind": random.choice(["a", "b"], 600), "age": random.uniform(size=600)})
    target = np.sin(9 * table["size"].to_numpy()) + table["size"].to_numpy() + 0.3 * random.normal(size=600)
    grid = pd.DataFrame({"size": np.linspace(0, 1, 50), "kind": "a", "age": 0.5})
    fold, model = one_fold(table, target, test=grid), check_model("lgbm")
    for asked, rises in (({"size": 1}, True), ("size:1, age:-1", True), (None, False)):
        params = presets.merged("lgbm", {"n_estimators": 60, **({"monotone": asked} if asked else {})}, "n_estimators")
        stage = model.stage(numbers("rmse"), params, 0, fold, NoClock())
        stage.advance(60)
        assert (np.diff(stage.predict(60)[1]) >= -1e-12).all() == rises
    for asked, says in (("siez:1", "Did you mean size"), ("kind:1", "no number but a category"), ("size:2", "has the direction '2'")):
        with pytest.raises(KKError, match=says):
            said("lgbm", numbers("rmse"), fold, monotone=asked)


def test_dart_predicts_after_fewer_rounds_what_it_would_have_grown_to() -> None:
    problem, data = small_problem("binary")
    rows = np.arange(len(data.y))
    fold, model, params = Fold(0, 0, rows[rows % 3 > 0], rows[rows % 3 == 0], data), check_model("lgbm-dart"), presets.defaults("lgbm-dart")
    long, short = (model.stage(problem, params, 0, fold, NoClock()) for _ in range(2))
    long.advance(25)
    short.advance(10)
    assert long.predict(10)[1].tobytes() == short.predict(10)[1].tobytes() and long.curve[:10] == short.curve


def test_targets_and_quantiles_of_a_grown_model_share_one_binned_table(monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    binned: list[int] = []
    plain = lightgbm.Dataset._Dataset__init_from_np2d
    monkeypatch.setattr(lightgbm.Dataset, "_Dataset__init_from_np2d", lambda *args, **named: (binned.append(1), plain(*args, **named))[1])
    problem, data = small_problem("multitarget")
    data = replace(data, X=data.X.drop(columns="said"), X_test=data.X_test.drop(columns="said"))
    rows, model = np.arange(len(data.y)), check_model("lgbm")
    params = presets.merged("lgbm", {"n_estimators": 8}, "n_estimators")
    make = model.stage.prepare(problem, params, data, np.ones(len(rows), dtype=bool), NoClock(), folds=2, threads=1)
    fold = Fold(0, 0, rows[rows % 3 > 0], rows[rows % 3 == 0], data)
    stage = make(problem, params, 0, fold, NoClock())
    stage.advance(8)
    values, test = stage.predict(8)
    again = make(problem, params, 0, fold, NoClock(), stage.dump())
    assert len(binned) == 1 and values.shape == (50, 2) and again.predict(8)[1].tobytes() == test.tobytes() and again.curve == stage.curve
    alone = replace(data, y=data.y[:, 1], target=data.target[:, 1])
    one = model.stage.prepare(numbers("mcrmse"), params, alone, np.ones(len(rows), dtype=bool), NoClock(), folds=2, threads=1)(
        numbers("mcrmse"), params, 0, Fold(0, 0, fold.train, fold.valid, alone), NoClock())
    one.advance(8)
    assert one.predict(8)[1].tobytes() == np.ascontiguousarray(test[:, 1]).tobytes()


@pytest.mark.parametrize(("given", "says"), [
    ({"metric": "auc"}, "metric is not for --set: the curve"), ({"num_class": 3}, "num_class is not for"),
    ({"data_seed": 3}, "data_random_seed is not for"), ({"num_leafs": 63}, "lgbm has no parameter 'num_leafs'. Did you mean num_leaves"),
    ({"objective": "binary"}, "objective=binary is of binary, the task is"), ({"objective": "possion"}, "Did you mean poisson"),
    ({"num_leaves": -4}, r"LightGBM says: .*num_leaves"), ({"patience": 0}, "patience = 0"), ({"objective": "gamma"}, ""),
])
def test_parameters_of_lightgbm_are_checked_against_its_own_names(given: dict, says: str) -> None:
    fold = skewed(120)
    if not says:
        assert np.isfinite(said("lgbm", numbers("rmse"), fold, **given)).all()
        return
    with pytest.raises(KKError, match=says):
        said("lgbm", numbers("rmse"), fold, **given)


@pytest.mark.parametrize(("name", "given", "says"), [
    ("linear", {"alpha": 0}, "alpha = 0, a penalty is a number above 0"), ("linear", {"alhpa": 1}, "no parameter 'alhpa'. Did you mean alpha"),
    ("forest", {"n_estimators": 0}, "n_estimators = 0 is no whole number"), ("forest", {"max_features": -1.0}, "forest: The 'max_features' param"),
    ("forest", {"random_state": 3}, "random_state is not for --set. Leave it out: --seeds K"), ("tree", {"max_depth": -1}, "max_depth = -1"),
    ("constant", {"alpha": 1}, "constant takes no parameters"), ("knn", {"n_neighbours": 3}, "Did you mean n_neighbors"),
    ("group-mean", {"cut": 3}, "Did you mean cuts"), ("hist-gbdt", {"max_leaf_node": 9}, "Did you mean max_leaf_nodes"),
])
def test_parameters_of_families_are_refused_in_a_sentence(name: str, given: dict, says: str) -> None:
    with pytest.raises(KKError, match=says):
        said(name, numbers("rmse"), skewed(120), **given)


def test_a_missing_library_is_told_only_when_the_family_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    model = check_model("lgbm")
    assert model.is_here() and model.needs == ("lightgbm",)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert not check_model("lgbm").is_here() and "lgbm" in family.REGISTRY
    with pytest.raises(KKError, match="lightgbm is not installed. pip install lightgbm"):
        said("lgbm", numbers("rmse"), skewed(60))


def test_the_constant_says_the_label_that_scores_best_alone() -> None:
    table = pd.DataFrame({"x": np.arange(30.0)})
    fold = one_fold(table, (np.arange(30) % 5 == 4).astype(np.int64), (0, 1))
    assert said("constant", Problem("binary", (0, 1), check_metric("f1")), fold).tolist() == [1.0] * 10  # always 0 would score 0
    fold = one_fold(table, np.array([0, 2, 2] * 10), ("a", "b", "c"))
    assert said("constant", Problem("multiclass", ("a", "b", "c"), check_metric("accuracy")), fold)[0] == pytest.approx([0, 0, 1])
